"""ELCRec with the losses weighted by learned uncertainty instead of by hand.

Source: Kendall, Gal & Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses for Scene
Geometry and Semantics" (CVPR 2018), named in the paper's A.9: a loss L with log variance s counts
exp(-s) L + s / 2, and s is learned with the network.

What is ours:

1. The weights start at those of ELCRec (s = -log of them); a loss of weight 0 is left out.
2. The cluster loss goes down to -1/2 (it is 2|m|² - 2 b·m with |b| at most 1), and a likelihood
   below 0 would let its weight grow without end; it counts with 1 added, so that its weight
   does not exceed 1 at the optimum.
"""

import torch
from torch import Tensor, nn

import elcrec.models.elcrec as elcrec
from elcrec.models.interface import Batch

Hyperparameters = elcrec.Hyperparameters
RAISED = {"cluster": 1.0}
"""What is added to losses that may be negative."""


class Model(elcrec.Model):
    """ELCRec; total = sum of exp(-s) loss + s / 2. History: `loss_weight_<name>` is exp(-s)."""

    def __init__(self, parameters: Hyperparameters, n_users: int, item_size: int) -> None:
        super().__init__(parameters, n_users, item_size)
        weights = {
            "next_item": 1.0,
            "instance": parameters.instance_weight,
            "intent": parameters.intent_weight,
            "cluster": parameters.alpha,
        }
        self.weighted = [name for name, weight in weights.items() if weight]
        start = torch.tensor([weights[name] for name in self.weighted])
        self.log_variances = nn.Parameter(-start.log())

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """All terms of one step."""
        terms = super().loss(batch)
        weights = (-self.log_variances).exp()
        losses = torch.stack([terms[name] + RAISED.get(name, 0.0) for name in self.weighted])
        terms["total"] = weights @ losses + 0.5 * self.log_variances.sum()
        named = zip(self.weighted, weights.detach().unbind(), strict=True)
        return terms | {f"weight_{name}": weight for name, weight in named}
