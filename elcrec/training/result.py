"""What a training is told and what it leaves behind."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from elcrec.training.deadline import Deadline
from elcrec.training.precision import Precision

Report = Callable[[dict[str, float]], None]


@dataclass
class Result:
    """What a training run found out."""

    best_epoch: int = 0
    """Epoch (from 1) whose weights were tested."""
    history: list[dict[str, float]] = field(default_factory=list)
    """One row per epoch: epoch, mean loss terms, validation metrics, seconds per phase."""
    ranks: dict[str, np.ndarray] = field(default_factory=dict)
    """0-based ranks per user, (users,), of `valid` and `test` with the best weights."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall-clock seconds: total, training, validation, kmeans, test."""
    weights: dict[str, Tensor] = field(default_factory=dict)
    """State of the model at the best epoch."""
    run_state: dict[str, Tensor] = field(default_factory=dict)
    """What is no weight, likewise: see `SequenceModel.run_state`."""
    intents: dict[str, np.ndarray] = field(default_factory=dict)
    """What users and intents looked like: see `elcrec.training.intents`."""
    resumed_after: list[int] = field(default_factory=list)
    """Epochs whose checkpoint an interrupted training went on from."""


class Checkpoints(Protocol):
    """Where a training goes on from, and where it writes how far it has come."""

    def load(self) -> dict[str, Any] | None:
        """Read the newest state; None when there is none."""

    def save(self, epoch: int, state: dict[str, Any]) -> None:
        """Write the state after an epoch."""

    def due(self) -> bool:
        """Whether it is time to write one."""


@dataclass(frozen=True)
class Options:
    """How a training is done and what it leaves behind; the protocol does not ask."""

    report: Report = lambda row: None
    """Called after each epoch with its history row."""
    test: bool = True
    """False leaves the test split alone, for choices that must not see it."""
    graphs: bool = False
    """Train from CUDA graphs (`elcrec.training.graph`): the same steps with fewer launches. Other
    devices than a GPU train as ever."""
    precision: Precision = "float32"
    """Of the products in a step: see `elcrec.training.precision`."""
    checkpoints: Checkpoints | None = None
    """Where to go on from, and where to write how far the training has come."""
    deadline: Deadline | None = None
    """Stop with a checkpoint before this moment."""
    snapshot_epochs: tuple[int, ...] = ()
    """After which epochs to keep what users and intents look like: see
    `elcrec.training.intents`."""
