"""GRU4Rec: a recurrent network over the history; two losses.

Papers: Hidasi et al., "Session-based Recommendations with Recurrent Neural Networks", ICLR 2016;
Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based
Recommendations", CIKM 2018.
Authors' code: github.com/hidasib/GRU4Rec; in PyTorch: hidasib/GRU4Rec_PyTorch_Official.

Which form a row is (Hidasi & Czapp, "The Effect of Third Party Implementations on Reproducibility",
RecSys 2023, find most ports weaker than the authors' code):

- `loss: bce` (model `gru4rec`) is the form of the ports that baseline tables are made with: one
  uniform negative per position and binary cross-entropy;
- `loss: sampled_ce` (model `gru4rec_ce`) has the loss of the authors' code: cross-entropy against
  many shared negatives, drawn by popularity. It is no port of that code either: 1 to 5 hold for
  both.

Differs from the papers in:

1. Adam over whole histories of at most 50 items, one per user (paper: Adagrad, session-parallel
   batches, truncated after each step).
2. Item vectors of width d, a hidden state of width h and a dense layer back to d, whose output is
   compared with the input table (paper: output table of its own, or h = d with a shared one).
3. Neither the recurrent layer nor the scores have a bias.
4. Dropout on the item vectors only.
5. `sampled_ce`: all negatives are drawn; the other targets of the batch are not added to them. A
   negative that is the target of a position does not count there.
6. `bce`: negatives exclude all items of the user, those of validation and test included, as in the
   other rows with this loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elcrec.data.histories import NegativeSampler
from elcrec.errors import at_least
from elcrec.models.dropout import Dropout
from elcrec.models.interface import Batch, Context, SequenceModel
from elcrec.models.losses import next_item_loss
from elcrec.models.padding import encode_real
from elcrec.models.scores import inner_products


@dataclass(frozen=True)
class Hyperparameters:
    """Hyper-parameters of GRU4Rec."""

    dimension: int = 64
    """Width d of item vectors."""
    hidden: int = 128
    """Width h of the recurrent state."""
    max_length: int = 50
    """Longest window L; longer histories keep their last L items."""
    dropout: float = 0.3
    """Dropout on the item vectors of the input."""
    loss: Literal["bce", "sampled_ce"] = "bce"
    """Binary cross-entropy with one negative per position, or cross-entropy with shared ones."""
    negatives: int = 2048
    """`sampled_ce`: negatives of a step, shared by all its positions."""
    alpha: float = 0.5
    """`sampled_ce`: negatives are drawn in proportion to (training count)^alpha; 0: uniformly."""

    def __post_init__(self) -> None:
        at_least(1, self, "dimension", "hidden", "max_length", "negatives")
        at_least(0, self, "alpha")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")
        if self.loss not in ("bce", "sampled_ce"):
            raise ValueError(f"loss must be bce or sampled_ce, got {self.loss}")


class Model(SequenceModel):
    """Item vectors, GRU, dense layer; parameters: (I + 1) d + 3 h (d + h) + h d + d."""

    parameters_used: Hyperparameters

    def __init__(self, parameters: Hyperparameters, n_users: int, item_size: int) -> None:
        super().__init__(parameters, n_users, item_size)
        # Logits of a softmax have no zero point that items seen before could score.
        self.protocol = None if parameters.loss == "bce" else "strict"
        d, h = parameters.dimension, parameters.hidden
        self.items = nn.Embedding(item_size - 1, d, padding_idx=0)  # no row for the mask
        self.dropout = Dropout(parameters.dropout)
        self.gru = nn.GRU(d, h, bias=False, batch_first=True)
        self.dense = nn.Linear(h, d)
        nn.init.xavier_normal_(self.items.weight)
        for weight in self.gru.parameters():
            nn.init.xavier_uniform_(weight)

    def start_training(self, context: Context) -> None:
        """Make the table that negatives are drawn from."""
        data, p = context.data, self.parameters_used
        if p.loss == "bce":
            self.sampler = NegativeSampler(data, highest=data.n_items)
        else:
            weights = data.training_counts()[1:-1].clamp(min=1).double() ** p.alpha
            self.cumulative = weights.cumsum(0) / weights.sum()  # (I,)

    def batch(self, samples: Tensor, context: Context) -> Batch:
        """Next-item batch; negatives (B, L) for `bce`, (`negatives`,) for `sampled_ce`."""
        data, length, generator = context.data, self.max_length, context.generator
        if self.parameters_used.loss == "bce":
            negatives = self.sampler.draw(samples, length, generator)
        else:
            negatives = self._shared_negatives(generator)
        return Batch(
            users=samples,
            inputs=data.training_inputs(samples, length),
            targets=data.training_targets(samples, length),
            negatives=negatives,
        )

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Mean over all real positions."""
        if self.parameters_used.loss == "sampled_ce":
            hidden, targets = encode_real(self.encode, batch.inputs, batch.targets)
            return {"total": sampled_cross_entropy(hidden, self.items, targets, batch.negatives)}
        hidden, targets, negatives = encode_real(
            self.encode, batch.inputs, batch.targets, batch.negatives
        )
        loss = next_item_loss(hidden, self.items(targets), self.items(negatives), targets > 0)
        return {"total": loss}

    def encode(self, sequences: Tensor) -> Tensor:
        """Output of every item: (B, T) left-padded ids to (B, T, d); padding gives no output."""
        lengths, width = _lengths(sequences), sequences.shape[1]
        outputs = self.dense(self._states(sequences, lengths))
        columns = torch.arange(width, device=sequences.device) - (width - lengths[:, None])
        return _columns(outputs, columns.clamp(min=0))  # back to the right

    def last(self, sequences: Tensor) -> Tensor:
        """Output of the last item: (B, T) left-padded ids to (B, d)."""
        lengths = _lengths(sequences)
        states = self._states(sequences, lengths)
        return self.dense(_columns(states, lengths[:, None] - 1).squeeze(1))

    def _states(self, sequences: Tensor, lengths: Tensor) -> Tensor:
        """States (B, T, h) after the 1st, 2nd … item of each row: what follows its last is void.

        Rows are moved to the left, so the state starts at the first item and never meets padding.
        """
        width = sequences.shape[1]
        columns = torch.arange(width, device=sequences.device) + (width - lengths[:, None])
        moved = sequences.gather(1, columns.clamp(max=width - 1))
        states, _ = self.gru(self.dropout(self.items(moved)))
        return states

    def represent(self, users: Tensor, sequences: Tensor) -> Tensor:
        """Take the output of the last item: (B, d)."""
        return self.last(sequences)

    def score_items(self, represented: Tensor, first: int, last: int) -> Tensor:
        """Inner products with the item table; padding and mask score -inf."""
        return inner_products(represented, self.items.weight[1:], first, last, lowest=1)

    def _shared_negatives(self, generator: torch.Generator) -> Tensor:
        """Draw items by popularity, with replacement: (`negatives`,) ids."""
        uniform = torch.rand(
            self.parameters_used.negatives,
            generator=generator,
            device=self.cumulative.device,
            dtype=torch.float64,
        )
        found = torch.searchsorted(self.cumulative, uniform, right=True)
        return found.clamp_(max=len(self.cumulative) - 1) + 1


def sampled_cross_entropy(
    hidden: Tensor, items: nn.Embedding, targets: Tensor, negatives: Tensor
) -> Tensor:
    """Cross-entropy of the targets against shared negatives, averaged over real targets.

    Args:
        hidden: (..., d) outputs.
        items: Item table.
        targets: (...) ids, 0 at padding.
        negatives: (M,) ids; one that equals a target is left out for that target.

    Returns:
        Scalar: mean of -log(exp(h·t) / (exp(h·t) + sum over the negatives of exp(h·n))).
    """
    real = targets > 0
    positive = (hidden * items(targets)).sum(-1)
    scores = hidden @ items(negatives).T  # (..., M)
    scores = scores.masked_fill(targets[..., None] == negatives, float("-inf"))
    return (F.softplus(scores.logsumexp(-1) - positive) * real).sum() / real.sum()


def _lengths(sequences: Tensor) -> Tensor:
    """Items of each row (B, T), at least one: (B,)."""
    return (sequences > 0).sum(1).clamp(min=1)


def _columns(values: Tensor, columns: Tensor) -> Tensor:
    """Pick (B, n) columns of each row of (B, T, d): (B, n, d)."""
    return values.gather(1, columns[..., None].expand(-1, -1, values.shape[-1]))
