"""Leave out the padding of training windows, for models whose losses do not see it.

Windows are mostly padding (85-89 % on the paper's data sets). Where only real positions reach the
loss, histories share windows (`elcrec.models.packing`), which changes nothing but the order of the
sums. On the CPU this saves most of the work; on a GPU, where lengths would have to be read back in
every step and small shapes gain nothing, the windows stay whole.
"""

import torch
from torch import Tensor

from elcrec.models.encoder import TransformerEncoder
from elcrec.models.packing import Packed, pack

WIDTHS = (2, 4, 6, 8, 12, 16, 24, 32)  # windows are cut to the smallest of these that fits


def cuts_padding(tensor: Tensor) -> bool:
    """Whether padding is cut on this tensor's device; if not, all shapes are fixed in advance."""
    return tensor.device.type == "cpu"


def encode_where(
    encoder: TransformerEncoder, sequences: Tensor, chosen: Tensor, *aligned: Tensor
) -> tuple[Tensor, ...]:
    """Encode left-padded windows for a loss on some of the real positions.

    Args:
        encoder: Its outputs at real positions must not depend on the padding.
        sequences: (B, L) ids, 0 at padding.
        chosen: (B, L) bool, real positions.
        aligned: (B, L) tensors, picked at the same positions.

    Returns:
        Outputs and picked values, (N, d) and (N,) each for the N chosen positions on the CPU; on
        other devices (B, L, d) and (B, L), all positions included.
    """
    if not cuts_padding(sequences):
        return (encoder(sequences), *aligned)
    return (encode_at(encoder, sequences, chosen), *(values[chosen] for values in aligned))


def encode_chosen(
    encoder: TransformerEncoder, sequences: Tensor, targets: Tensor, most: int
) -> tuple[Tensor, Tensor]:
    """Encode left-padded windows and keep the positions that have a target.

    Args:
        encoder: As for `encode_where`.
        sequences: (B, L) ids, 0 at padding.
        targets: (B, L) ids, 0 where there is no target, as at padding.
        most: Largest number M of targets in a row.

    Returns:
        Outputs and targets, (N, d) and (N,) of the N targets on the CPU; on other devices
        (B, M, d) and (B, M), with target 0 where a row has fewer than M.
    """
    if not cuts_padding(sequences):
        return gather_chosen(encoder(sequences), targets, most)
    return encode_at(encoder, sequences, targets > 0), targets[targets > 0]


def encode_last(encoder: TransformerEncoder, sequences: Tensor) -> Tensor:
    """Encode the last position of left-padded windows (B, L), which is real: (B, d)."""
    if not cuts_padding(sequences):
        return encoder.last(sequences)
    windows = pack(sequences, encoder.max_length)
    return encoder.packed(windows, windows.slots[:, -1])


def gather_chosen(outputs: Tensor, targets: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Keep the positions of (B, L, d) outputs that have a target, in a fixed shape.

    Arguments and results as for `encode_chosen` on a GPU.
    """
    columns = (targets > 0).int().topk(most, dim=1).indices
    chosen = columns.unsqueeze(-1).expand(-1, -1, outputs.shape[-1])
    return outputs.gather(1, chosen), targets.gather(1, columns)


def encode_packed(encoder: TransformerEncoder, sequences: Tensor) -> tuple[Packed, Tensor]:
    """Pack windows (B, L) for the CPU and encode them: outputs (P, W, d) of all slots."""
    windows = pack(sequences, encoder.max_length)
    if encoder.kernels is None:
        return windows, encoder.packed(windows)
    real = sequences > 0
    outputs = encode_at(encoder, sequences, real)
    flat = outputs.new_zeros(windows.items.numel(), outputs.shape[1])
    placed = flat.index_copy(0, windows.slots[real], outputs)
    return windows, placed.unflatten(0, windows.items.shape)


def encode_at(encoder: TransformerEncoder, sequences: Tensor, chosen: Tensor) -> Tensor:
    """Outputs of the `chosen` (B, L) real positions of windows (B, L), in their order: (N, d).

    The compiled kernels (`elcrec.models.native`) only handle whole windows, so rows of similar
    length are grouped and cut to the longest of each group.
    """
    if encoder.kernels is None:
        windows = pack(sequences, encoder.max_length)
        return encoder.packed(windows, windows.slots[chosen])
    outputs, rows = [], []
    for group, width in length_groups(sequences):
        asked = chosen[group, -width:]
        outputs.append(encoder(sequences[group, -width:])[asked])
        rows.append(group.repeat_interleave(asked.sum(1)))
    return torch.cat(outputs).index_select(0, torch.cat(rows).argsort(stable=True))


def length_groups(sequences: Tensor) -> list[tuple[Tensor, int]]:
    """Rows of (B, L) windows by length: pairs of row numbers and the width that fits them.

    Rows without any real item are in no group.
    """
    width = sequences.shape[1]
    lengths = (sequences > 0).sum(1)
    limits = [w for w in WIDTHS if w < width] + [width]
    group = torch.bucketize(lengths, torch.tensor(limits))
    rows = [((group == i) & (lengths > 0)).nonzero().squeeze(1) for i in range(len(limits))]
    return [(r, w) for r, w in zip(rows, limits, strict=True) if len(r)]
