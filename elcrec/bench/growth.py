"""Exponents of growth, and an earlier record whose points need not be measured again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from elcrec.errors import InputError
from elcrec.files.jsonfile import JsonObject

MEASURES = ("step", "epoch", "evaluation", "memory_bytes", "evaluation_bytes")
"""What is fitted of a point: seconds, and peak bytes of all and of an evaluation."""

FEWEST = 3
"""Points that a fit needs: two always lie on a line."""

SAME = ("model", "seed", "settings", "kernels", "torch_device", "waiting", "fingerprint")
"""What has to be equal in both records for their points to stand in one table."""
FIGURES = (*MEASURES, "wall_seconds", "host_load", "score_bytes")
"""What a point needs for table, fits and figure."""
SAME_MACHINE = ("device", "threads")


def power_law(sizes: Sequence[float], values: Sequence[float]) -> dict[str, float] | None:
    """Fit values = constant * size^exponent by least squares of the logarithms.

    Args:
        sizes: Positive sizes.
        values: One for each size.

    Returns:
        `exponent`; `r2`, the part of the logarithms' variance that the fit explains (1 for values
        that are all equal); `points`, their number. None for fewer than three different sizes, and
        where a value is not positive: there is nothing that grows.
    """
    if len(set(sizes)) < FEWEST or min(values) <= 0:
        return None
    x, y = np.log(np.asarray(sizes, dtype=float)), np.log(np.asarray(values, dtype=float))
    exponent, constant = np.polyfit(x, y, 1)
    left = np.square(y - constant - exponent * x).sum()
    total = np.square(y - y.mean()).sum()
    r2 = 1.0 if total < 1e-12 else 1 - left / total
    return {"exponent": float(exponent), "r2": float(r2), "points": len(x)}


def extrapolate(sizes: Sequence[float], values: Sequence[float], size: float) -> float:
    """Let the last value grow on to `size` with the exponent between the last two points.

    The exponent is kept between 0 and 2, because neighbouring points are noisy. With a single point
    its value is returned, with none 0: too little, so that a point is tried rather than refused.
    """
    if len(sizes) < 2:
        return values[-1] if values else 0.0
    grown = math.log(values[-1] / values[-2]) / math.log(sizes[-1] / sizes[-2])
    return values[-1] * (size / sizes[-1]) ** min(2.0, max(0.0, grown))


class Earlier:
    """The points that were measured; those that were not run are left out."""

    def __init__(self, path: Path) -> None:
        """Read a file that `--json` wrote.

        Raises:
            InputError: It cannot be read, or is no such record.
        """
        self.record = JsonObject.read(path)
        self.record.expect("kind", "scale")
        self.record.section("about").section("environment")
        factors = self.record.section("factors")
        self.factors = {factor: _measured(factors.section(factor)) for factor in factors.values}

    def check(self, about: dict[str, Any]) -> None:
        """Compare with what is measured now.

        Args:
            about: As `elcrec.bench.subject.Subject.about` gives it.

        Raises:
            InputError: Another model, setting, code or machine.
        """
        before = self.record.values["about"]
        now = {key: about[key] for key in SAME}
        now |= {key: about["environment"][key] for key in SAME_MACHINE}
        for key, value in now.items():
            old = (before["environment"] if key in SAME_MACHINE else before).get(key)
            if old != value:
                said = f" ('{old}', now '{value}')" if isinstance(value, str | int) else ""
                raise InputError(
                    f"--scale-from {self.record.path}: was measured with another {key}{said}"
                )

    def point(self, factor: str, size: int) -> dict[str, Any] | None:
        """A point that was measured, as `elcrec.bench.scale.grow` lists it; None: it was not."""
        point = self.factors.get(factor, {}).get(size)
        return point and {**point, "earlier": True}


def _measured(factor: JsonObject) -> dict[int, dict[str, Any]]:
    """Points of a factor by size; InputError for one that lacks a figure."""
    points: dict[int, dict[str, Any]] = {}
    for point in factor.objects("points"):
        if "not_run" in point.values:
            continue
        size = point.integer("size", 1)
        if size in points:
            point.refuse("size", "each size once")
        for key in FIGURES:
            point.number(key)
        points[size] = point.values
    return points
