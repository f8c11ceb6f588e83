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


def cuts_padding(tensor: Tensor) -> bool:
    """Whether padding is cut on this tensor's device; if not, all shapes are known beforehand."""
    return tensor.device.type == "cpu"


def only_real(real: Tensor, *aligned: Tensor) -> tuple[Tensor, ...]:
    """Keep the rows of (N, ...) tensors that (N,) `real` says are real, itself included.

    On other devices than the CPU all rows stay, for a loss that leaves out what is not real.
    """
    if not cuts_padding(real):
        return (real, *aligned)
    return (real[real], *(values[real] for values in aligned))


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
    if not cuts_padding(sequences):
        return (encode(sequences), *aligned)
    outputs, picked = [], []
    for rows, width in length_groups(sequences):
        windows = sequences[rows, -width:]
        real = windows > 0
        outputs.append(encode(windows)[real])
        picked.append([values[rows, -width:][real] for values in aligned])
    columns = zip(*picked, strict=True)
    return (torch.cat(outputs), *(torch.cat(column) for column in columns))


def encode_chosen(
    encode: Callable[[Tensor], Tensor], sequences: Tensor, targets: Tensor, most: int
) -> tuple[Tensor, Tensor]:
    """Encode left-padded windows and keep the positions that have a target.

    Args:
        encode: As for `encode_real`.
        sequences: (B, L) ids, 0 at padding.
        targets: (B, L) ids, 0 where nothing is asked for, as at padding.
        most: Largest number M of targets in a row.

    Returns:
        Outputs and targets, (N, d) and (N,) of the N targets on the CPU; on other devices
        (B, M, d) and (B, M), with target 0 where a row has fewer than M.
    """
    if not cuts_padding(sequences):
        return gather_chosen(encode(sequences), targets, most)
    kept, picked = [], []
    for rows, width in length_groups(sequences):
        asked = targets[rows, -width:]
        kept.append(encode(sequences[rows, -width:])[asked > 0])
        picked.append(asked[asked > 0])
    return torch.cat(kept), torch.cat(picked)


def gather_chosen(outputs: Tensor, targets: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Keep the positions of (B, L, d) outputs that have a target, in a fixed shape.

    Arguments and results as for `encode_chosen` on a GPU.
    """
    columns = (targets > 0).int().topk(most, dim=1).indices
    chosen = columns.unsqueeze(-1).expand(-1, -1, outputs.shape[-1])
    return outputs.gather(1, chosen), targets.gather(1, columns)


def by_length(encode: Callable[..., Tensor], sequences: Tensor, *rowwise: Tensor) -> Tensor:
    """Map left-padded windows (B, L) to (B, ...), as `encode` does, without most of the padding.

    Args:
        encode: Maps (b, T) ids, any T up to L, and the rows of `rowwise` to (b, ...) outputs that
            do not depend on the padding.
        sequences: (B, L) ids, 0 at padding; every row has a real item.
        rowwise: (B, ...) further arguments of `encode`, handed over as they are.
    """
    if not cuts_padding(sequences):
        return encode(sequences, *rowwise)
    groups = length_groups(sequences)
    outputs = torch.cat(
        [encode(sequences[rows, -width:], *(v[rows] for v in rowwise)) for rows, width in groups]
    )
    return outputs[torch.cat([rows for rows, _ in groups]).argsort()]


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
