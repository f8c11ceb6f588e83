"""The part of all samples that an epoch uses."""

from __future__ import annotations

import torch
from torch import Tensor


def choose_samples(total: int, count: int, generator: torch.Generator) -> Tensor:
    """Choose samples at random, each at most once.

    Args:
        total: Number of samples there are.
        count: How many of them to choose, at most `total`.
        generator: Source of randomness; the result is on its device.

    Returns:
        (count,) numbers from 0, in random order.
    """
    return torch.randperm(total, generator=generator, device=generator.device)[:count]
