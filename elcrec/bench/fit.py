"""Exponents of growth."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

MEASURES = ("step", "epoch", "evaluation", "memory_bytes", "evaluation_bytes")
"""What is fitted of a point: seconds, and peak bytes of all and of an evaluation."""

FEWEST = 3
"""Points that a fit needs: two always lie on a line."""


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
