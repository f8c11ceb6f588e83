"""The order in which things are measured, and the figures that come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from elcrec.usage import spread

WARM_UP = 5
"""Steps, at least, before the first that counts; in groups like those that count, because a CUDA
graph holds for groups of its size. An evaluation goes before the first that counts, too."""


class Side(Protocol):
    """Something that can be asked to run, e.g. `elcrec.bench.process.Process`."""

    def ask(self, what: str, timeout: float | None = None, **arguments: Any) -> dict[str, Any]:
        """Do one thing: `start`, `steps`, `evaluate`, `epoch` or `memory`."""


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    repeats: int = 5
    """Rounds, each a group of steps and an evaluation."""
    steps: int | None = None
    """Steps of a group; None: as the side likes."""
    epochs: int = 3
    """Whole epochs; 0: an epoch's time is computed from the rounds."""


@dataclass
class Figures:
    """What one side took; seconds and bytes."""

    started: dict[str, float]
    """Seconds of `start_training` and of the first `start_epoch`; `uncounted_epochs`."""
    step: list[float] = field(default_factory=list)
    """Seconds per step of every round; empty for a model that takes none."""
    evaluation: list[float] = field(default_factory=list)
    """Seconds per evaluation of all users of every round."""
    epochs: list[dict[str, float]] = field(default_factory=list)
    """Seconds of every whole epoch by part, and `total`."""
    memory: dict[str, Any] = field(default_factory=dict)
    """Peak bytes."""

    def epoch(self, steps_per_epoch: int) -> list[float]:
        """Seconds per epoch: of the whole epochs, or computed for every round if there are none."""
        if self.epochs:
            return [epoch["total"] for epoch in self.epochs]
        steps = self.step or [0.0] * len(self.evaluation)
        start = self.started["start_epoch"]
        return [
            start + steps_per_epoch * step + evaluation
            for step, evaluation in zip(steps, self.evaluation, strict=True)
        ]

    def report(self, steps_per_epoch: int) -> dict[str, Any]:
        """Medians with their spread, and every single figure."""
        parts = {part for epoch in self.epochs for part in epoch}
        return {
            "seconds": {
                "start_training": self.started["start_training"],
                "step": spread_of(self.step),
                "epoch": spread_of(self.epoch(steps_per_epoch)),
                "evaluation": spread_of(self.evaluation),
            },
            "epoch_is": "measured" if self.epochs else "computed",
            "epoch_parts": {p: spread_of([e[p] for e in self.epochs]) for p in sorted(parts)},
            "rounds": {"step": self.step, "evaluation": self.evaluation},
            "peak_memory": self.memory,
        }


def alternate(sides: Mapping[str, Side], plan: Plan) -> dict[str, Figures]:
    """Measure all sides in turn, so that a change of the machine's load meets all of them.

    Every round asks each side for a group of steps, then each side for an evaluation; whole epochs
    come last. Warm-up is not counted.

    Args:
        sides: What is measured, by name.
        plan: How much.
    """
    found = {name: Figures(side.ask("start")) for name, side in sides.items()}
    for side in sides.values():
        taken = 0
        while taken < WARM_UP:
            count = side.ask("steps", count=plan.steps)["count"]
            taken += count or WARM_UP
        side.ask("evaluate")
    for _ in range(plan.repeats):
        for name, side in sides.items():
            step = side.ask("steps", count=plan.steps)["seconds_per_step"]
            found[name].step += [] if step is None else [step]
        for name, side in sides.items():
            found[name].evaluation.append(side.ask("evaluate")["seconds"])
    for name, side in sides.items():
        for _ in range(int(found[name].started["uncounted_epochs"]) if plan.epochs else 0):
            side.ask("epoch")
    for _ in range(plan.epochs):
        for name, side in sides.items():
            found[name].epochs.append(side.ask("epoch"))
    for name, side in sides.items():
        found[name].memory = side.ask("memory")
    return found


def spread_of(values: list[float]) -> dict[str, float] | None:
    """Median, least and most; None for no values."""
    return spread(values) if values else None


def ratios(slow: list[float], fast: list[float]) -> dict[str, float] | None:
    """Spread of the quotients, round by round, in which both sides met the same load."""
    return spread_of([a / b for a, b in zip(slow, fast, strict=True)])
