"""ELCRec with centers that follow their users by momentum instead of gradients.

Named as future work in the paper's A.11, without a formula; the form is ours, that of the codebook
of van den Oord et al., "Neural Discrete Representation Learning" (NeurIPS 2017), appendix A.1.

Differs from `elcrec.models.elcrec` in:

1. In each step, after the centers are normalised, a center with users in the batch becomes
   `momentum` times itself plus the rest times the mean of these users, and is normalised again. A
   center without users stays where it is.
2. No gradient reaches the centers. The cluster loss has a gradient for the users only.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

import elcrec.models.elcrec as elcrec
from elcrec.models.clustering import nearest
from elcrec.models.elcm import ELCM
from variants.fixed import fix_centers


@dataclass(frozen=True)
class Hyperparameters(elcrec.Hyperparameters):
    """Hyper-parameters of ELCRec with momentum."""

    momentum: float = 0.99
    """Share of a center that is kept in a step."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum must be in [0, 1), got {self.momentum}")


class MovedELCM(ELCM):
    """Centers that move, in training mode, before the losses see them."""

    momentum: float = 0.99

    def forward(self, users: Tensor) -> dict[str, Tensor]:
        """Move the centers, then compute the losses of the users (B, d)."""
        self.normalise()
        if self.training:
            self.centers.copy_(moved(self.centers, F.normalize(users.detach()), self.momentum))
        return super().forward(users)


class Model(elcrec.Model):
    """ELCRec whose centers follow their users."""

    parameters_used: Hyperparameters

    def __init__(self, parameters: Hyperparameters, n_users: int, item_size: int) -> None:
        super().__init__(parameters, n_users, item_size)
        fix_centers(self)

    @property
    def elcm(self) -> MovedELCM:
        """The cluster module over the buffer."""
        p = self.parameters_used
        found = MovedELCM(p.dimension, p.intents, p.fusion, self.centers)
        found.momentum = p.momentum
        return found.train(self.training)


@torch.no_grad()
def moved(centers: Tensor, users: Tensor, momentum: float) -> Tensor:
    """Centers (K, d) after a step with users (B, d), all of unit length."""
    assigned = nearest(users, centers)
    sums = torch.zeros_like(centers).index_add_(0, assigned, users)
    counts = centers.new_zeros(len(centers), 1)
    counts.index_add_(0, assigned, counts.new_ones(len(users), 1))
    mean = sums / counts.clamp(min=1)
    return F.normalize(torch.where(counts > 0, momentum * centers + (1 - momentum) * mean, centers))
