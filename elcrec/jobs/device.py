"""Choose the device of a run and set up its arithmetic."""

import ctypes
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from elcrec.errors import InputError, brief, shown, writing
from elcrec.training.precision import full_precision

_held: list[FileLock] = []  # of claimed GPUs, until the process ends


def find(name: str) -> torch.device:
    """The device with this name; nothing is prepared or claimed.

    PyTorch supports others (mps, xpu), but this code was never tried on them.

    Args:
        name: `auto` (a GPU where there is one), `cpu`, `cuda` or `cuda:N`.

    Raises:
        InputError: No such device.
    """
    if not re.fullmatch("auto|cpu|cuda(:[0-9]{1,9})?", name):
        text = brief(name) or shown(name)
        raise InputError(f"--device {text}: must be auto, cpu, cuda or cuda:N")
    has_gpu = torch.cuda.is_available()
    if name == "cpu" or (name == "auto" and not has_gpu):
        return torch.device("cpu")
    if not has_gpu:
        raise InputError(f"--device {name}: PyTorch sees no GPU here; use --device cpu")
    number, count = name.partition(":")[2], torch.cuda.device_count()
    if number and int(number) >= count:
        raise InputError(f"--device {name}: PyTorch sees GPUs here: {count}, numbered from 0")
    return torch.device("cuda", int(number)) if number else torch.device("cuda")


def choose(name: str = "auto", threads: int | None = None) -> torch.device:
    """Return the device and prepare it.

    Args:
        name: As for `find`; `cuda` without a number takes a GPU that no other run uses.
        threads: CPU threads; by default those of PyTorch.

    Raises:
        InputError: No such device.
    """
    device = find(name)
    if threads:
        torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # denormals slow the CPU and change no printed digit
    full_precision()
    keep_freed_memory()
    if device.type == "cuda":
        if device.index is None:
            device = torch.device("cuda", claim_gpu())
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

    Raises:
        WriteError: The folder for temporary files cannot be written to.
    """
    for index in range(torch.cuda.device_count()):
        name = str(torch.cuda.get_device_properties(index).uuid)
        path = Path(tempfile.gettempdir()) / f"elcrec-{os.getuid()}-gpu-{name}.lock"
        lock = FileLock(path)
        with writing(path), suppress(Timeout):
            lock.acquire(blocking=False)
            _held.append(lock)
            return index
    return 0
