"""BPR-MF: matrix factorisation trained to rank a user's items above the others.

Paper: Rendle et al., "BPR: Bayesian Personalized Ranking from Implicit Feedback", UAI 2009.
Authors' code: MyMediaLite (github.com/zenogantner/MyMediaLite).

Differs from the paper in:

1. Adam on batches (paper: plain stochastic gradient descent, one triple at a time).
2. Every pair is seen once per epoch, in random order (paper: triples drawn with replacement).
3. No item bias (MyMediaLite has one), so that the model is user and item vectors alone.
4. One regularisation constant for users and items (MyMediaLite: three).

The order of a history is not used. Scores are only compared within a user and have no zero point,
so items seen before are excluded: protocol `strict`.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elcrec.data.histories import HELD_OUT, InteractionData, NegativeSampler
from elcrec.data.samples import choose_samples
from elcrec.errors import at_least
from elcrec.models.interface import Batch, Context, SequenceModel
from elcrec.models.scores import inner_products


@dataclass(frozen=True)
class Hyperparameters:
    """Hyper-parameters of BPR-MF."""

    dimension: int = 64
    """Width d of user and item vectors."""
    l2: float = 1e-4
    """Weight of half the squared norms of a triple's three vectors, averaged over the batch."""
    samples_per_epoch: int | None = None
    """Pairs of one epoch, drawn anew for each; null: all pairs."""
    max_length: int = 1
    """Longest window that `score` is given (it is not read)."""

    def __post_init__(self) -> None:
        at_least(1, self, "dimension", "max_length")
        at_least(0, self, "l2")
        if self.samples_per_epoch is not None:
            at_least(1, self, "samples_per_epoch")


class Model(SequenceModel):
    """User·item; parameters: (U + I) d for U users and I items."""

    protocol = "strict"
    parameters_used: Hyperparameters
    chosen: Tensor

    def __init__(self, parameters: Hyperparameters, n_users: int, item_size: int) -> None:
        super().__init__(parameters, n_users, item_size)
        self.users = nn.Embedding(n_users, parameters.dimension)
        self.items = nn.Embedding(item_size - 2, parameters.dimension)  # item i in row i - 1
        nn.init.xavier_uniform_(self.users.weight)
        nn.init.xavier_uniform_(self.items.weight)

    def n_samples(self, data: InteractionData) -> int:
        """All (user, item) pairs of the training items, or `samples_per_epoch` of them."""
        pairs = int(data.training_lengths().sum())
        return min(pairs, self.parameters_used.samples_per_epoch or pairs)

    def start_training(self, context: Context) -> None:
        """List the pairs; an item that occurs twice in a user's history makes two."""
        data = context.data
        lengths = data.training_lengths()
        owners = np.repeat(np.arange(data.n_users), lengths)
        # position in the flat items: start of the user, plus how many pairs of the user came before
        first = data.host_offsets[:-1] - (np.cumsum(lengths) - lengths)
        positions = np.arange(len(owners)) + first[owners]
        self.pair_users = data.tensor(owners)
        self.pair_items = data.items[data.tensor(positions)]
        self.negatives = NegativeSampler(data, highest=data.n_items, held_out=HELD_OUT)

    def start_epoch(self, epoch: int, context: Context) -> None:
        """Choose the pairs of the epoch."""
        count = self.n_samples(context.data)
        self.keep("chosen", choose_samples(len(self.pair_users), count, context.generator))

    def batch(self, samples: Tensor, context: Context) -> Batch:
        """Triples: users (B,), targets (B, 1), negatives (B, 1); no history is read."""
        pairs = self.chosen[samples]
        users = self.pair_users[pairs]
        return Batch(
            users=users,
            inputs=users.new_empty(len(users), 0),
            targets=self.pair_items[pairs, None],
            negatives=self.negatives.draw(users, 1, context.generator),
        )

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """-log sigmoid(positive - negative), averaged, and the weighted penalty."""
        users = self.users(batch.users)  # (B, d)
        items = self.items(torch.cat([batch.targets, batch.negatives], dim=1) - 1)  # (B, 2, d)
        positive, negative = (items * users.unsqueeze(1)).sum(2).unbind(1)
        ranking = -F.logsigmoid(positive - negative).mean()
        squares = users.square().sum() + items.square().sum()
        penalty = self.parameters_used.l2 / 2 * squares / len(users)
        return {"ranking": ranking, "penalty": penalty, "total": ranking + penalty}

    def represent(self, users: Tensor, sequences: Tensor) -> Tensor:
        """Take the users' vectors: (B, d); no history is read."""
        return self.users(users)

    def score_items(self, represented: Tensor, first: int, last: int) -> Tensor:
        """Inner products; padding and mask have no vector and score -inf."""
        return inner_products(represented, self.items.weight, first, last, lowest=1)
