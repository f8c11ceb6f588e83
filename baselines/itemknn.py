"""Item neighbours with recency: recent items recommend the items that co-occur with them.

Papers: Sarwar et al., "Item-based Collaborative Filtering Recommendation Algorithms" (WWW 2001),
for the cosine between items; Ludewig & Jannach, "Evaluation of Session-based Recommendation
Algorithms" (UMUAI 2018), for the weight that falls with an item's distance from the end of the
history.

The similarity of items i and j is c_ij / (sqrt(c_i c_j) + s), with c_ij the number of users with
both among their training items, c_i that of users with i, and a shrinkage s that keeps pairs seen
once or twice from looking certain. Only each item's nearest neighbours count. The score of an item
is the sum of its similarities to the items of the history, each times decay^(distance from the
end).

Scores have no zero point: items seen before are excluded under `paper`, too.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from elcrec.data.histories import InteractionData
from elcrec.data.matrix import training_matrix
from elcrec.errors import at_least
from elcrec.models.interface import Context, RankingProtocol, SequenceModel


@dataclass(frozen=True)
class Hyperparameters:
    """Hyper-parameters of the item neighbours."""

    neighbors: int = 100
    """Number of nearest items that each item recommends."""
    shrinkage: float = 10.0
    """s above; it lowers the similarity of rare pairs most."""
    decay: float = 0.8
    """Weight of an item in the history relative to the one after it; 1: order does not matter."""
    max_length: int = 50
    """Number of most recent items of a history that count."""

    def __post_init__(self) -> None:
        at_least(1, self, "neighbors", "max_length")
        at_least(0, self, "shrinkage")
        if not 0 < self.decay <= 1:
            raise ValueError(f"decay must be above 0 and at most 1, got {self.decay!r}")


class Model(SequenceModel):
    """A list of neighbours for every item."""

    parameters_used: Hyperparameters
    protocol: RankingProtocol = "strict"
    neighbors: Tensor
    similarity: Tensor

    def __init__(self, parameters: Hyperparameters, n_users: int, item_size: int) -> None:
        super().__init__(parameters, n_users, item_size)
        width = min(parameters.neighbors, item_size)
        self.register_buffer("neighbors", torch.zeros(item_size, width, dtype=torch.int64))
        self.register_buffer("similarity", torch.zeros(item_size, width))

    def n_samples(self, data: InteractionData) -> int:
        """No training steps."""
        return 0

    def start_training(self, context: Context) -> None:
        """Count co-occurrences, and keep each item's nearest neighbours."""
        with context.stopwatch("training"):
            matrix = training_matrix(context.data)
            together = (matrix.T @ matrix).tocsr()
            norms = np.sqrt(together.diagonal())
            together.setdiag(0)
            together.eliminate_zeros()
            together.sort_indices()  # ties go to the first item
            ids, similarity = self._nearest(together, norms)
            self.neighbors.copy_(torch.from_numpy(ids))
            self.similarity.copy_(torch.from_numpy(similarity))

    def _nearest(
        self, together: sparse.csr_array, norms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Ids and similarities of each item's neighbours, (item_size, width); 0 fills the rest."""
        ids = np.zeros(self.neighbors.shape, dtype=np.int64)
        similarity = np.zeros(self.similarity.shape, dtype=np.float32)
        width = ids.shape[1]
        for item in range(self.item_size):
            row = slice(together.indptr[item], together.indptr[item + 1])
            others = together.indices[row]
            cosine = together.data[row] / (
                norms[item] * norms[others] + self.parameters_used.shrinkage
            )
            best = np.argsort(-cosine, kind="stable")[:width]
            ids[item, : len(best)] = others[best]
            similarity[item, : len(best)] = cosine[best]
        return ids, similarity

    def represent(self, users: Tensor, sequences: Tensor) -> Tensor:
        """The scores of all items: (B, item_size)."""
        length = sequences.shape[1]
        distance = torch.arange(length - 1, -1, -1, device=sequences.device)
        weights = self.parameters_used.decay**distance * (sequences > 0)  # (B, T)
        scores = self.similarity.new_zeros(len(sequences), self.item_size)
        shares = weights[..., None] * self.similarity[sequences]  # (B, T, neighbours)
        return scores.scatter_add_(
            1, self.neighbors[sequences].flatten(1), shares.flatten(1).to(scores.dtype)
        )

    def score_items(self, represented: Tensor, first: int, last: int) -> Tensor:
        """A slice of the scores."""
        return represented[:, first:last].clone()  # a copy: it may be changed
