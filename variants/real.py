"""ELCRec that pools and flattens real positions only.

Differs from `elcrec.models.elcrec` in its point 2 only: padding, and masked items of a view, add
nothing to pooled vectors or flattened views, and no center is fused into them. So they need not be
encoded either: on the CPU windows are cut as in `elcrec.models.padding`.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

import elcrec.models.elcrec as elcrec
import elcrec.models.padding as padding
from elcrec.models.elcm import ELCM
from elcrec.models.transformer import TransformerModel

Hyperparameters = elcrec.Hyperparameters


class RealPositions(TransformerModel):
    """Outputs are 0 where there is no item, and pooled over the items."""

    def encode(self, sequences: Tensor) -> Tensor:
        """Encode windows (N, L), each with an item, to (N, L, d); 0 where there is no item."""
        real = sequences > 0
        if not padding.cuts_padding(sequences):
            return self.encoder(sequences) * real.unsqueeze(-1)
        length = sequences.shape[1]
        # From the first item on: views have gaps after it, where an item is masked.
        groups = padding.length_groups(real.long().cummax(1).values)
        encoded = [
            F.pad(self.encoder(sequences[rows, -width:]), (0, 0, length - width, 0))
            for rows, width in groups
        ]
        order = torch.cat([rows for rows, _ in groups]).argsort()
        return torch.cat(encoded)[order] * real.unsqueeze(-1)

    def pool(self, hidden: Tensor, sequences: Tensor) -> Tensor:
        """Mean over the items of (..., L) windows of their outputs (..., L, d): (..., d)."""
        return hidden.sum(-2) / (sequences > 0).sum(-1, keepdim=True)


class RealELCM(ELCM):
    """Fuses no center where there is no item."""

    def fuse(self, hidden: Tensor) -> Tensor:
        """Fuse each vector that is not 0 with its nearest center: (..., d) to (..., d or 2d)."""
        return where_real(hidden, super().fuse(hidden))


class Model(RealPositions, elcrec.Model):
    """ELCRec on real positions."""

    @property
    def elcm(self) -> RealELCM:
        """The cluster module over the model's centers."""
        p = self.parameters_used
        return RealELCM(p.dimension, p.intents, p.fusion, self.centers)


def where_real(hidden: Tensor, fused: Tensor) -> Tensor:
    """The fused vectors (..., d'), but 0 where the output (..., d) is 0, as at padding."""
    return fused * (hidden != 0).any(-1, keepdim=True)
