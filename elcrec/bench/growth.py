"""`elcrec bench --scale`: how time and memory grow with users, items, window length and intents.

One factor at a time, the others as in the base point; every point in a process of its own, so that
its peak memory is its own. Points beyond the memory or the time given are reported, not run; a
later call can go on from the record of an earlier one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from elcrec.bench.measure import TIMED, Plan, measure
from elcrec.bench.side import ProcessError
from elcrec.bench.subject import Generated, Job
from elcrec.bench.suite import Report
from elcrec.errors import InputError
from elcrec.files.jsonfile import JsonObject

FACTORS: dict[str, tuple[int, ...]] = {
    "intents": (64, 128, 256, 512, 1024, 2048),
    "max_length": (25, 50, 100, 200),
    "items": (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000),
    "users": (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000),
}
"""Sizes of each factor, ascending; the first two are settings of the model. Cheap factors first:
what they leave of the time goes to the others."""

BASE = Generated(users=10_000, items=10_000)
FITTED = 3
"""Points of a fit, the largest: at small sizes a constant part hides the growth of the rest, and
two always lie on a line."""
PLAN = Plan(repeats=1, steps=4, epochs=0, warm_up=1)

GIB = 2**30
MEMORY_USED = 0.8
"""Part of the free memory that a point may take."""

MEASURES = (*TIMED, "memory_bytes")
"""What is fitted of a point: seconds, and peak bytes."""
SAME = ("model", "settings", "kernels", "torch_device", "fingerprint")
SAME_MACHINE = ("device", "threads")
"""What has to be equal in two records, the latter of `environment`, for their points to stand in
one table."""

Measure = Callable[[Job, float], dict[str, Any]]
"""Measures a job within so many seconds."""


def measure_point(job: Job, seconds: float) -> dict[str, Any]:
    """Measure one point in a fresh process.

    Args:
        job: What is measured, with generated data.
        seconds: Wall clock after which it is given up.

    Returns:
        Seconds per step, epoch (computed) and evaluation; `memory_bytes`: peak on the GPU, or peak
        resident memory above what the process took without data; `wall_seconds`; `about`, all
        that was found.

    Raises:
        ProcessError: It failed, was ended, or took too long.
    """
    begin = time.monotonic()
    about = measure(job, PLAN, seconds=seconds)
    spreads, memory = about["seconds"], about["peak_memory"]
    resident = memory["resident_bytes"] - memory["imported_bytes"]
    return {
        **{m: spreads[m]["median"] if spreads[m] else 0.0 for m in TIMED},
        "memory_bytes": memory["cuda_allocated_bytes"] or resident,
        "wall_seconds": time.monotonic() - begin,
        "about": about,
    }


def grow(
    job: Job,
    seconds: float = 300.0,
    measure: Measure = measure_point,
    report: Report = lambda line: None,
    earlier: Earlier | None = None,
) -> dict[str, Any]:
    """Measure the points of every factor, and fit exponents.

    Args:
        job: Model and settings; its data are generated.
        seconds: What all points may take together, wall clock.
        measure: Measures a point.
        report: Called with a line when a point is done.
        earlier: Points that need not be measured again; the base is, to see that they compare.

    Returns:
        `base`; `about` it, `same`: in it, what has to be equal for points to compare; `factors`:
        for each its `points` (`size` with measures, or with `not_run`, the reason) and, by
        measure, `fits` of the largest.

    Raises:
        InputError: The base point could not be measured, a setting is not right, or the earlier
            points are of other settings, code or machine.
    """
    parameters = job.resolve()[1].parameters
    bases = {f: getattr(BASE, f, None) or getattr(parameters, f, None) for f in FACTORS}
    bases = {factor: size for factor, size in bases.items() if size}  # settings that it has
    end = time.monotonic() + seconds
    base = measure(job.changed(BASE), seconds)
    report("base: done")
    about = base.pop("about")
    same = {k: about[k] for k in SAME} | {k: about["environment"][k] for k in SAME_MACHINE}
    if earlier:
        earlier.check(same)
    factors = {}
    for left, (factor, base_size) in zip(range(len(bases), 0, -1), bases.items(), strict=True):
        # Each factor has an equal share of what is left, and leaves the rest of it to the others.
        until = time.monotonic() + (end - time.monotonic()) / left
        # An earlier point goes before the base: what was measured together stays together.
        known = {base_size: base} | (earlier.points.get(factor, {}) if earlier else {})
        points: list[dict[str, Any]] = []
        for size in FACTORS[factor]:
            limits = MEMORY_USED * about["memory_available"], until - time.monotonic()
            point = known.get(size) or refused(points, size, *limits)
            point = point or _point(job, factor, size, measure, until - time.monotonic())
            points.append({**point, "size": size})
            report(f"{factor} {size:,}: {point.get('not_run', 'done')}")
        largest = [p for p in points if "not_run" not in p][-FITTED:]
        fits = {measured: power_law(largest, measured) for measured in MEASURES}
        factors[factor] = {"points": points, "fits": fits}
    return {"base": base | BASE._asdict(), "about": about, "same": same, "factors": factors}


def refused(
    points: Sequence[dict[str, Any]], size: int, memory: float, seconds: float
) -> dict[str, Any] | None:
    """Why a point is not tried, judged by how the smaller ones grew; None: it is.

    Args:
        points: Of the same factor.
        size: Of the new point.
        memory: Bytes that it may take.
        seconds: Wall clock that it may take.
    """
    done = [p for p in points if "not_run" not in p]
    bytes_needed = extrapolate(done, "memory_bytes", size)
    if bytes_needed > memory:
        given = f"{memory / GIB:.1f} GiB are given"
        return {"not_run": f"needs about {bytes_needed / GIB:.1f} GiB of memory, {given}"}
    seconds_needed = extrapolate(done, "wall_seconds", size)
    if seconds_needed > seconds or seconds < 1:
        given = f"{max(0.0, seconds):.0f} s of its share are left"
        return {"not_run": f"needs about {seconds_needed:.0f} s, {given}"}
    return None


def _point(job: Job, factor: str, size: int, measure: Measure, seconds: float) -> dict[str, Any]:
    data = {factor: size} if factor in BASE._fields else {}
    settings = {} if data else {factor: size}
    try:
        point = measure(job.changed(BASE._replace(**data), **settings), seconds)
    except ProcessError as error:
        return {"not_run": str(error)}
    del point["about"]
    return point


def power_law(points: Sequence[dict[str, Any]], measure: str) -> dict[str, float] | None:
    """Fit measure = constant * size^exponent by least squares of the logarithms.

    Returns:
        `exponent`; `r2`, the part of the logarithms' variance that the fit explains (1 for values
        that are all equal); `points`, their number. None for fewer than three different sizes, and
        where a value is not positive: there is nothing that grows.
    """
    sizes, values = ([p[key] for p in points] for key in ("size", measure))
    if len(set(sizes)) < FITTED or min(values) <= 0:
        return None
    x, y = np.log(sizes), np.log(values)
    exponent, constant = np.polyfit(x, y, 1)
    left = np.square(y - constant - exponent * x).sum()
    total = np.square(y - y.mean()).sum()
    r2 = 1.0 if total < 1e-12 else 1 - left / total
    return {"exponent": float(exponent), "r2": float(r2), "points": len(x)}


def extrapolate(points: Sequence[dict[str, Any]], measure: str, size: float) -> float:
    """Let the last value grow on to `size` with the exponent between the last two points.

    The exponent is kept between 0 and 2, because neighbouring points are noisy. With a single point
    its value is returned, with none 0: too little, so that a point is tried rather than refused.
    """
    if len(points) < 2:
        return float(points[-1][measure]) if points else 0.0
    before, last = points[-2:]
    grown = math.log(last[measure] / before[measure]) / math.log(last["size"] / before["size"])
    return float(last[measure] * (size / last["size"]) ** min(2.0, max(0.0, grown)))


class Earlier:
    """The points of an earlier record that were measured; those that were not run are left out."""

    def __init__(self, path: Path) -> None:
        """Read a file that `--json` wrote.

        Raises:
            InputError: It cannot be read, or is no such record.
        """
        self.path = path
        record = JsonObject.read(path)
        record.expect("kind", "scale")
        self.same = record.section("same").values
        self.points: dict[str, dict[int, dict[str, Any]]] = {}
        factors = record.section("factors")
        for factor in factors.values:
            known = self.points[factor] = {}
            for point in factors.section(factor).objects("points"):
                size = point.integer("size", 1)
                if size in known:
                    point.refuse("size", "each size once")
                if "not_run" not in point.values:
                    for key in (*MEASURES, "wall_seconds"):
                        point.number(key)
                    known[size] = {**point.values, "earlier": True}

    def check(self, same: dict[str, Any]) -> None:
        """Compare with what is measured now.

        Raises:
            InputError: Another model, setting, code or machine.
        """
        for key, value in same.items():
            old = self.same.get(key)
            if old != value:
                said = f" ('{old}', now '{value}')" if isinstance(value, str | int) else ""
                raise InputError(f"--scale-from {self.path}: was measured with another {key}{said}")
