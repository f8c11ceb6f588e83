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

from __future__ import annotations

import numpy as np
import torch
from scipy.stats import hypergeom
from torch import Tensor

from elcrec.data.histories import InteractionData

CROP, MASK, REORDER = range(3)


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
        sizes = np.arange(int(np.diff(data.host_offsets).max()) - 2)  # 0 … longest input
        counts = {share: (sizes * share).astype(np.int64) for share in (crop, mask, reorder)}
        self._cropped, self._masked, self._reordered = (
            data.tensor(counts[share]) for share in (crop, mask, reorder)
        )
        self._widest_shuffle = max(1, int(counts[reorder].max()))
        self._masked_in_window = _hypergeometric_table(sizes, counts[mask], length).to(data.device)

    def views(self, users: Tensor, generator: torch.Generator) -> Tensor:
        """Draw one view of each user's training input: (B,) users to (B, L) ids, left-padded."""
        data = self.data
        starts = data.starts[users]
        sizes = data.stops[users] - 3 - starts
        operation = self._draw((len(users),), generator, 3)

        cropped = self._cropped[sizes]
        first = starts + self._offset(sizes - cropped, generator)
        is_crop = operation == CROP
        # A crop is a window of its own; the other two start from the whole input.
        begin = torch.where(is_crop, first, starts)
        end = torch.where(is_crop, first + cropped.clamp(min=1), starts + sizes)

        positions = end[:, None] + torch.arange(-self.length, 0, device=data.device)
        real = positions >= begin[:, None]
        shuffled = self._shuffle(positions, starts, sizes, generator)
        positions = torch.where((operation == REORDER)[:, None], shuffled, positions)
        hidden = self._mask(real, sizes, generator) & (operation == MASK)[:, None]
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

    def _mask(self, real: Tensor, sizes: Tensor, generator: torch.Generator) -> Tensor:
        """Choose the masked slots of each window: (B, L) bool.

        Of the masked items of the whole input, the number that falls into the window is
        hypergeometric; which ones they are is uniform, by the order of random keys.
        """
        uniform = torch.rand(
            (len(sizes), 1), generator=generator, device=self.data.device, dtype=torch.float64
        )
        count = (self._masked_in_window[sizes] <= uniform).sum(1, keepdim=True)
        keys = torch.rand(real.shape, generator=generator, device=self.data.device)
        order = keys.masked_fill_(~real, 2.0).argsort(1)  # real slots first
        chosen = torch.arange(self.length, device=self.data.device) < count
        return torch.zeros_like(real).scatter_(1, order, chosen)

    def _shuffle(
        self, positions: Tensor, starts: Tensor, sizes: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Source position of each slot when a random stretch of the input is shuffled: (B, L)."""
        reordered = self._reordered[sizes]
        begin = starts + self._offset(sizes - reordered, generator)
        keys = torch.rand(
            (len(sizes), self._widest_shuffle), generator=generator, device=self.data.device
        )
        columns = torch.arange(self._widest_shuffle, device=self.data.device)
        keys.masked_fill_(columns >= reordered[:, None], 2.0)
        permutation = keys.argsort(1)  # its first `reordered` entries permute the stretch
        inside = positions - begin[:, None]
        moved = begin[:, None] + permutation.gather(1, inside.clamp(0, self._widest_shuffle - 1))
        return torch.where((inside >= 0) & (inside < reordered[:, None]), moved, positions)


def _hypergeometric_table(sizes: np.ndarray, masked: np.ndarray, length: int) -> Tensor:
    """Return P(at most j of the last `length` items are masked), (sizes, length + 1) float64.

    `(row <= u).sum()` for a uniform u then has that distribution. An input no longer than the
    window has all its masked items inside, so its row is a step.
    """
    j = np.arange(length + 1)
    table = (j >= masked[:, None]).astype(np.float64)
    long = sizes > length
    table[long] = hypergeom(sizes[long, None], masked[long, None], length).cdf(j)
    table[:, -1] = 2.0  # never counted: at most `length` items fit
    return torch.from_numpy(table)
