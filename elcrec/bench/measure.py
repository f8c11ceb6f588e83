"""A model measured alone, or in turn with other code on the same work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from elcrec.bench.side import Process
from elcrec.bench.subject import Job, Subject
from elcrec.usage import spread

TIMED = ("step", "epoch", "evaluation")
Report = Callable[[str], None]
"""Takes a line that says how far it has come."""


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    repeats: int = 5
    """Rounds, each a group of steps and an evaluation."""
    steps: int | None = None
    """Steps of a group; None: as the side likes."""
    epochs: int = 3
    """Whole epochs; 0: an epoch's time is computed from the rounds."""
    warm_up: int = 5
    """Steps, at least, before the first that counts; in groups like those that count, because a
    CUDA graph holds for groups of its size. An evaluation goes before the first that counts too."""


def alternate(sides: Mapping[str, Process], plan: Plan) -> dict[str, dict[str, Any]]:
    """Measure all sides in turn, so that a change of the machine's load meets all of them.

    Every round asks each side for a group of steps, then each side for an evaluation; whole epochs
    come last. Warm-up is not counted.

    Args:
        sides: What is measured, by name.
        plan: How much.

    Returns:
        For each side: `seconds`: `start_training`, and median, least and most of each in `rounds`;
        `epoch_is` measured or computed; `rounds`: seconds of `step` (empty for a model that takes
        none), `epoch` and `evaluation`; `peak_memory`, bytes.
    """
    started = {name: side.ask("start") for name, side in sides.items()}
    rounds: dict[str, dict[str, list[float]]] = {n: {t: [] for t in TIMED} for n in sides}
    for side in sides.values():
        taken = 0
        while taken < plan.warm_up:
            taken += side.ask("steps", count=plan.steps)["count"] or plan.warm_up
        side.ask("evaluate")
    for _ in range(plan.repeats):
        for name, side in sides.items():
            step = side.ask("steps", count=plan.steps)["seconds_per_step"]
            rounds[name]["step"] += [] if step is None else [step]
        for name, side in sides.items():
            rounds[name]["evaluation"].append(side.ask("evaluate"))
    for _ in range(plan.epochs):
        for name, side in sides.items():
            rounds[name]["epoch"].append(side.ask("epoch"))
    found = {}
    for name, begun in started.items():
        own = rounds[name]
        epoch_is = "measured" if own["epoch"] else "computed"
        steps = own["step"] or [0.0] * plan.repeats
        own["epoch"] = own["epoch"] or [
            begun["start_epoch"] + begun["steps_per_epoch"] * step + evaluation
            for step, evaluation in zip(steps, own["evaluation"], strict=True)
        ]
        seconds = {timed: spread(values) if values else None for timed, values in own.items()}
        found[name] = {
            "seconds": {"start_training": begun["start_training"], **seconds},
            "epoch_is": epoch_is,
            "rounds": own,
            "peak_memory": sides[name].ask("memory"),
        }
    return found


def measure(
    job: Job, plan: Plan, profile: bool = False, seconds: float | None = None
) -> dict[str, Any]:
    """Measure one model.

    Args:
        job: What is measured.
        plan: How much.
        profile: Profile some steps, too, after everything else.
        seconds: Wall clock after which it is given up; None: however long it takes.

    Returns:
        What `elcrec.bench.subject.Subject.about` says, what `alternate` gives, and `profile` where
        it was wanted, None for a model that takes no steps.

    Raises:
        InputError: The process could not do it; the message says why.
    """
    with Process(job.model, Subject, seconds) as worker:
        about = worker.ask("build", job=job)
        record = about | alternate({"here": worker}, plan)["here"]
        return record | ({"profile": worker.ask("profile")} if profile else {})


def ratios(slow: list[float], fast: list[float]) -> dict[str, float]:
    """Spread of the quotients, round by round, in which both sides met the same load."""
    return spread([a / b for a, b in zip(slow, fast, strict=True)])
