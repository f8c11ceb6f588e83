"""The samples of an epoch: a random subset of all, and prefixes of the training histories.

A user's prefixes end at each of the last L training items, so there are as many as one window of a
model that trains on all positions has.
"""

import math

import numpy as np
import torch
from torch import Tensor

from elcrec.data.histories import HELD_OUT, InteractionData


def count_prefixes(data: InteractionData, length: int, share: float) -> int:
    """Number of prefixes that one epoch draws, known without waiting for the device.

    Args:
        data: The histories.
        length: Maximum number L of prefixes per user; the longest ones are used.
        share: Fraction of all prefixes, in (0, 1].
    """
    return math.ceil(share * int(_prefixes_per_user(data, length).sum()))


class Prefixes:
    """All prefixes, numbered, of which every epoch uses a random subset."""

    def __init__(self, data: InteractionData, length: int, share: float) -> None:
        """List the prefixes; arguments as for `count_prefixes`."""
        self.count = count_prefixes(data, length, share)
        counts = data.tensor(_prefixes_per_user(data, length))
        # (P,) user and end (one past the last item, in the flat tensor) of each prefix.
        self.users = torch.arange(data.n_users, device=data.device).repeat_interleave(counts)
        number = torch.arange(len(self.users), device=data.device)
        first = counts.cumsum(0) - counts
        self.ends = data.stops[self.users] - HELD_OUT - (number - first[self.users])
        self.order = number[: self.count].clone()

    def shuffle(self, generator: torch.Generator) -> None:
        """Draw the prefixes of an epoch; does nothing if it uses all of them."""
        if self.count < len(self.users):
            # in place: see `SequenceModel.keep`
            self.order.copy_(choose_samples(len(self.users), self.count, generator))

    def take(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Users and ends of the samples (B,) of this epoch, numbered from 0: (B,) each."""
        chosen = self.order[samples]
        return self.users[chosen], self.ends[chosen]


def _prefixes_per_user(data: InteractionData, length: int) -> np.ndarray:
    """Prefixes of each user (users,), at most `length`."""
    return np.minimum(data.training_lengths(), length)


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
