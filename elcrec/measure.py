"""Time and memory of a run, measured in one place."""

from __future__ import annotations

import platform
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch


class Stopwatch:
    """Adds up wall-clock seconds by phase.

    On a GPU the device is synchronised when a phase begins and ends, so use it around epochs, not
    inside a step.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        """Time the block and add it to `phase`."""
        self._synchronise()
        begin = time.perf_counter()
        try:
            yield
        finally:
            self._synchronise()
            self.seconds[phase] += time.perf_counter() - begin

    def _synchronise(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def reset_peak_memory(device: torch.device) -> None:
    """Start a new peak on a GPU; the resident peak of a process cannot be reset."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> dict[str, int | None]:
    """Peak bytes: resident memory of this process, and memory allocated and reserved on a GPU."""
    unit = 1 if sys.platform == "darwin" else 1024  # Linux reports kilobytes
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    cuda = device.type == "cuda"
    return {
        "resident_bytes": resident,
        "cuda_allocated_bytes": torch.cuda.max_memory_allocated(device) if cuda else None,
        "cuda_reserved_bytes": torch.cuda.max_memory_reserved(device) if cuda else None,
    }


def device_name(device: torch.device) -> str:
    """Human-readable name, e.g. `cuda: NVIDIA H200` or `cpu: Intel(R) Xeon(R) (2 threads)`."""
    if device.type == "cuda":
        return f"cuda: {torch.cuda.get_device_name(device)}"
    return f"cpu: {_processor()} ({torch.get_num_threads()} threads)"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
