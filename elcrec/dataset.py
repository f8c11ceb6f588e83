"""A prepared data set as tensors on one device: histories, leave-one-out split, negatives.

All histories lie in one flat tensor with each user's start and end, so memory is proportional to
the number of interactions whatever the longest history. With n items in a user's line, training
sees items 1 … n-2 (inputs 1 … n-3, targets 2 … n-2), validation asks for item n-1, test for item n.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from elcrec.data.sequences import Sequences

Split = Literal["valid", "test"]
SPLITS: tuple[Split, ...] = ("valid", "test")


class InteractionData:
    """Every user's history on `device`; users are numbered from 0, items from 1."""

    def __init__(self, sequences: Sequences, device: torch.device | str = "cpu") -> None:
        """Move the histories to the device.

        Args:
            sequences: Flat item ids (interactions,) and offsets (users + 1,), oldest item first.
            device: Where all tensors live and all batches are made.
        """
        self.device = torch.device(device)
        self.n_users = len(sequences.offsets) - 1
        self.n_items = int(sequences.items.max())
        self.item_size = self.n_items + 2  # row 0 is padding, the last one a mask token
        # Lengths are kept on the host too: shapes are decided there without asking the device.
        self.host_offsets = np.asarray(sequences.offsets, dtype=np.int64)
        self.host_items = np.asarray(sequences.items, dtype=np.int64)
        offsets = torch.from_numpy(self.host_offsets).to(self.device)
        self.items = torch.from_numpy(self.host_items).to(self.device)
        self.starts, self.stops = offsets[:-1], offsets[1:]
        self._allowed_keys, self._allowed_starts, self._allowed_counts = self._rejection_table()

    def windows(self, starts: Tensor, stops: Tensor, length: int) -> Tensor:
        """Cut `items[start:stop]` of each row to its last `length` items, padded left with 0.

        Args:
            starts: (B,) first position of each row in the flat tensor.
            stops: (B,) one past its last position.
            length: Width L of the result.

        Returns:
            (B, L) item ids.
        """
        positions = stops[:, None] + torch.arange(-length, 0, device=self.device)
        ids = self.items[positions.clamp_(min=0)]
        return ids.masked_fill_(positions < starts[:, None], 0)

    def training_inputs(self, users: Tensor, length: int) -> Tensor:
        """Items 1 … n-3 of each user: (B,) users to (B, L) ids."""
        return self.windows(self.starts[users], self.stops[users] - 3, length)

    def training_targets(self, users: Tensor, length: int) -> Tensor:
        """Items 2 … n-2 of each user, aligned with `training_inputs`: (B,) to (B, L)."""
        return self.windows(self.starts[users] + 1, self.stops[users] - 2, length)

    def history_end(self, split: Split) -> int:
        """How many items at the end of a line are not yet known when `split` is asked for."""
        return {"valid": 2, "test": 1}[split]

    def histories(self, users: Tensor, split: Split, length: int) -> Tensor:
        """Items known when `split` is asked for: (B,) users to (B, L) ids."""
        stops = self.stops[users] - self.history_end(split)
        return self.windows(self.starts[users], stops, length)

    def targets(self, users: Tensor, split: Split) -> Tensor:
        """The item that `split` asks for: (B,) users to (B,) ids."""
        return self.items[self.stops[users] - self.history_end(split)]

    def negatives(self, users: Tensor, length: int, generator: torch.Generator) -> Tensor:
        """Draw items uniformly from 1 … item_size - 1 that the user never interacted with.

        The range is that of the released code: it includes the mask token, and the user's items
        include those of validation and test. Instead of redrawing until an item is allowed, the
        r-th allowed id is computed from r by a binary search, which is exact and has a fixed shape.

        Args:
            users: (B,) user numbers.
            length: Draws per user.
            generator: Source of randomness on this device.

        Returns:
            (B, length) item ids.
        """
        uniform = torch.rand(
            (len(users), length), generator=generator, device=self.device, dtype=torch.float64
        )
        counts = self._allowed_counts[users][:, None]
        rank = (uniform * counts).long()
        # An id is its rank among the allowed ones, plus the number of forbidden ids before it.
        found = torch.searchsorted(
            self._allowed_keys, users[:, None] * self.item_size + rank, right=True
        )
        return rank + (found - self._allowed_starts[users][:, None]) + 1

    def _rejection_table(self) -> tuple[Tensor, Tensor, Tensor]:
        """Sorted keys for `negatives`: user * item_size + (id - 1) - (forbidden ids before it)."""
        users = np.repeat(np.arange(self.n_users), np.diff(self.host_offsets))
        pairs = np.unique(users * self.item_size + self.host_items)
        owner, item = pairs // self.item_size, pairs % self.item_size
        starts = np.searchsorted(owner, np.arange(self.n_users))
        before = np.arange(len(pairs)) - starts[owner]
        keys = owner * self.item_size + item - 1 - before
        allowed = self.item_size - 1 - np.bincount(owner, minlength=self.n_users)
        tensors = (torch.from_numpy(a).to(self.device) for a in (keys, starts, allowed))
        keys_, starts_, allowed_ = tensors
        return keys_, starts_, allowed_
