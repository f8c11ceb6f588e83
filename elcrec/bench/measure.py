"""A model measured alone, or in turn with other code on the same work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from elcrec.bench.side import Process, Side
from elcrec.bench.subject import Job, Subject
from elcrec.usage import spread

TIMED = ("step", "epoch", "evaluation")


@dataclass(frozen=True)
class Peer:
    """Other code that can do the same work."""

    name: str
    side: type[Side]
    """In a module that imports nothing of ours that changes how PyTorch computes."""
    arguments: Mapping[str, Any]
    """That its side is made from, besides `device` and `threads`."""
    which: Mapping[str, Any]
    """Which code it is, for the record."""


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
        What `report` gives, for each side.
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
    return {n: report(started[n], rounds[n], sides[n].ask("memory")) for n in sides}


def report(
    started: dict[str, float], rounds: dict[str, list[float]], memory: dict[str, Any]
) -> dict[str, Any]:
    """Medians with their spread, and every single figure.

    Args:
        started: As `elcrec.bench.side.Side.start` gives it.
        rounds: Seconds of `step` (empty for a model that takes none), `epoch` (empty: computed for
            every round) and `evaluation`.
        memory: Peak bytes.

    Returns:
        `seconds`: `start_training`, and median, least and most of each in `rounds`; `epoch_is`
        measured or computed; `rounds`; `peak_memory`.
    """
    epoch_is = "measured" if rounds["epoch"] else "computed"
    if not rounds["epoch"]:
        steps = rounds["step"] or [0.0] * len(rounds["evaluation"])
        rounds["epoch"] = [
            started["start_epoch"] + started["steps_per_epoch"] * step + evaluation
            for step, evaluation in zip(steps, rounds["evaluation"], strict=True)
        ]
    spreads = {key: spread(values) if values else None for key, values in rounds.items()}
    seconds = {"start_training": started["start_training"], **spreads}
    return {"seconds": seconds, "epoch_is": epoch_is, "rounds": rounds, "peak_memory": memory}


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
        What `elcrec.bench.subject.Subject.about` says, what `report` gives, and `profile` where
        asked for, None for a model that takes no steps.

    Raises:
        InputError: The process could not do it; the message says why.
    """
    with Process(job.model, Subject, seconds) as worker:
        about = worker.ask("build", job=job)
        record = about | alternate({"here": worker}, plan)["here"]
        return record | ({"profile": worker.ask("profile")} if profile else {})


def compare(job: Job, peer: Peer, plan: Plan) -> dict[str, Any]:
    """Measure both in turn.

    Args:
        job: Ours.
        peer: Theirs, with the settings and data of this job.
        plan: How much is measured.

    Returns:
        `here` and `peer`, as `measure` gives; `ratio`: how many times as long theirs takes, spread
        over rounds.

    Raises:
        InputError: Either side failed.
    """
    with Process(job.model, Subject) as ours, Process(peer.name, peer.side) as theirs:
        about = ours.ask("build", job=job)
        given = {"device": about["torch_device"], "threads": about["environment"]["threads"]}
        other = theirs.ask("build", **peer.arguments, **given)
        found = alternate({"peer": theirs, "here": ours}, plan)
    slow, fast = (found[side]["rounds"] for side in ("peer", "here"))
    ratio = {timed: ratios(slow[timed], fast[timed]) for timed in TIMED}
    other |= {"name": peer.name, "dataset": job.dataset, **peer.which}
    return {"here": about | found["here"], "peer": other | found["peer"], "ratio": ratio}


def ratios(slow: list[float], fast: list[float]) -> dict[str, float]:
    """Spread of the quotients, round by round, in which both sides met the same load."""
    return spread([a / b for a, b in zip(slow, fast, strict=True)])
