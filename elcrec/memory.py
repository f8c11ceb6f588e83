"""Memory that runs out: told apart from other errors, and given back before another attempt."""

from __future__ import annotations

import gc

import torch

_SAID = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "ALLOC_FAILED",  # cuBLAS, cuDNN
    "bad_alloc",
)
"""How a RuntimeError says it; of PyTorch's own allocator on a GPU the error has its own type."""


def ran_out(error: BaseException) -> bool:
    """Whether an error says that memory, of the device or of the host, ran out."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(s in str(error) for s in _SAID)


def give_back(device: torch.device) -> None:
    """Give back what a failed attempt held; call it when its error is no longer handled."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
