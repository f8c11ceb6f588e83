"""EASE: a linear item-to-item model with a closed-form solution and no training steps.

Paper: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data" (WWW 2019), Eq. 8. The author
published his code in the paper (Algorithm 1).

The score of an item is the sum of its weights from every item of the history: B = I - P / diag(P)
columnwise, with P = (XᵀX + λI)⁻¹ and X the binary (users, items) matrix of the training items. A
weight from an item to itself is 0, so no item explains itself.

Differs from the paper in:

1. A user is scored from the last `max_length` items, as in every model here.
2. Scores have no zero point: items seen before are excluded under `paper`, too.
"""

from dataclasses import dataclass

import torch
from scipy import sparse
from torch import Tensor

from elcrec.data.histories import InteractionData
from elcrec.data.matrix import training_matrix
from elcrec.errors import InputError, at_least
from elcrec.models.interface import Context, RankingProtocol, SequenceModel

MOST_ITEMS = 40_000
"""Largest table size for which (items, items) weights are made: 6.4 GB in single precision."""


@dataclass(frozen=True)
class Hyperparameters:
    """Hyper-parameters of EASE."""

    l2: float = 500.0
    """Strength λ of the L2 penalty on the weights."""
    max_length: int = 500
    """Number of most recent items of a history that count."""

    def __post_init__(self) -> None:
        at_least(1, self, "max_length")
        if self.l2 <= 0:
            raise ValueError(f"l2 must be above 0, got {self.l2!r}")


class Model(SequenceModel):
    """Item-to-item weights; a history is the sum of its items' rows."""

    parameters_used: Hyperparameters
    protocol: RankingProtocol = "strict"
    weights: Tensor

    def __init__(self, parameters: Hyperparameters, n_users: int, item_size: int) -> None:
        super().__init__(parameters, n_users, item_size)
        if item_size > MOST_ITEMS:
            raise InputError(
                f"{item_size - 2} items; allowed: at most {MOST_ITEMS - 2}, because the "
                "weights of all pairs are held in memory"
            )
        self.register_buffer("weights", torch.zeros(item_size, item_size))

    def n_samples(self, data: InteractionData) -> int:
        """No training steps."""
        return 0

    def start_training(self, context: Context) -> None:
        """Solve for the weights; in double precision, because XᵀX is nearly singular."""
        with context.stopwatch("training"):
            matrix = training_matrix(context.data).astype("float64")
            together = sparse.csr_array(matrix.T @ matrix)
            gram = context.data.tensor(together.toarray())  # (item_size, item_size)
            gram.diagonal().add_(self.parameters_used.l2)
            inverse = torch.cholesky_inverse(torch.linalg.cholesky(gram))
            del gram
            inverse.div_(-inverse.diagonal().clone())  # column by column
            inverse.fill_diagonal_(0.0)
            self.weights.copy_(inverse)

    def represent(self, users: Tensor, sequences: Tensor) -> Tensor:
        """Which items each history has: (B, item_size) of 0 and 1."""
        had = self.weights.new_zeros(len(sequences), self.item_size)
        had.scatter_(1, sequences, 1.0)
        had[:, 0] = 0.0  # padding
        return had

    def score_items(self, represented: Tensor, first: int, last: int) -> Tensor:
        """Sum of the weights from the items of each history."""
        return represented @ self.weights[:, first:last]
