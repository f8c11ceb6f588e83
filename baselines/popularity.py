"""Popularity: every user gets the items with the most interactions in the training part.

No paper: the floor that every learned model should beat. Counts are those of the training items
(all but each user's last two), so nothing of validation or test is seen.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from elcrec.data.histories import InteractionData
from elcrec.errors import at_least
from elcrec.models.interface import Context, SequenceModel


@dataclass(frozen=True)
class Hyperparameters:
    """Popularity has none; the window only tells the evaluator how much history to pass."""

    max_length: int = 50
    """Longest window that `score` is given (it is not read)."""

    def __post_init__(self) -> None:
        at_least(1, self, "max_length")


class Model(SequenceModel):
    """Counts of the training items; nothing is learned."""

    counts: Tensor

    def __init__(self, parameters: Hyperparameters, n_users: int, item_size: int) -> None:
        super().__init__(parameters, n_users, item_size)
        self.register_buffer("counts", torch.zeros(item_size))

    def n_samples(self, data: InteractionData) -> int:
        """No training steps."""
        return 0

    def start_training(self, context: Context) -> None:
        """Count every user's items but the last two."""
        data = context.data
        # Ties go to the item that appeared first, so that ranks are well defined.
        order = torch.arange(self.item_size, device=data.device) / self.item_size
        self.counts.copy_(data.training_counts() - order / 2)

    def represent(self, users: Tensor, sequences: Tensor) -> Tensor:
        """Nothing about the users is needed: (B, 0)."""
        return self.counts.new_empty(len(users), 0)

    def score_items(self, represented: Tensor, first: int, last: int) -> Tensor:
        """The same counts for every user."""
        return self.counts[first:last].repeat(len(represented), 1)  # a copy: it may be changed
