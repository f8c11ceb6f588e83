"""Pack short histories side by side into shared windows, so that an encoder computes no padding.

A window of 50 slots holds some eight histories of the paper's data sets, one after the other, each
attending to itself only. Everything else in a Transformer works position by position, so a batch
of 256 histories becomes one of some 30 full windows. CPU only: the number of windows
depends on the lengths, which would have to be read back from a GPU.
"""

from bisect import bisect_right
from dataclasses import dataclass

import torch
from torch import Tensor

USUAL_WIDTH = 64
"""Slots of a window, if all histories fit; every slot attends over all of them, mostly in vain."""


@dataclass(frozen=True)
class Packed:
    """Histories in P windows of W slots; the items of each are contiguous and in order."""

    items: Tensor
    """(P, W) ids, 0 in free slots."""
    positions: Tensor
    """(P, W) rows of the position table."""
    owners: Tensor
    """(P, W) row number of the history that owns the slot; -1 in free slots."""
    slots: Tensor
    """(B, L) slot of each item, numbered across all windows; 0 for padding."""

    def strangers(self) -> Tensor:
        """Which slots of a window belong to other histories: (P, W, W) bool."""
        return self.owners[:, None, :] != self.owners[:, :, None]


def pack(sequences: Tensor, max_length: int) -> Packed:
    """Pack left-padded windows of ids (B, L), 0 at padding.

    Args:
        sequences: (B, L), L at most `max_length`.
        max_length: Rows of the position table; the last one belongs to column L - 1.
    """
    rows, columns = sequences.nonzero(as_tuple=True)
    lengths = torch.bincount(rows, minlength=len(sequences))
    sizes: list[int] = lengths.tolist()
    width = min(max_length, USUAL_WIDTH)
    if max(sizes, default=0) > width:
        width = max_length
    count, first = _fill(sizes, width)
    before = lengths.cumsum(0) - lengths
    slots = torch.arange(len(rows)) + (torch.tensor(first) - before)[rows]

    def placed(values: Tensor, free: int = 0) -> Tensor:
        flat = values.new_full((usual(count) * width,), free)
        return flat.index_copy_(0, slots, values).view(-1, width)

    return Packed(
        items=placed(sequences[rows, columns]),
        positions=placed(columns + (max_length - sequences.shape[1])),
        owners=placed(rows, -1),
        slots=torch.zeros_like(sequences).index_put_((rows, columns), slots),
    )


def _fill(sizes: list[int], width: int) -> tuple[int, list[int]]:
    """Fill windows with histories of these sizes, always adding the longest that still fits.

    Returns:
        How many windows there are, and the slot of each history's first item.
    """
    first = [0] * len(sizes)
    left = sorted(range(len(sizes)), key=sizes.__getitem__)
    left_sizes = sorted(sizes)
    used, end = 0, 0  # slots up to where the next history begins, and up to the window's end
    while left:
        fits = bisect_right(left_sizes, end - used) - 1
        if fits < 0:
            used, end = end, end + width
        else:
            first[left.pop(fits)] = used
            used += left_sizes.pop(fits)
    return end // width, first


def usual(count: int) -> int:
    """Round up to one of eight numbers between two powers of 2.

    oneDNN compiles its products for every new shape, which takes longer than running them.
    """
    step = max(1, 1 << max(0, count.bit_length() - 4))
    return -(-count // step) * step
