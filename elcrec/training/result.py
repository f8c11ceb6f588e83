"""Options of a training, and its result."""

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
    """Result of a training run."""

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
    """State other than weights at the best epoch: see `SequenceModel.run_state`."""
    intents: dict[str, np.ndarray] = field(default_factory=dict)
    """What users and intents looked like: see `elcrec.training.intents`."""
    resumed_after: list[int] = field(default_factory=list)
    """Epochs from whose checkpoint an interrupted training was resumed."""


class Checkpoints(Protocol):
    """Where a training resumes from, and where it saves its progress."""

    def load(self) -> dict[str, Any] | None:
        """Read the newest state; None when there is none."""

    def save(self, epoch: int, state: dict[str, Any]) -> None:
        """Write the state after an epoch."""

    def due(self) -> bool:
        """Whether it is time to write a checkpoint."""


@dataclass(frozen=True)
class Options:
    """How a training is carried out and what it leaves behind, beyond the protocol."""

    report: Report = lambda row: None
    """Called after each epoch with its history row."""
    test: bool = True
    """False leaves the test split alone, for choices that must not see it."""
    graphs: bool = False
    """Train from CUDA graphs (`elcrec.training.graph`): the same steps with fewer launches. No
    effect on devices other than a GPU."""
    precision: Precision = "float32"
    """Precision of the products in a step: see `elcrec.training.precision`."""
    checkpoints: Checkpoints | None = None
    """Where to resume from, and where to save progress."""
    deadline: Deadline | None = None
    """Stop with a checkpoint before this moment."""
    snapshot_epochs: tuple[int, ...] = ()
    """After which epochs to keep what users and intents look like: see
    `elcrec.training.intents`."""
