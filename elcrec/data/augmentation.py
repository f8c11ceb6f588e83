"""Two random views of each training sequence, drawn for a whole batch on the device.

Source: Xie et al., "Contrastive Learning for Sequential Recommendation" (ICDE 2022), with the
parameters of the ICLRec and ELCRec code. One of three operations, equally likely, is applied to the
whole training input (not only to the window that the encoder sees):

- crop: keep floor(0.2 n) consecutive items (one item when that is 0);
- mask: replace floor(0.7 n) distinct items by padding, or by a mask token if one is given;
- reorder: shuffle floor(0.2 n) consecutive items.

The start of crop and reorder is uniform on 0 … n - length - 1, as in the released code (so the last
item is never part of them, unless the length is 0).
"""

import numpy as np
import torch
from torch import Tensor

from elcrec.data.histories import InteractionData

CROP, MASK, REORDER = range(3)
WIDEST_SORT = 256
"""Longest stretch that is shuffled by sorting a random key per item; in longer ones only the slots
that a window can show are drawn. All published data sets stay below it."""


class Augmenter:
    """Draws views; the tables depend on the lengths of the training inputs only."""

    def __init__(
        self,
        data: InteractionData,
        length: int,
        crop: float = 0.2,
        mask: float = 0.7,
        reorder: float = 0.2,
        mask_id: int = 0,
    ) -> None:
        """Prepare the tables.

        Args:
            data: The histories.
            length: Width L of a view.
            crop: Share of the items that a crop keeps.
            mask: Share of the items that are masked.
            reorder: Share of the items that are shuffled.
            mask_id: What a masked item becomes: padding (0), or the id of a mask token.
        """
        self.data = data
        self.length = length
        self.mask_id = mask_id
        # Only the input lengths that occur, and the row of each user's length: a table of all
        # lengths would grow with the square of the longest history.
        sizes, row = np.unique(np.diff(data.host_offsets) - 3, return_inverse=True)
        counts = {share: (sizes * share).astype(np.int64) for share in (crop, mask, reorder)}
        self._row = data.tensor(row)
        self._cropped, self._reordered = (data.tensor(counts[share]) for share in (crop, reorder))
        self._widest_shuffle = max(1, int(counts[reorder].max()))
        self._masked_in_window = _hypergeometric_table(sizes, counts[mask], length).to(data.device)

    def views(self, users: Tensor, generator: torch.Generator) -> Tensor:
        """Draw one view of each user's training input: (B,) users to (B, L) ids, left-padded."""
        data = self.data
        starts = data.starts[users]
        sizes = data.stops[users] - 3 - starts
        row = self._row[users]  # row in the tables
        operation = self._draw((len(users),), generator, 3)

        cropped = self._cropped[row]
        first = starts + self._offset(sizes - cropped, generator)
        is_crop = operation == CROP
        # A crop is a window of its own; the other two start from the whole input.
        begin = torch.where(is_crop, first, starts)
        end = torch.where(is_crop, first + cropped.clamp(min=1), starts + sizes)

        positions = end[:, None] + torch.arange(-self.length, 0, device=data.device)
        real = positions >= begin[:, None]
        reordered = self._reordered[row]
        stretch = starts + self._offset(sizes - reordered, generator)
        shuffled = self._shuffle(positions, stretch, reordered, generator)
        positions = torch.where((operation == REORDER)[:, None], shuffled, positions)
        hidden = self._mask(real, row, generator) & (operation == MASK)[:, None]
        ids = data.items[positions.clamp_(min=0)].masked_fill_(hidden, self.mask_id)
        return ids.masked_fill_(~real, 0)

    def _draw(self, shape: tuple[int, ...], generator: torch.Generator, high: int) -> Tensor:
        return torch.randint(high, shape, generator=generator, device=self.data.device)

    def _offset(self, choices: Tensor, generator: torch.Generator) -> Tensor:
        """Uniform on 0 … choices - 1, row by row."""
        uniform = torch.rand(
            choices.shape, generator=generator, device=self.data.device, dtype=torch.float64
        )
        return (uniform * choices).long()

    def _mask(self, real: Tensor, row: Tensor, generator: torch.Generator) -> Tensor:
        """Choose the masked slots of each window: (B, L) bool.

        The number of masked items that fall into the window is hypergeometric; which slots they
        take is uniform, by the order of random keys.
        """
        uniform = torch.rand(
            (len(row), 1), generator=generator, device=self.data.device, dtype=torch.float64
        )
        count = (self._masked_in_window[row] <= uniform).sum(1, keepdim=True)
        keys = torch.rand(real.shape, generator=generator, device=self.data.device)
        order = keys.masked_fill_(~real, 2.0).argsort(1)  # real slots first
        chosen = torch.arange(self.length, device=self.data.device) < count
        return torch.zeros_like(real).scatter_(1, order, chosen)

    def _shuffle(
        self, positions: Tensor, begin: Tensor, reordered: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Source position of each slot when a stretch of the input is shuffled: (B, L).

        Args:
            positions: (B, L) the slots' own positions, consecutive.
            begin: (B,) first position of the stretch.
            reordered: (B,) its length.
            generator: Source of randomness.
        """
        inside = positions - begin[:, None]
        if self._widest_shuffle <= WIDEST_SORT:
            source = self._permutation(reordered, self._widest_shuffle, generator)
            slot = inside
        else:
            source = self._sample(reordered, generator)
            slot = inside - inside[:, :1].clamp(min=0)  # counted from the window's first slot
        moved = begin[:, None] + source.gather(1, slot.clamp(0, source.shape[1] - 1))
        return torch.where((inside >= 0) & (inside < reordered[:, None]), moved, positions)

    def _permutation(self, count: Tensor, width: int, generator: torch.Generator) -> Tensor:
        """Rows of (B, width) whose first `count` entries are a random order of 0 … count - 1."""
        keys = torch.rand((len(count), width), generator=generator, device=self.data.device)
        columns = torch.arange(width, device=self.data.device)
        return keys.masked_fill_(columns >= count[:, None], 2.0).argsort(1)

    def _sample(self, count: Tensor, generator: torch.Generator) -> Tensor:
        """L distinct numbers from 0 … count - 1 in random order, row by row; all if count < L.

        Source: Floyd's algorithm (Bentley & Floyd, "A sample of brilliance", 1987): the t-th draw
        is from 0 … j with j = count - taken + t, and j itself replaces a repeated draw.
        """
        taken = count.clamp(max=self.length)  # (B,)
        chosen = count.new_full((len(count), self.length), -1)
        for t in range(self.length):
            highest = count - taken + t
            drawn = self._offset(highest + 1, generator)
            repeated = (chosen[:, :t] == drawn[:, None]).any(1)
            chosen[:, t] = torch.where(repeated, highest, drawn).masked_fill(t >= taken, -1)
        return chosen.gather(1, self._permutation(taken, self.length, generator))


def _hypergeometric_table(sizes: np.ndarray, masked: np.ndarray, length: int) -> Tensor:
    """Return P(at most j of the last `length` items are masked), (sizes, length + 1) float64.

    `(row <= u).sum()` for a uniform u then has that distribution. An input no longer than the
    window has all its masked items inside, so its row is a step.
    """
    from scipy.stats import hypergeom  # takes most of a second to import, and is needed here only

    j = np.arange(length + 1)
    table = (j >= masked[:, None]).astype(np.float64)
    long = sizes > length
    table[long] = hypergeom(sizes[long, None], masked[long, None], length).cdf(j)
    table[:, -1] = 2.0  # never counted: at most `length` items fit
    return torch.from_numpy(table)
