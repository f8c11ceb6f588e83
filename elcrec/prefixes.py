"""Prefixes of the training histories as samples, for models that train on one prefix at a time.

A user's prefixes end at each of the last L items of the training part, so their number is what one
window of a model that trains on all positions holds.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from elcrec.dataset import InteractionData


def count_prefixes(data: InteractionData, length: int, held_out: int, share: float) -> int:
    """Number of prefixes that one epoch draws, known without asking the device.

    Args:
        data: The histories.
        length: Most prefixes L of one user, the longest ones.
        held_out: Items at the end of a line that no prefix contains.
        share: Part of all prefixes, in (0, 1].
    """
    counts = np.minimum(np.diff(data.host_offsets) - held_out, length)
    return math.ceil(share * int(counts.clip(min=0).sum()))


class Prefixes:
    """All prefixes, numbered, of which every epoch uses a random part."""

    def __init__(self, data: InteractionData, length: int, held_out: int, share: float) -> None:
        """List the prefixes; arguments as for `count_prefixes`."""
        self.count = count_prefixes(data, length, held_out, share)
        counts = (data.stops - data.starts - held_out).clamp(0, length)
        # (P,) user and end (one past the last item, in the flat tensor) of each prefix.
        self.users = torch.arange(data.n_users, device=data.device).repeat_interleave(counts)
        number = torch.arange(len(self.users), device=data.device)
        first = counts.cumsum(0) - counts
        self.ends = data.stops[self.users] - held_out - (number - first[self.users])
        self.order = number

    def shuffle(self, generator: torch.Generator) -> None:
        """Draw the prefixes of an epoch; without need when it uses all of them."""
        if self.count < len(self.users):
            device = self.users.device
            everything = torch.randperm(len(self.users), generator=generator, device=device)
            self.order = everything[: self.count]

    def take(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Users and ends of the samples (B,) of this epoch, numbered from 0: (B,) each."""
        chosen = self.order[samples]
        return self.users[chosen], self.ends[chosen]
