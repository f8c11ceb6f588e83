"""`elcrec bench --scale`: how time and memory grow with users, items, window length and intents.

One factor varies at a time, the others stay at the base; every point runs in its own process, so
that its peak memory is its own. Points are ordered by their size relative to the base, so that the
cheap ones of all factors come first. Points beyond the limit of memory or time are reported, not
run; a later call can continue from the record of an earlier one.
"""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from elcrec.bench.measure import TIMED, Plan, Report, measure
from elcrec.bench.side import ProcessError
from elcrec.bench.subject import Generated, Job
from elcrec.errors import InputError, shown
from elcrec.files.checked import Amount, Line, Positive, Record
from elcrec.files.jsonfile import read_json

FACTORS: dict[str, tuple[int, ...]] = {
    "intents": (64, 128, 256, 512, 1024, 2048),
    "max_length": (25, 50, 100, 200),
    "items": (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000),
    "users": (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000),
}
"""Sizes of each factor, ascending; the first two are settings of the model."""

BASE = Generated(users=10_000, items=10_000)
FITTED = 3
"""Number of points in a fit, the largest: at small sizes a constant part hides the growth of the
rest, and two points always lie on a line."""
PLAN = Plan(repeats=1, steps=4, epochs=0)

GIB = 2**30
MEMORY_USED = 0.8
"""Share of the free memory that a point may take."""

MEASURES = (*TIMED, "memory_bytes")
"""Quantities of a point that are fitted: seconds, and peak bytes."""
SAME = ("model", "settings", "kernels", "torch_device", "fingerprint", "device", "threads")
"""What must be equal in two records for their points to be comparable."""

Measure = Callable[[Job, float], dict[str, Any]]
"""Measures a job within this many seconds."""


class _Measured(Record):
    factor: Line
    size: Positive
    step: Amount
    epoch: Amount
    evaluation: Amount
    memory_bytes: Amount
    wall_seconds: Amount


class _NotRun(Record):
    not_run: Line


class Earlier(Record):
    """What `--json` wrote in an earlier call."""

    kind: Literal["scale"]
    same: dict[str, Any]
    points: list[_Measured | _NotRun]

    def known(self, path: Path, same: dict[str, Any]) -> dict[tuple[str, int], dict[str, Any]]:
        """Its measured points, by factor and size; refuses those of other conditions."""
        for key, value in same.items():
            if (previous := self.same.get(key)) != value:
                change = f"{key}: {shown(previous)} then, {shown(value)} now"
                raise InputError(f"--scale-from {path}: measured under other conditions; {change}")
        measured = [point for point in self.points if isinstance(point, _Measured)]
        return {(point.factor, point.size): point.model_dump() for point in measured}


