"""Peak memory of a measuring process, as a whole and of single things that it does."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import psutil
import torch

from elcrec.usage import peak_memory, reset_peak_memory


class Peaks:
    """Peaks since it was made, although the counters are set back for parts of that time."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.before: dict[str, int | None] = {}
        reset_peak_memory(device)

    def all(self) -> dict[str, int | None]:
        """Peak bytes as `elcrec.usage.peak_memory` gives them."""
        found = peak_memory(self.device)
        return {key: max(v, self.before.get(key) or 0) if v else v for key, v in found.items()}

    def of(self, action: Callable[[], object]) -> int:
        """Do something; return the bytes that it takes at most beside those held before it.

        Allocated bytes on a GPU, resident ones of this process on a processor.
        """
        self.before = self.all()
        give_back_freed_memory()
        reset_peak_memory(self.device)
        held = self._held()
        action()
        kind = "cuda_allocated_bytes" if self.device.type == "cuda" else "resident_bytes"
        return max(0, (peak_memory(self.device)[kind] or 0) - held)

    def _held(self) -> int:
        if self.device.type == "cuda":
            return torch.cuda.memory_allocated(self.device)
        return int(psutil.Process().memory_info().rss)


def give_back_freed_memory() -> None:
    """Let the C library (glibc; others are left alone) return what was freed to the system.

    Runs keep it (`elcrec.jobs.device.keep_freed_memory`), and what is used again would not be seen.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
