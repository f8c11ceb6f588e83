"""Caser: convolutions over the last few items, and a user vector.

Paper: Tang & Wang, "Personalized Top-N Sequential Recommendation via Convolutional Sequence
Embedding", WSDM 2018.
Authors' code: github.com/graytowne/caser_pytorch.

Follows the authors' PyTorch code (width 64 instead of 50), and so differs from the paper in:

1. Three negatives per window, whatever its number of targets (paper: per target).
2. Positive and negative terms are averaged separately (paper: summed over all targets).
3. The vertical filters carry a bias, and are shared by all windows as in the paper.
4. A user with fewer than L + T training items gives one window, padded on the left; its targets are
   the last T items, so earlier ones are inputs only. The padding row of the item table is an
   ordinary, trained row.

Two things are ours: targets that are padding (fewer than T training items) do not count, and
neither padding nor mask can be recommended.

Its logits have no zero point: they fall during training, and the score 0 that the released ELCRec
code gives to items seen before would rank these first. So they are excluded: protocol `strict`.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elcrec.data.histories import HELD_OUT, InteractionData, NegativeSampler
from elcrec.data.samples import choose_samples
from elcrec.errors import at_least
from elcrec.models.dropout import Dropout
from elcrec.models.interface import Batch, Context, SequenceModel
from elcrec.models.linear import Linear, linear
from elcrec.models.scores import inner_products

LONGEST_IN_ONE_PRODUCT = 8
"""Longest window whose horizontal filters are computed as one matrix product, in which each filter
at each position is a row padded with zeros: about twice the multiplications, but less time."""


@dataclass(frozen=True)
class Hyperparameters:
    """Hyper-parameters of Caser."""

    dimension: int = 64
    """Width d of user and item vectors."""
    max_length: int = 5
    """Number L of items in a window that are the input."""
    targets: int = 3
    """Number T of items after the input that are predicted."""
    horizontal_filters: int = 16
    """Filters of each height 1 … L, over whole item vectors."""
    vertical_filters: int = 4
    """Filters over the L positions, the same for all d coordinates."""
    dropout: float = 0.5
    """Dropout on the outputs of the filters."""
    negatives: int = 3
    """Sampled negatives per window, none of them a training item of the user."""
    samples_per_epoch: int | None = None
    """Windows of one epoch, drawn anew for each; null: all windows."""

    def __post_init__(self) -> None:
        at_least(1, self, "dimension", "max_length", "targets", "negatives")
        at_least(1, self, "horizontal_filters", "vertical_filters")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")
        if self.samples_per_epoch is not None:
            at_least(1, self, "samples_per_epoch")


class Model(SequenceModel):
    """Convolutions, a dense layer and an output table of its own.

    Parameters, for U users, I items, H horizontal filters per height and V vertical filters:
    U d (users) + (I + 1) d (items and padding) + H (d L (L + 1) / 2 + L) + V (L + 1) (filters)
    + (V d + H L) d + d (dense) + (I + 1)(2 d + 1) (output).
    """

    parameters_used: Hyperparameters
    protocol = "strict"
    chosen: Tensor

    def __init__(self, parameters: Hyperparameters, n_users: int, item_size: int) -> None:
        super().__init__(parameters, n_users, item_size)
        p, d, length = parameters, parameters.dimension, parameters.max_length
        rows = item_size - 1  # padding and items; the mask has none
        self.users = nn.Embedding(n_users, d)
        self.items = nn.Embedding(rows, d)
        self.horizontal = nn.ModuleList(
            nn.Conv1d(d, p.horizontal_filters, height) for height in range(1, length + 1)
        )
        self.vertical = nn.Linear(length, p.vertical_filters)
        self.dropout = Dropout(p.dropout)
        self.dense = Linear(p.vertical_filters * d + p.horizontal_filters * length, d)
        self.output = nn.Embedding(rows, 2 * d)
        self.output_bias = nn.Embedding(rows, 1)
        for table in (self.users, self.items, self.output):
            nn.init.normal_(table.weight, std=1 / table.embedding_dim)
        nn.init.zeros_(self.output_bias.weight)

    def n_samples(self, data: InteractionData) -> int:
        """All windows of all users, or `samples_per_epoch` of them."""
        windows = int(self._windows_per_user(data).sum())
        return min(windows, self.parameters_used.samples_per_epoch or windows)

    def start_training(self, context: Context) -> None:
        """List the windows: whose they are and where they end."""
        data = context.data
        counts = self._windows_per_user(data)
        owners = np.repeat(np.arange(data.n_users), counts)
        # The last window of a user ends with the last training item, the others before it.
        later = np.arange(len(owners)) - (np.cumsum(counts) - counts)[owners]
        stops = data.host_offsets[1:][owners] - HELD_OUT - later
        self.window_users = data.tensor(owners)
        self.window_stops = data.tensor(stops)
        self.sampler = NegativeSampler(data, highest=data.n_items, held_out=HELD_OUT)

    def start_epoch(self, epoch: int, context: Context) -> None:
        """Choose the windows of the epoch."""
        count = self.n_samples(context.data)
        self.keep("chosen", choose_samples(len(self.window_users), count, context.generator))

    def batch(self, samples: Tensor, context: Context) -> Batch:
        """Windows: users (B,), inputs (B, L), targets (B, T), negatives (B, `negatives`)."""
        p, data = self.parameters_used, context.data
        windows = self.chosen[samples]
        users = self.window_users[windows]
        ids = data.windows(data.starts[users], self.window_stops[windows], p.max_length + p.targets)
        return Batch(
            users=users,
            inputs=ids[:, : p.max_length],
            targets=ids[:, p.max_length :],
            negatives=self.sampler.draw(users, p.negatives, context.generator),
        )

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Binary cross-entropy: mean over real targets, plus mean over negatives."""
        ids = torch.cat([batch.targets, batch.negatives], dim=1)  # (B, T + negatives)
        hidden = self.encode(batch.users, batch.inputs)  # (B, 2d)
        scores = (self.output(ids) * hidden.unsqueeze(1)).sum(2) + self.output_bias(ids).squeeze(2)
        positive, negative = scores.split([batch.targets.shape[1], batch.negatives.shape[1]], dim=1)
        real = batch.targets > 0
        targets = -(F.logsigmoid(positive) * real).sum() / real.sum()
        negatives = -F.logsigmoid(-negative).mean()
        return {"targets": targets, "negatives": negatives, "total": targets + negatives}

    def encode(self, users: Tensor, windows: Tensor) -> Tensor:
        """Map users (B,) and their last items (B, L) to (B, 2d)."""
        x = self.items(windows)  # (B, L, d)
        positions = x.transpose(0, 1).flatten(1)  # (L, B d): one product instead of B tiny ones
        vertical = self.vertical.weight @ positions + self.vertical.bias[:, None]  # (V, B d)
        vertical = vertical.view(-1, *x[:, 0].shape).transpose(0, 1).flatten(1)  # (B, V d)
        # `max` and not `amax`, whose gradient takes twice as long.
        horizontal = [outputs.max(1).values for outputs in self._horizontal(x)]  # each (B, H)
        features = self.dropout(torch.cat([vertical, F.relu(torch.cat(horizontal, 1))], dim=1))
        return torch.cat([F.relu(self.dense(features)), self.users(users)], dim=1)

    def _horizontal(self, x: Tensor) -> list[Tensor]:
        """Outputs of the filters of each height on items (B, L, d): (B, positions, H) each."""
        _, length, d = x.shape
        if length > LONGEST_IN_ONE_PRODUCT:
            return [filters(x.transpose(1, 2)).transpose(1, 2) for filters in self.horizontal]
        rows, biases, sizes = [], [], []
        for filters in self.horizontal:
            assert isinstance(filters, nn.Conv1d)
            assert filters.bias is not None
            weight = filters.weight.transpose(1, 2).flatten(1)  # (H, height d)
            free = length * d - weight.shape[1]
            rows += [F.pad(weight, (at, free - at)) for at in range(0, free + 1, d)]
            sizes.append((free // d + 1) * len(weight))
            biases.append(filters.bias.repeat(free // d + 1))
        outputs = linear(x.flatten(1), torch.cat(rows), torch.cat(biases)).split(sizes, 1)
        return [o.unflatten(1, (-1, self.parameters_used.horizontal_filters)) for o in outputs]

    def represent(self, users: Tensor, sequences: Tensor) -> Tensor:
        """Encode the last L items with the user's vector: (B, 2d)."""
        length = self.max_length
        windows = F.pad(sequences, (max(0, length - sequences.shape[1]), 0))[:, -length:]
        return self.encode(users, windows)

    def score_items(self, represented: Tensor, first: int, last: int) -> Tensor:
        """Output table and bias; padding and mask score -inf."""
        table, bias = self.output.weight[1:], self.output_bias.weight[1:, 0]
        return inner_products(represented, table, first, last, lowest=1, bias=bias)

    def _windows_per_user(self, data: InteractionData) -> np.ndarray:
        """Windows of each user (U,): at least one, if there is a training item."""
        known = data.training_lengths()
        width = self.parameters_used.max_length + self.parameters_used.targets
        return np.where(known > 0, np.maximum(known - width + 1, 1), 0)
