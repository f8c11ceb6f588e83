"""Time and memory: stopwatch, peaks, and memory that runs out."""

import gc
import platform
import resource
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import torch

LARGE = 2**30
"""Allocations of more bytes than this are checked first."""
_MESSAGES = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "ALLOC_FAILED",  # cuBLAS, cuDNN
    "bad_alloc",
)
"""How a RuntimeError reports it; PyTorch's own GPU allocator raises an error of its own type."""


class Stopwatch:
    """Adds up wall-clock seconds by phase.

    On a GPU it synchronises the current stream when a phase begins and ends, so use it around
    epochs, not inside a step. With trainings side by side, the time of each includes the others'.
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
            torch.cuda.current_stream(self.device).synchronize()


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, minimum and maximum of at least one value."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def reset_peak_memory(device: torch.device) -> None:
    """Reset the peak of GPU memory and, where Linux allows it, of resident memory."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory(device: torch.device) -> dict[str, int | None]:
    """Peak bytes: resident memory of this process, and memory allocated and reserved on a GPU."""
    cuda = device.type == "cuda"
    return {
        "resident_bytes": _resident_peak(),
        "cuda_allocated_bytes": torch.cuda.max_memory_allocated(device) if cuda else None,
        "cuda_reserved_bytes": torch.cuda.max_memory_reserved(device) if cuda else None,
    }


def _resident_peak() -> int:
    """Peak resident bytes of this process.

    On Linux `ru_maxrss` starts from the parent's memory at the fork, so the process's own
    high-water mark is read instead where it exists.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024  # macOS reports bytes, others kilobytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def device_name(device: torch.device) -> str:
    """Human-readable name, e.g. `cuda: NVIDIA H200` or `cpu: Intel(R) Xeon(R) (2 threads)`."""
    if device.type == "cuda":
        return f"cuda: {torch.cuda.get_device_name(device)}"
    return f"cpu: {processor()} ({torch.get_num_threads()} threads)"


def processor() -> str:
    """Name of the processor, e.g. `Intel(R) Xeon(R) Processor @ 2.80GHz`."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def reserve(needed: int, what: str) -> None:
    """Refuse to allocate more host memory than is available; up to `LARGE` it is not checked.

    The system would grant it and kill the process when it is used. Memory that the process holds
    counts as free, for it keeps what it has freed (`elcrec.jobs.device.keep_freed_memory`).

    Args:
        needed: Bytes, rather too few than too many.
        what: What needs them, for the message.

    Raises:
        MemoryError: It does not fit.
    """
    if needed > LARGE:
        free = psutil.virtual_memory().available + psutil.Process().memory_info().rss
        if needed > free:
            needed_gb, free_gb = (number / 1e9 for number in (needed, free))
            raise MemoryError(f"{what} needs {needed_gb:,.0f} GB, but {free_gb:,.0f} GB are free")


def ran_out(error: BaseException) -> bool:
    """Whether an error means that memory ran out, on the device or on the host."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(s in str(error) for s in _MESSAGES)


def give_back(device: torch.device) -> None:
    """Release the memory of a failed attempt; call it after its error has been handled."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
