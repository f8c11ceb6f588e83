"""`elcrec bench --scale`: how time and memory grow with users, items, window length and intents.

One factor at a time, the others as in the base point; every point in a process of its own, so that
its peak memory is its own. Points beyond the memory or the time given are reported, not run; a
later call can go on from the record of an earlier one.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from elcrec.bench.capacity import (
    GIB,
    Parameters,
    clustering_bytes,
    count_parameters,
    paragraph,
    reckon,
    training_bytes,
)
from elcrec.bench.growth import MEASURES, Earlier, extrapolate, power_law
from elcrec.bench.job import Generated, Job, start_worker
from elcrec.bench.process import ProcessError
from elcrec.runs.settings import RunSettings

FACTORS: dict[str, tuple[int, ...]] = {
    "users": (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000),
    "items": (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000),
    "max_length": (25, 50, 100, 200),
    "intents": (64, 128, 256, 512, 1024, 2048),
}
"""Sizes of each factor, ascending; the last two are settings of the model."""

BASE = Generated(users=10_000, items=10_000)
LARGEST = 3
"""Points of the second fit: at small sizes a constant part hides the growth of the rest."""
ORDER = ("intents", "max_length", "items", "users")
"""Cheap factors first: what they leave of the time goes to the others."""
GROUP = {"cpu": 2, "cuda": 50}
"""Steps of a group, by kind of device."""
GROUPS = 2
"""Groups that count, after one that does not; on a processor a single step warms up."""
WARM = 10.0
"""An evaluation that takes fewer seconds is repeated warm, and that one counts."""
MEMORY_USED = 0.8
"""Part of the free memory that a point may take by default."""

PREPARING = 400
"""Bytes of host memory that a user takes while data and evaluation are prepared (seen: 358)."""

Measure = Callable[[Job, float], dict[str, Any]]
"""Measures a job within so many seconds."""


@dataclass(frozen=True)
class Limits:
    """What the points may take together."""

    seconds: float = 300.0
    """All points together, wall clock."""
    memory_bytes: float | None = None
    """A single point; None: a part of what is free."""


def measure_point(job: Job, seconds: float) -> dict[str, Any]:
    """Measure one point in a fresh process.

    Args:
        job: What is measured, with generated data.
        seconds: Wall clock after which it is given up.

    Returns:
        Seconds per step, epoch (computed), evaluation and before training; `memory_bytes`: peak on
        the GPU, or peak resident memory above what the process took without data;
        `evaluation_bytes`: what an evaluation takes beside what is held before it; `score_bytes`:
        the largest tensor of scores, `stated_bytes` what it may be; `wall_seconds`; `host_load`
        when it began; `sizes` as `Subject.sizes` says.

    Raises:
        ProcessError: It failed, was ended, or took too long.
    """
    begin = time.monotonic()

    def left() -> float:
        return max(1.0, seconds - (time.monotonic() - begin))

    with start_worker(job) as worker:
        about = worker.ask("build", left(), job=job.as_dict())
        started = worker.ask("start", left())
        cuda = about["torch_device"].startswith("cuda")
        count = GROUP["cuda" if cuda else "cpu"]
        worker.ask("steps", left(), count=count if cuda else 1)
        groups = [worker.ask("steps", left(), count=count) for _ in range(GROUPS)]
        taken = [g["seconds_per_step"] for g in groups if g["seconds_per_step"] is not None]
        step = statistics.median(taken) if taken else 0.0
        evaluated = worker.ask("evaluate", left(), record=True)
        if evaluated["seconds"] < WARM:
            evaluated |= worker.ask("evaluate", left())
        memory = worker.ask("memory", left())
        sizes = worker.ask("sizes", left())
    on_gpu = memory["cuda_allocated_bytes"]
    resident = memory["resident_bytes"] - memory["imported_bytes"]
    per_epoch = about["steps_per_epoch"] * step + evaluated["seconds"] + started["start_epoch"]
    return {
        "step": step,
        "epoch": per_epoch,
        "evaluation": evaluated["seconds"],
        "start_training": started["start_training"],
        "memory_bytes": resident if on_gpu is None else on_gpu,
        "evaluation_bytes": evaluated["memory_bytes"],
        "score_bytes": evaluated["score_bytes"],
        "stated_bytes": evaluated["stated_bytes"],
        "wall_seconds": time.monotonic() - begin,
        "host_load": about["environment"]["host_load"],
        "sizes": sizes,
        "about": about,
    }


def grow(
    job: Job,
    limits: Limits,
    factors: Sequence[str] = tuple(FACTORS),
    measure: Measure = measure_point,
    report: Callable[[str], None] = lambda line: None,
    earlier: Earlier | None = None,
) -> dict[str, Any]:
    """Measure the points of every factor, and fit exponents.

    Args:
        job: Model and settings; its data are generated.
        limits: What the points may take.
        factors: Which factors, keys of `FACTORS`.
        measure: Measures a point.
        report: Called with a line when a point is done.
        earlier: Points that need not be measured again; the base is, to see that they compare.

    Returns:
        `base`; `factors`: for each its `points` (`size` with measures, or with `not_run`, the
        reason), `fits` by measure, and `fits_largest`, those of the `LARGEST` largest points only;
        `capacity`, and `capacity_text`.

    Raises:
        InputError: The base point could not be measured, a setting is not right, or the earlier
            points are of other settings, code or machine.
    """
    settings = job.resolve()[1]
    parameters = count_parameters(settings)
    end = time.monotonic() + limits.seconds
    base = measure(job.changed(BASE), limits.seconds)
    report("base: done")
    if earlier:
        earlier.check(base["about"])
    allowed = limits.memory_bytes or MEMORY_USED * base["about"]["memory_available"]
    grown = {}
    known = [f for f in ORDER if f in factors and _value(settings, f) is not None]
    for number, factor in enumerate(known):
        share = (end - time.monotonic()) / (len(known) - number)
        series = Series(factor, job, settings, parameters, base, earlier)
        grown[factor] = series.run(measure, time.monotonic() + share, allowed, report)
    clustered = clustering_bytes(settings)
    reckoned = reckon(parameters, base["sizes"], BASE.users, BASE.items, clustered)
    return {
        "base": _figures(base) | {"users": BASE.users, "items": BASE.items},
        "about": base["about"],
        "limits": {"seconds": limits.seconds, "memory_bytes": allowed},
        "factors": {f: grown[f] for f in FACTORS if f in grown},
        "capacity": reckoned,
        "capacity_text": paragraph(settings.name, reckoned),
    }


@dataclass
class Series:
    """The points of one factor."""

    factor: str
    job: Job
    settings: RunSettings
    parameters: Parameters
    base: dict[str, Any]
    earlier: Earlier | None = None

    def run(
        self, measure: Measure, end: float, allowed: float, report: Callable[[str], None]
    ) -> dict[str, Any]:
        """Measure points in ascending order until the time `end` (monotonic clock)."""
        points: list[dict[str, Any]] = []
        for size in FACTORS[self.factor]:
            point = self._point(size, points, measure, end, allowed)
            points.append({"size": size, **point})
            report(f"{self.factor} {size:,}: {point.get('not_run', 'done')}")
        done = [p for p in points if "not_run" not in p]
        sizes = [p["size"] for p in done]
        return {
            "base": _value(self.settings, self.factor),
            "points": points,
            "fits": {m: power_law(sizes, [p[m] for p in done]) for m in MEASURES},
            "fits_largest": {
                m: power_law(sizes[-LARGEST:], [p[m] for p in done[-LARGEST:]]) for m in MEASURES
            },
        }

    def _point(
        self,
        size: int,
        before: list[dict[str, Any]],
        measure: Measure,
        end: float,
        allowed: float,
    ) -> dict[str, Any]:
        known = self.earlier.point(self.factor, size) if self.earlier else None
        if known:  # the base too: points that were measured together stay together
            return known
        if size == _value(self.settings, self.factor):
            return _figures(self.base)
        job = self._changed(size)
        data = job.generated
        assert data is not None
        done = [p for p in before if "not_run" not in p]
        sizes = [p["size"] for p in done]
        seconds = extrapolate(sizes, [p["wall_seconds"] for p in done], size)
        memory = extrapolate(sizes, [p["memory_bytes"] for p in done], size)
        memory = max(memory, self._reckoned(data))
        left = end - time.monotonic()
        if memory > allowed:
            needs = f"needs about {memory / GIB:.1f} GiB of memory"
            return {"not_run": f"{needs}, {allowed / GIB:.1f} GiB are given"}
        if seconds > left or left < 1:
            needs = f"needs about {seconds:.0f} s"
            return {"not_run": f"{needs}, {max(0.0, left):.0f} s of its share are left"}
        try:
            return _figures(measure(job, left))
        except ProcessError as error:
            return {"not_run": str(error)}

    def _reckoned(self, data: Generated) -> float:
        """Bytes of a point with these data: the base's, and what more users and items take."""
        more = training_bytes(self.parameters, data.users, data.items)
        more -= training_bytes(self.parameters, BASE.users, BASE.items)
        on_gpu = self.base["about"]["torch_device"].startswith("cuda")
        each = self.base["sizes"]["bytes_per_user"] if on_gpu else PREPARING
        reckoned: float = self.base["memory_bytes"] + more + each * (data.users - BASE.users)
        return reckoned

    def _changed(self, size: int) -> Job:
        data = {"users": BASE.users, "items": BASE.items}
        if self.factor in data:
            return self.job.changed(Generated(**{**data, self.factor: size}))
        return self.job.changed(BASE, **{self.factor: size})


def _figures(point: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in point.items() if k not in ("about", "sizes")}


def _value(settings: RunSettings, factor: str) -> int | None:
    """Size of a factor in the base point; None when the model has no such setting."""
    value: int | None = getattr(BASE, factor, None)
    return getattr(settings.parameters, factor, None) if value is None else value
