"""Choose the device of a run and set up its arithmetic."""

from __future__ import annotations

import ctypes
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from elcrec.errors import InputError
from elcrec.training.precision import full_precision

_held: list[FileLock] = []  # of claimed GPUs, until the process ends


def choose(name: str = "auto", threads: int | None = None) -> torch.device:
    """Return the device and prepare it.

    Args:
        name: `auto` (a GPU where there is one), `cpu`, `cuda` or `cuda:N`.
        threads: CPU threads; by default those of PyTorch.

    Raises:
        InputError: No such device.
    """
    if threads:
        torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # denormals slow the CPU and change no printed digit
    full_precision()
    keep_freed_memory()
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError(f"--device {name}: must be auto, cpu, cuda or cuda:N") from None
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise InputError(f"--device {name}: PyTorch sees no GPU here; use --device cpu")
        if device.index is None:
            device = torch.device("cuda", claim_gpu())
        elif device.index >= torch.cuda.device_count():
            count = torch.cuda.device_count()
            raise InputError(f"--device {name}: there are {count} GPUs, numbered from 0")
        torch.cuda.set_device(device)
    return device


def keep_freed_memory() -> None:
    """Let the C library reuse freed memory instead of giving it back after every step.

    By default glibc maps each large tensor anew, and the kernel has to clear its pages: a fifth
    of the time of a training step on the CPU. Other C libraries are left as they are.
    """
    trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(mmap_threshold, 2**30)
        mallopt(trim_threshold, 2**31 - 1)


def claim_gpu() -> int:
    """Number of a GPU that no other run on this machine has claimed; 0 when all are.

    Snakemake counts GPUs but hands out no numbers, so runs agree by locking a file per GPU.
    """
    for index in range(torch.cuda.device_count()):
        name = str(torch.cuda.get_device_properties(index).uuid)
        lock = FileLock(Path(tempfile.gettempdir()) / f"elcrec-{os.getuid()}-gpu-{name}.lock")
        with suppress(Timeout):
            lock.acquire(blocking=False)
            _held.append(lock)
            return index
    return 0
