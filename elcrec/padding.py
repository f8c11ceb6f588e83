"""Leave out the padding of training windows, for models whose losses do not see it.

Windows are mostly padding (85-89 % on the paper's data sets). Where only real positions reach the
loss, rows of similar length are encoded together and cut to their longest, which changes nothing
but the order of the sums. On the CPU this saves most of the work; on a GPU, where lengths would
have to be read back in every step and small shapes gain nothing, the windows stay whole.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

WIDTHS = (2, 4, 6, 8, 12, 16, 24, 32)  # windows are cut to the smallest of these that fits


def encode_real(
    encode: Callable[[Tensor], Tensor], sequences: Tensor, *aligned: Tensor
) -> tuple[Tensor, ...]:
    """Encode the real positions of left-padded windows.

    Args:
        encode: Maps (b, T) ids to (b, T, d) outputs, any T up to L; a real position's output may
            not depend on the padding.
        sequences: (B, L) ids, 0 at padding.
        aligned: (B, L) tensors, picked at the same positions.

    Returns:
        Outputs and picked values, (N, d) and (N,) each for the N real positions on the CPU; on
        other devices (B, L, d) and (B, L), padding included.
    """
    if sequences.device.type != "cpu":
        return (encode(sequences), *aligned)
    outputs, picked = [], []
    for rows, width in length_groups(sequences):
        windows = sequences[rows, -width:]
        real = windows > 0
        outputs.append(encode(windows)[real])
        picked.append([values[rows, -width:][real] for values in aligned])
    columns = zip(*picked, strict=True)
    return (torch.cat(outputs), *(torch.cat(column) for column in columns))


def length_groups(sequences: Tensor) -> list[tuple[Tensor, int]]:
    """Rows of (B, L) windows by length: pairs of row numbers and the width that holds them.

    Rows without any real item are in no group.
    """
    width = sequences.shape[1]
    lengths = (sequences > 0).sum(1)
    limits = [w for w in WIDTHS if w < width] + [width]
    group = torch.bucketize(lengths, torch.tensor(limits))
    rows = [((group == i) & (lengths > 0)).nonzero().squeeze(1) for i in range(len(limits))]
    return [(r, w) for r, w in zip(rows, limits, strict=True) if len(r)]
