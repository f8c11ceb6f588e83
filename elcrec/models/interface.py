"""The model interface: the base class that the training loop, evaluator and tests rely on.

A new model subclasses `SequenceModel`, names its `Hyperparameters` (a frozen dataclass) and writes
`loss`, `represent` and `score_items`; everything else has a default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from elcrec.data.histories import InteractionData
from elcrec.data.repeats import RankingProtocol as RankingProtocol
from elcrec.errors import InputError
from elcrec.usage import Stopwatch


@dataclass(frozen=True)
class Context:
    """What a run passes to a model's hooks."""

    data: InteractionData
    generator: torch.Generator
    """Random generator for sampling, on the device of the data."""
    seed: int
    stopwatch: Stopwatch
    """Times phases separately, e.g. `with context.stopwatch("kmeans"):`."""


@dataclass(frozen=True)
class Batch:
    """One training batch; B users, windows of L positions, ids left-padded with 0."""

    users: Tensor
    """(B,) user numbers."""
    inputs: Tensor
    """(B, L) training inputs."""
    targets: Tensor
    """(B, L) the next item of each position, 0 at padding."""
    negatives: Tensor
    """(B, L) sampled items that the user never interacted with."""
    views: Tensor | None = None
    """(2, B, L) augmented inputs, for models with contrastive losses."""


class SequenceModel(nn.Module):
    """Base class of all models; items are numbered from 1, `item_size` = items + 2."""

    protocol: RankingProtocol | None = None
    """How items seen before are ranked, e.g. `strict` for a model whose scores have no zero point;
    None: by the run's protocol. A run with the protocol `repeats` ignores this."""

    def __init__(self, parameters: Any, n_users: int, item_size: int) -> None:
        """Keep the hyper-parameters; subclasses build their layers.

        Args:
            parameters: The model's `Hyperparameters`.
            n_users: Number of users.
            item_size: Rows of an item table: padding (0), items 1 …, mask token (last).
        """
        super().__init__()
        self.parameters_used = parameters
        self.n_users = n_users
        self.item_size = item_size

    @property
    def max_length(self) -> int:
        """Longest window L that `score` is given."""
        return int(self.parameters_used.max_length)

    def ranked_by(self, protocol: RankingProtocol) -> RankingProtocol:
        """The ranking protocol that applies to the model in a run with `protocol`."""
        return protocol if protocol == "repeats" else self.protocol or protocol

    def n_samples(self, data: InteractionData) -> int:
        """Number of training samples that make one epoch: by default one per user."""
        return data.n_users

    def load_start(self, state: Mapping[str, Tensor]) -> None:
        """Load weights of the model that the YAML file names as `starts_from`.

        Raises:
            InputError: They do not fit, or this model always starts from random weights.
        """
        raise InputError("is given as a start to a model that cannot start from other weights")

    @torch.no_grad()
    def keep(self, name: str, value: Tensor) -> None:
        """Set a tensor attribute, in place if it keeps its shape, type and device.

        A step that was captured in a CUDA graph (`elcrec.training.graph`) keeps reading its
        tensors at the addresses they had then, so `start_epoch` calls
        `self.keep("chosen", tensor)` instead of assigning a new tensor. `value` is copied; its
        shape, type and device should not change.
        """
        current = getattr(self, name, None)
        if isinstance(current, Tensor) and (
            (current.shape, current.dtype, current.device)
            == (value.shape, value.dtype, value.device)
        ):
            current.copy_(value)
        else:
            setattr(self, name, value.clone())

    def run_state(self) -> dict[str, Tensor]:
        """State other than weights that lasts from epoch to epoch; checkpoints include it."""
        return {}

    def load_run_state(self, state: dict[str, Tensor]) -> None:
        """Restore what `run_state` returned; `start_training` has already run."""

    def intents(self, data: InteractionData, users: Tensor) -> Intents | None:
        """Intents of these users (B,), from their training inputs; None if the model has none."""
        return None

    def start_training(self, context: Context) -> None:
        """Hook before the first epoch."""

    def start_epoch(self, epoch: int, context: Context) -> None:
        """Hook before each epoch, counted from 0; refill tensors in place, see `keep`."""

    def batch(self, samples: Tensor, context: Context) -> Any:
        """Make the batch of the samples (B,) drawn for a step: by default next-item training."""
        data, length = context.data, self.max_length
        return Batch(
            users=samples,
            inputs=data.training_inputs(samples, length),
            targets=data.training_targets(samples, length),
            negatives=data.negatives(samples, length, context.generator),
        )

    def loss(self, batch: Any) -> dict[str, Tensor]:
        """Return named scalar terms; `total` is the one that is minimised."""
        raise NotImplementedError

    def represent(self, users: Tensor, sequences: Tensor) -> Tensor:
        """Compute what scoring needs for each user, e.g. the encoder's last output.

        Args:
            users: (B,) user numbers.
            sequences: (B, T) known items, left-padded, T <= `max_length`; the last one is real.

        Returns:
            (B, ...); a row must not depend on the other rows or on the padding.
        """
        raise NotImplementedError

    def score_items(self, represented: Tensor, first: int, last: int) -> Tensor:
        """Score the item rows `first` … `last` - 1; the evaluator requests all in chunks.

        Args:
            represented: (B, ...) rows that `represent` returned, for any users.
            first: First row.
            last: One past the last row, at most `item_size`.

        Returns:
            (B, last - first) scores, in a tensor that the caller may modify.
        """
        raise NotImplementedError

    def score(self, users: Tensor, sequences: Tensor) -> Tensor:
        """Score all items at once: (B,) users with their (B, T) known items to (B, item_size)."""
        return self.score_items(self.represent(users, sequences), 0, self.item_size)


@dataclass(frozen=True)
class Intents:
    """Users and the centers that they are assigned to; n users, K centers."""

    users: Tensor
    """(n, d) vectors, as the model clusters them."""
    centers: Tensor
    """(K, d) centers of unit length."""
    assigned: Tensor
    """(n,) nearest center of each user."""
    learned: bool
    """Whether the centers are trained by the cluster loss."""
