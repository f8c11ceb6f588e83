"""ELCRec that finds the number of its centers by density peaks, repeatedly during training.

Source: Rodriguez & Laio, "Clustering by fast search and find of density peaks" (Science 2014),
named as future work in the paper's A.11. A peak is a user in a dense place far from any denser one:
its density rho and its distance delta to the nearest denser user are both large.

What is ours, where the source inspects a plot:

1. At most 2,000 users are used, evenly spaced; distances are between vectors of unit length; rho is
   a sum of Gaussians whose width is the distance below which 2 % of the pairs lie (source: 1-2 %).
2. Peaks are those whose log of rho times delta lies more than `deviations` standard deviations
   above the mean, but at least two and at most `intents`.
3. Before the first epoch and again every `again` epochs, the peaks become the centers. Adam's
   moments of the centers are kept.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

import elcrec.models.elcrec as elcrec
from elcrec.data.augmentation import Augmenter
from elcrec.data.histories import InteractionData
from elcrec.errors import at_least
from elcrec.models.clustering import fuse, nearest, rows
from elcrec.models.elcm import ELCM
from elcrec.models.interface import Context, Intents

SAMPLE = 2000
"""Most users among which peaks are sought: all pairs of them are compared."""
FEWEST = 2
"""Minimum number of centers: a single one would not distinguish users."""
CLOSE = 0.02
"""Share of the pairs that are closer than the width of the Gaussians."""


@dataclass(frozen=True)
class Hyperparameters(elcrec.Hyperparameters):
    """Hyper-parameters of ELCRec with density peaks; `intents` is the maximum number of centers."""

    again: int = 10
    """Epochs after which the centers are found again."""
    deviations: float = 3.0
    """How far a peak must stand out, in standard deviations."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(1, self, "again")
        at_least(0, self, "deviations")


class SomeELCM(ELCM):
    """The module over the first `count` of its centers; the tensors keep their size."""

    count: Tensor

    @property
    def known(self) -> Tensor:
        """(K, d) centers, with the first one in place of those that are not in use."""
        used = torch.arange(len(self.centers), device=self.centers.device) < self.count
        return torch.where(used[:, None], self.centers, self.centers[:1])

    def forward(self, users: Tensor) -> dict[str, Tensor]:
        """The paper's losses of the users (B, d), over the centers in use."""
        self.normalise()
        mean = (self.known.sum(0) - (len(self.centers) - self.count) * self.known[0]) / self.count
        pull = 2 - 2 * F.normalize(users).mean(0) @ mean
        push = 2 * mean.square().sum() - 2
        return {"cluster": pull + push, "pull": pull, "push": push}

    def intents(self, users: Tensor) -> Tensor:
        """The centers of these users (B, d), with gradient."""
        return rows(self.known, nearest(F.normalize(users), self.known))

    def fuse(self, hidden: Tensor) -> Tensor:
        """Fuse each vector with its nearest center."""
        return fuse(hidden, self.known, self.known, self.fusion)


class Model(elcrec.Model):
    """ELCRec with as many centers as there are peaks."""

    parameters_used: Hyperparameters
    count: Tensor

    def __init__(self, parameters: Hyperparameters, n_users: int, item_size: int) -> None:
        super().__init__(parameters, n_users, item_size)
        self.register_buffer("count", torch.tensor(parameters.intents))

    @property
    def elcm(self) -> SomeELCM:
        """The cluster module over the model's centers."""
        p = self.parameters_used
        found = SomeELCM(p.dimension, p.intents, p.fusion, self.centers)
        found.count = self.count
        return found

    def start_training(self, context: Context) -> None:
        """Make the augmentation tables; the centers are found in the first epoch."""
        self.augmenter = Augmenter(context.data, self.max_length)

    def start_epoch(self, epoch: int, context: Context) -> None:
        """Find the centers, every `again` epochs."""
        if epoch % self.parameters_used.again == 0:
            with context.stopwatch("peaks"), torch.no_grad():
                step = -(-context.data.n_users // SAMPLE)
                users = torch.arange(0, context.data.n_users, step, device=context.data.device)
                points = F.normalize(self.pooled_training_users(context.data, users))
                found = peaks(points, self.parameters_used.deviations)[: len(self.centers)]
                self.centers[: len(found)] = points[found]
                self.count.fill_(len(found))

    def intents(self, data: InteractionData, users: Tensor) -> Intents:
        """Normalised user vectors, the centers in use, and each user's nearest one."""
        vectors = F.normalize(self.pooled_training_users(data, users))
        centers = F.normalize(self.centers.detach())[: int(self.count)]
        return Intents(vectors, centers, nearest(vectors, centers), learned=True)


def peaks(points: Tensor, deviations: float) -> Tensor:
    """Numbers of the points (n, d) that are density peaks, the most outstanding first.

    Args:
        points: Two or more.
        deviations: See point 2 of the module's docstring.
    """
    apart = torch.cdist(points, points)
    pairs = apart[torch.triu(torch.ones_like(apart, dtype=torch.bool), 1)]
    near = pairs.kthvalue(max(1, round(CLOSE * len(pairs)))).values.clamp(min=1e-6)
    density = (-(apart / near).square()).exp().sum(1)
    # Equally dense points are told apart by their number, so that one of them is the denser.
    order = density.argsort(descending=True, stable=True)
    apart = apart[order][:, order]
    denser = torch.ones_like(apart, dtype=torch.bool).tril(-1)
    distance = apart.masked_fill(~denser, torch.inf).min(1).values
    distance[0] = apart[0].max()  # for the densest point, as in the source
    stands_out = (density[order] * distance).clamp(min=1e-12).log()
    ranked = stands_out.argsort(descending=True, stable=True)
    least = stands_out.mean() + deviations * stands_out.std()
    return order[ranked[: max(FEWEST, int((stands_out > least).sum()))]]
