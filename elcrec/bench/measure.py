"""Measure a model alone, or in turn with other code on the same work."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from elcrec.bench.side import Process, Side
from elcrec.bench.subject import Job, Subject
from elcrec.usage import spread

TIMED = ("step", "epoch", "evaluation")
Report = Callable[[str], None]
"""Receives a line that reports progress."""


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    repeats: int = 5
    """Rounds, each a group of steps and an evaluation."""
    steps: int | None = None
    """Steps of a group; None: the side's default."""
    epochs: int = 3
    """Whole epochs; 0: an epoch's time is computed from the rounds."""


def alternate(sides: Mapping[str, Process], plan: Plan) -> dict[str, dict[str, Any]]:
    """Measure all sides in turn, so that a change in the machine's load affects all of them.

    Every round asks each side for a group of steps and an evaluation; whole epochs come last. The
    first round, in which a training starts, is not counted.

    Args:
        sides: What is measured, by name.
        plan: How much.

    Returns:
        For each side: `seconds`: `start_training`, and median, minimum and maximum of each in
        `rounds`; `epoch_is` measured or computed; `rounds`: seconds of `step` (empty for a model
        that takes none), `epoch` and `evaluation`; `peak_memory`, bytes.
    """
    started = {name: side.ask("start", steps=plan.steps) for name, side in sides.items()}
    rows = [
        {name: side.ask("round", steps=plan.steps) for name, side in sides.items()}
        for _ in range(plan.repeats)
    ]
    epochs = [{name: side.ask("epoch") for name, side in sides.items()} for _ in range(plan.epochs)]
    results = {}
    for name, side in sides.items():
        side_rows = [row[name] for row in rows]
        rounds = {timed: [row[timed] for row in side_rows if timed in row] for timed in TIMED}
        rounds["epoch"] = [epoch[name] for epoch in epochs] or rounds["epoch"]
        spreads = {timed: spread(values) if values else None for timed, values in rounds.items()}
        results[name] = {
            "seconds": {"start_training": started[name], **spreads},
            "epoch_is": "measured" if epochs else "computed",
            "rounds": rounds,
            "peak_memory": side.ask("memory"),
        }
    return results


def measure(
    job: Job, plan: Plan, profile: bool = False, seconds: float | None = None
) -> dict[str, Any]:
    """Measure one model.

    Args:
        job: What is measured.
        plan: How much.
        profile: Profile some steps, too, after everything else.
        seconds: Wall-clock limit; None: no limit.

    Returns:
        The record of `elcrec.bench.subject.Subject.about` and of `alternate`, and `profile` if it
        was requested, None for a model that takes no steps.

    Raises:
        InputError: The process failed; the message says why.
    """
    with Process(job.model, Subject, seconds) as worker:
        about = worker.ask("build", job=job)
        record = about | alternate({"here": worker}, plan)["here"]
        return record | ({"profile": worker.ask("profile")} if profile else {})


def in_turn(
    job: Job, name: str, kind: Callable[..., Side], arguments: Mapping[str, Any], plan: Plan
) -> dict[str, Any]:
    """Measure other code and this project's in turn.

    Args:
        job: Ours.
        name: What the other code is called.
        kind: Its side; it is given our `device` and `threads` besides `arguments`.
        arguments: Arguments of `kind`.
        plan: How much is measured.

    Returns:
        `here` and `peer`, as from `measure`; `ratio`: how many times as long theirs takes, as a
        spread over rounds.

    Raises:
        InputError: Either side failed.
    """
    with Process(job.model, Subject) as ours, Process(name, kind) as theirs:
        about = ours.ask("build", job=job)
        resources = {"device": about["torch_device"], "threads": about["environment"]["threads"]}
        about_peer = theirs.ask("build", **arguments, **resources)
        results = alternate({"peer": theirs, "here": ours}, plan)
    peer_rounds, our_rounds = (results[side]["rounds"] for side in ("peer", "here"))
    ratio = {timed: ratios(peer_rounds[timed], our_rounds[timed]) for timed in TIMED}
    peer = {"name": name, "dataset": job.dataset} | about_peer | results["peer"]
    return {"here": about | results["here"], "peer": peer, "ratio": ratio}


def ratios(slow: list[float], fast: list[float]) -> dict[str, float]:
    """Spread of the ratios round by round: within one, both sides run under the same load."""
    return spread([a / b for a, b in zip(slow, fast, strict=True)])
