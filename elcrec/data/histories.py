"""A prepared data set as tensors on one device: histories, leave-one-out split, negatives.

All histories are in one flat tensor with each user's start and end, so memory is proportional to
the number of interactions, however long the longest history. With n items in a line, training
sees items 1 … n-2 (inputs 1 … n-3, targets 2 … n-2); item n-1 is held out for validation, item n
for the test.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from elcrec.data.sequences import HISTORY_END, Sequences, Split, read_sequences
from elcrec.errors import InputError

HELD_OUT = 2  # items at the end of each line that training does not see, one for each split


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
        # Lengths are kept on the host too, so that shapes are known without waiting for the device.
        self.host_offsets = np.asarray(sequences.offsets, dtype=np.int64)
        self.host_items = np.asarray(sequences.items, dtype=np.int64)
        offsets = self.tensor(self.host_offsets)
        self.items = self.tensor(self.host_items)
        self.starts, self.stops = offsets[:-1], offsets[1:]
        self._negatives = NegativeSampler(self, highest=self.item_size - 1)

    @classmethod
    def read(cls, path: Path, device: torch.device | str = "cpu") -> InteractionData:
        """Read a prepared data set, `sequences.txt`.

        Raises:
            InputError: The file is missing, or not in the prepared format.
        """
        return cls(read_sequences(path), device)

    @property
    def sequences(self) -> Sequences:
        """All histories on the host, without the users' ids."""
        return Sequences(self.host_items, self.host_offsets, ())

    def digest(self) -> str:
        """Hash of all histories: 16 hexadecimal digits."""
        return self.sequences.digest()

    def tensor(self, values: np.ndarray) -> Tensor:
        """Move an array to the device."""
        return torch.from_numpy(values).to(self.device)

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
        ids = self.items[positions.clamp(min=0)]
        return ids.masked_fill_(positions < starts[:, None], 0)

    def training_inputs(self, users: Tensor, length: int) -> Tensor:
        """Items 1 … n-3 of each user: (B,) users to (B, L) ids."""
        return self.windows(self.starts[users], self.stops[users] - 3, length)

    def training_targets(self, users: Tensor, length: int) -> Tensor:
        """Items 2 … n-2 of each user, aligned with `training_inputs`: (B,) to (B, L)."""
        return self.windows(self.starts[users] + 1, self.stops[users] - 2, length)

    def training_lengths(self) -> np.ndarray:
        """Number of training items of each user, known on the host: (users,) int64."""
        return np.maximum(np.diff(self.host_offsets) - HELD_OUT, 0)

    def training_counts(self) -> Tensor:
        """How often each id is a training item, 0 for padding and mask: (item_size,) int64."""
        held_out = torch.cat([self.items[self.stops - last] for last in range(1, HELD_OUT + 1)])
        counts = torch.bincount(self.items, minlength=self.item_size)
        return counts - torch.bincount(held_out, minlength=self.item_size)

    def history_end(self, split: Split) -> int:
        """How many items at the end of a line are not part of the input history of `split`."""
        return HISTORY_END[split]

    def histories(self, users: Tensor, split: Split, length: int) -> Tensor:
        """Input history for `split`: (B,) users to (B, L) ids."""
        stops = self.stops[users] - self.history_end(split)
        return self.windows(self.starts[users], stops, length)

    def targets(self, users: Tensor, split: Split) -> Tensor:
        """The held-out item of `split`: (B,) users to (B,) ids."""
        return self.items[self.stops[users] - self.history_end(split)]

    def negatives(self, users: Tensor, length: int, generator: torch.Generator) -> Tensor:
        """Draw items uniformly from 1 … item_size - 1 that the user never interacted with.

        The range is that of the released code: it includes the mask token, and the user's items
        include those of validation and test. `NegativeSampler` has other ranges.

        Args:
            users: (B,) user numbers.
            length: Draws per user.
            generator: Source of randomness on this device.

        Returns:
            (B, length) item ids.
        """
        return self._negatives.draw(users, length, generator)


class NegativeSampler:
    """Uniform draws among the ids 1 … `highest` that are not among a user's own items.

    Instead of redrawing until an item is allowed, the r-th allowed id is computed from r by a
    binary search, which is exact and has a fixed shape.
    """

    BLOCK_USERS = 2**15
    """Users whose part of the table is made at once; a block stays in the processor's cache."""

    def __init__(self, data: InteractionData, highest: int, held_out: int = 0) -> None:
        """Sort the users' own items into a table.

        Args:
            data: The histories; draws are made on its device.
            highest: Largest id that may be drawn, at least `data.n_items`.
            held_out: How many items at the end of each line do not count as the user's own: 0
                keeps validation and test items from being drawn, 2 uses the training items only.

        Raises:
            InputError: A user has all ids up to `highest`.
        """
        self.device = data.device
        self.span = highest + 1  # keys of consecutive users are this far apart
        lengths = np.maximum(np.diff(data.host_offsets) - held_out, 0)
        keys = np.empty(lengths.sum(), dtype=np.int64)
        counts = np.empty(data.n_users, dtype=np.int64)
        filled = 0
        # One block of users at a time: memory beyond the table is limited to that of a block.
        for first in range(0, data.n_users, self.BLOCK_USERS):
            block = slice(first, first + self.BLOCK_USERS)
            made, counts[block] = self._table(data, first, lengths[block])
            keys[filled : filled + len(made)] = made
            filled += len(made)
        if counts.max() == highest:
            raise InputError(
                f"the user on line {int(counts.argmax()) + 1} has interacted with every item, "
                "so no negative can be drawn; remove this user from the data set"
            )
        starts = np.cumsum(counts) - counts
        self._keys = data.tensor(keys[:filled])
        self._starts = data.tensor(starts)
        self._counts = data.tensor(highest - counts)

    def _table(
        self, data: InteractionData, first: int, lengths: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Part of the table for the users from `first` on: (own ids,) keys, (users,) how many each.

        A key is user * span + (id - 1) - (own ids of the user before it); keys ascend.
        """
        ends = np.cumsum(lengths)
        # Sorting moves no key out of its user's range, so owners need not be computed again.
        owner = np.repeat(np.arange(len(lengths)), lengths)
        skipped = data.host_offsets[first : first + len(lengths)] - (ends - lengths)
        position = np.arange(len(owner)) + skipped[owner]  # without held-out items
        keys = (owner + first) * self.span + data.host_items[position]
        # NumPy's sort is vectorized; its `unique` uses a hash table, here a hundred times slower.
        keys.sort()
        new = np.empty(len(keys), dtype=bool)
        new[:1] = True
        np.not_equal(keys[1:], keys[:-1], out=new[1:])
        counts = np.bincount(owner[new], minlength=len(lengths))
        keys, owner = keys[new], owner[new]
        before = np.arange(len(keys)) - (np.cumsum(counts) - counts)[owner]
        return keys - 1 - before, counts

    def draw(self, users: Tensor, length: int, generator: torch.Generator) -> Tensor:
        """Draw `length` ids for each of the users (B,), with replacement: (B, length)."""
        uniform = torch.rand(
            (len(users), length), generator=generator, device=self.device, dtype=torch.float64
        )
        rank = (uniform * self._counts[users][:, None]).long()
        # An id is its rank among the allowed ones, plus the number of own ids before it.
        found = torch.searchsorted(self._keys, users[:, None] * self.span + rank, right=True)
        return rank + (found - self._starts[users][:, None]) + 1
