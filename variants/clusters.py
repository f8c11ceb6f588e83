"""ELCRec with another cluster loss, and with centers that are not learned.

Why another loss: with all vectors of unit length the paper's is 2|m|² - 2 b·m, with m the mean
center and b the mean user. Its gradient is the same vector for every center, so it moves their mean
and pushes no two of them apart (docs/study.md).

`term` takes its place, with the same weight alpha:

- `nearest`: as the paper's, but each user is pulled only to its own center.
- `decorrelation`: that pull, and the mean squared cosine of pairs of centers.
- `softmax`: minus the mutual information of users and centers, from a softmax over the cosines:
  mean entropy of the users' distributions minus entropy of their mean (Krause et al.,
  "Discriminative Clustering by Regularized Information Maximization", NIPS 2010). It is lowest when
  each user clearly belongs to one center and all centers have equally many users.
- `paper`: the paper's loss.

`centers` says where they come from: `learned` from k-means, `frozen` at k-means of the untrained
encoder, or fixed `random` directions, which do not depend on the data.
"""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor
from torch.nn import functional as F

import elcrec.models.elcrec as elcrec
from elcrec.data.augmentation import Augmenter
from elcrec.models.elcm import ELCM
from elcrec.models.interface import Context
from variants.fixed import fix_centers

Term = Literal["paper", "nearest", "decorrelation", "softmax"]


@dataclass(frozen=True)
class Hyperparameters(elcrec.Hyperparameters):
    """Hyper-parameters of ELCRec with another clustering."""

    term: Term = "paper"
    """The cluster loss."""
    centers: Literal["learned", "frozen", "random"] = "learned"
    """Where the centers come from, and whether they move."""
    temperature: float = 0.1
    """Divides the cosines in the softmax."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.temperature <= 0:
            raise ValueError(f"temperature must be above 0, got {self.temperature}")


class TermELCM(ELCM):
    """The module with one of the losses of `Term`."""

    term: Term = "paper"
    temperature: float = 0.1

    def forward(self, users: Tensor) -> dict[str, Tensor]:
        """The losses of the users (B, d), as in `ELCM`; `cluster` is that of the term."""
        found = super().forward(users)  # normalises the centers
        cosines = F.normalize(users) @ self.centers.T  # (B, K)
        if self.term == "softmax":
            found["cluster"] = -information(cosines / self.temperature)
        elif self.term != "paper":
            found["pull"] = 2 - 2 * cosines.max(1).values.mean()  # squared distance to the nearest
            if self.term == "decorrelation":
                found["push"] = mean_squared_cosine(self.centers)
            found["cluster"] = found["pull"] + found["push"]
        return found


class Model(elcrec.Model):
    """ELCRec with the clustering that the hyper-parameters name."""

    parameters_used: Hyperparameters

    def __init__(self, parameters: Hyperparameters, n_users: int, item_size: int) -> None:
        super().__init__(parameters, n_users, item_size)
        if parameters.centers != "learned":
            fix_centers(self)

    @property
    def elcm(self) -> TermELCM:
        """The cluster module over the model's centers."""
        p = self.parameters_used
        found = TermELCM(p.dimension, p.intents, p.fusion, self.centers)
        found.term, found.temperature = p.term, p.temperature
        return found

    def start_training(self, context: Context) -> None:
        """As in ELCRec; random centers exist already and are only normalised."""
        if self.parameters_used.centers == "random":
            self.augmenter = Augmenter(context.data, self.max_length)
            self.elcm.normalise()
        else:
            super().start_training(context)


def information(logits: Tensor) -> Tensor:
    """Mutual information in nats of rows and columns of a softmax over (B, K) logits: a scalar."""
    shares = logits.softmax(1)
    mean = shares.mean(0)
    of_rows = (shares * logits.log_softmax(1)).sum(1).mean()
    return of_rows - (mean * mean.clamp(min=1e-12).log()).sum()


def mean_squared_cosine(centers: Tensor) -> Tensor:
    """Mean squared cosine of all pairs of different centers (K, d) of unit length: a scalar."""
    count = len(centers)
    products = (centers.T @ centers).square().sum()  # as from (K, K), but small
    return (products - count) / max(1, count * (count - 1))