def measure_point(job: Job, seconds: float) -> dict[str, Any]:
    """Measure one point in a fresh process.

    Args:
        job: What is measured, with generated data.
        seconds: Wall-clock limit.

    Returns:
        Seconds per step, epoch (computed) and evaluation; `memory_bytes`: peak on the GPU, or peak
        resident memory above what the process took without data; `wall_seconds`; `about`, the
        whole record.

    Raises:
        ProcessError: It failed, was killed, or took too long.
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
    earlier: Path | None = None,
) -> dict[str, Any]:
    """Measure the points of every factor, and fit exponents.

    Args:
        job: Model and settings; its data are generated.
        seconds: Wall-clock limit of all points together.
        measure: Measures a point.
        report: Called with a line when a point is done.
        earlier: Record whose points are not measured again; the base is, to check that they are
            comparable.

    Returns:
        `base`; `about` it; `same`: the part that must be equal for points to be comparable;
        `points`: `factor` and `size` with measures, or with `not_run`, the reason; `exponents`
        of each factor's largest points, by measure.

    Raises:
        InputError: The base point could not be measured, a setting is invalid, or the earlier
            record is invalid, or of other settings, code or another machine.
    """
    record = read_json(earlier, Earlier) if earlier else None
    parameters = job.resolve()[1].parameters
    bases = {**BASE._asdict(), **{f: getattr(parameters, f, 0) for f in ("intents", "max_length")}}
    end = time.monotonic() + seconds
    base = measure(job.changed(BASE), seconds)
    report("base: done")
    about = base.pop("about")
    same = {key: {**about, **about["environment"]}[key] for key in SAME}
    # An earlier point replaces the base: what was measured together stays together.
    known = dict.fromkeys(bases.items(), base)
    known |= record.known(earlier, same) if record and earlier else {}
    points: dict[str, list[dict[str, Any]]] = {f: [] for f in FACTORS if bases[f]}  # that it has
    planned = [(size / bases[f], size, f) for f in points for size in FACTORS[f]]
    for _, size, factor in sorted(planned):
        memory, remaining = MEMORY_USED * about["memory_available"], end - time.monotonic()
        smaller = [point for point in points[factor] if "not_run" not in point]
        if (factor, size) in known:
            result = known[factor, size]
        elif reason := why_not_tried(smaller, size, memory, remaining):
            result = {"not_run": reason}
        else:
            result = _point(job, factor, size, measure, remaining)
        points[factor].append({**result, "factor": factor, "size": size})
        report(f"{factor} {size:,}: {result.get('not_run', 'done')}")
    return {
        "base": base | BASE._asdict(),
        "about": about,
        "same": same,
        "points": [point for series in points.values() for point in series],
        "exponents": {
            factor: {measure: exponent(series, measure) for measure in MEASURES}
            for factor, series in points.items()
        },
    }


def why_not_tried(
    points: Sequence[dict[str, Any]], size: int, memory: float, seconds: float
) -> str | None:
    """Why a size is not tried, judging by the growth of the smaller ones; None if it is tried.

    Args:
        points: The smaller ones measured so far.
        size: Size of the new point.
        memory: Bytes that it may take.
        seconds: Wall-clock time that it may take.
    """
    needed = extrapolate(points, "memory_bytes", size)
    if needed > memory:
        allowed = f"{memory / GIB:.1f} GiB are allowed"
        return f"needs about {needed / GIB:.1f} GiB of memory, {allowed}"
    needed = extrapolate(points, "wall_seconds", size)
    if needed > seconds or seconds < 1:
        return f"needs about {needed:.0f} s, {max(0.0, seconds):.0f} s are left"
    return None


def _point(job: Job, factor: str, size: int, measure: Measure, seconds: float) -> dict[str, Any]:
    """The base with another size of one factor, of the data or a setting."""
    data = {factor: size} if factor in BASE._fields else {}
    settings = {} if data else {factor: size}
    try:
        point = measure(job.changed(BASE._replace(**data), **settings), seconds)
    except ProcessError as error:
        return {"not_run": str(error)}
    del point["about"]
    return point


def exponent(points: Sequence[dict[str, Any]], measure: str) -> float | None:
    """The exponent of measure = constant * size^exponent, by least squares of the logarithms.

    Returns:
        That of the `FITTED` largest sizes. None if there are fewer, or if a value is not positive:
        then there is no growth to fit.
    """
    largest = [point for point in points if "not_run" not in point][-FITTED:]
    sizes, values = ([point[key] for point in largest] for key in ("size", measure))
    if len(largest) < FITTED or min(values) <= 0:
        return None
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def extrapolate(points: Sequence[dict[str, Any]], measure: str, size: float) -> float:
    """Extrapolate the last value to `size` with the exponent between the last two points.

    The exponent is kept between 0 and 2, because neighbouring points are noisy. With a single point
    its value is returned, with none 0: too low, so that a point is tried rather than refused.
    """
    if len(points) < 2:
        return float(points[-1][measure]) if points else 0.0
    previous, last = points[-2:]
    if min(previous[measure], last[measure]) <= 0:  # resident memory can shrink
        return float(last[measure])
    slope = math.log(last[measure] / previous[measure]) / math.log(last["size"] / previous["size"])
    return float(last[measure] * (size / last["size"]) ** min(2.0, max(0.0, slope)))
