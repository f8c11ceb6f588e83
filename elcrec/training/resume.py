"""What a training checkpoint holds: enough to continue as if nothing had happened.

On a CPU a resumed training ends with the same numbers, bit for bit.
"""

import time
from dataclasses import dataclass, field
from typing import Any

import torch

from elcrec.models.interface import Context, SequenceModel
from elcrec.training.intents import IntentRecorder
from elcrec.training.result import Checkpoints, Result


@dataclass
class Resumable:
    """The parts of a running training that change."""

    model: SequenceModel
    context: Context
    optimiser: torch.optim.Optimizer | None
    result: Result
    recorder: IntentRecorder
    checkpoints: Checkpoints | None
    begin: float
    """When the training began, on the clock of `time.perf_counter`; moved back on resuming."""
    kept: int = field(default=0, init=False)
    """Epochs that the newest checkpoint holds."""

    def elapsed(self) -> float:
        """Seconds of training, including those before an interruption."""
        return time.perf_counter() - self.begin

    def resume(self) -> None:
        """Restore the newest checkpoint, if there is one.

        Call it after the hooks before the first epoch, and before any step.
        """
        state = self.checkpoints.load() if self.checkpoints else None
        if state is None:
            return
        device = self.context.data.device
        self.model.load_state_dict(state["model"])
        self.model.load_run_state({k: v.to(device) for k, v in state["run_state"].items()})
        if self.optimiser is not None:
            self.optimiser.load_state_dict(state["optimiser"])
        self.context.generator.set_state(state["generator"])
        torch.set_rng_state(state["cpu_generator"])
        if device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda_generator"], device)
        self.context.stopwatch.seconds.update(state["seconds"])
        self.result.best_epoch = state["best_epoch"]
        self.result.history = state["history"]
        self.result.ranks["valid"] = state["valid_ranks"].numpy()
        self.result.weights = {k: v.to(device) for k, v in state["best"].items()}
        self.result.run_state = {k: v.to(device) for k, v in state["best_run_state"].items()}
        self.recorder.snapshots = state["snapshots"]
        self.kept = len(self.result.history)
        self.result.resumed_after = [*state["resumed_after"], self.kept]
        self.begin -= state["elapsed"]

    def save(self) -> None:
        """Write a checkpoint, if checkpoints are kept and there is anything new to save."""
        epochs = len(self.result.history)
        if self.checkpoints is None or self.kept == epochs:
            return
        device = self.context.data.device
        state: dict[str, Any] = {
            "model": self.model.state_dict(),
            "run_state": self.model.run_state(),
            "optimiser": self.optimiser.state_dict() if self.optimiser is not None else {},
            "generator": self.context.generator.get_state(),
            "cpu_generator": torch.get_rng_state(),
            "seconds": dict(self.context.stopwatch.seconds),
            "elapsed": self.elapsed(),
            "best_epoch": self.result.best_epoch,
            "history": self.result.history,
            "valid_ranks": torch.from_numpy(self.result.ranks["valid"]),
            "best": self.result.weights,
            "best_run_state": self.result.run_state,
            "snapshots": self.recorder.snapshots,
            "resumed_after": self.result.resumed_after,
        }
        if device.type == "cuda":
            state["cuda_generator"] = torch.cuda.get_rng_state(device)
        self.checkpoints.save(epochs, state)
        self.kept = epochs
