"""Significance tests and effect sizes; scipy does the arithmetic of the tests.

All tests are two-sided. A test that cannot be done (fewer than two values) has p = nan and says
why. The primary test is `elcrec.statistics.crossed`; those here account for one source each.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import copysign, inf, nan

import numpy as np
import scipy.special
import scipy.stats
from numpy.typing import ArrayLike, NDArray

_DECIMALS = 12  # differences equal up to here are ties: metrics are sums of a few rounded terms


@dataclass(frozen=True)
class Comparison:
    """Outcome of a test of a against b."""

    n: tuple[int, ...]
    """Number of values: (of a, of b) for Welch, (pairs,) for the paired test."""
    difference: float = nan
    """Mean of a minus mean of b; nan when one of them is empty."""
    statistic: float = nan
    """t; positive when a is larger."""
    p_value: float = nan
    """Two-sided p-value."""
    p_holm: float = nan
    """The same, Holm-corrected; nan outside of a family."""
    effect: float = nan
    """Effect size that goes with the test, see its function; positive when a is larger."""
    reason: str = ""
    """Why there is no ordinary p-value; empty otherwise."""

    @property
    def size(self) -> str:
        """`n` as text: `3+3` for two groups, `22363` for pairs."""
        return "+".join(str(count) for count in self.n)


def welch(a: ArrayLike, b: ArrayLike) -> Comparison:
    """Welch's t-test of two independent groups, e.g. one value per seed.

    The effect size is Hedges' g: the difference in pooled standard deviations, corrected for small
    samples by the exact factor (Hedges, "Distribution theory for Glass's estimator of effect size
    and related estimators", 1981).

    Args:
        a: (n_a,) values of the first group.
        b: (n_b,) values of the second group.

    Raises:
        ValueError: Values that are not finite, or not a plain list.
    """
    first, second = _values(a), _values(b)
    n = (len(first), len(second))
    if min(n) == 0:
        return Comparison(n, reason="no value on one side")
    difference = float(first.mean() - second.mean())
    if min(n) < 2:
        return Comparison(n, difference, reason="fewer than two values on one side")
    (mean_a, std_a), (mean_b, std_b) = _moments(first), _moments(second)
    if std_a == std_b == 0:
        return _without_variance(n, mean_a - mean_b)
    # From means and deviations: the array version warns when only one group is constant.
    result = scipy.stats.ttest_ind_from_stats(
        mean_a, std_a, n[0], mean_b, std_b, n[1], equal_var=False
    )
    freedom = sum(n) - 2
    pooled = (((n[0] - 1) * std_a**2 + (n[1] - 1) * std_b**2) / freedom) ** 0.5
    effect = difference / pooled * _small_sample(freedom)
    return Comparison(n, difference, float(result.statistic), float(result.pvalue), effect=effect)


def paired_t(a: ArrayLike, b: ArrayLike) -> Comparison:
    """Paired t-test, e.g. of one value per user under two models.

    Over users, it treats the trained weights as fixed: it calls two seeds of one model
    different far more often than its level says (`elcrec.statistics.calibration`).

    The effect size is Cohen's d_z: the mean difference in standard deviations of the differences
    (Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988). Differences that agree
    to 12 decimals are the same one: their variance would be that of rounding errors.

    Args:
        a: (n,) values under the first condition.
        b: (n,) values under the second, in the same order.

    Raises:
        ValueError: Different lengths, values that are not finite, or not a plain list.
    """
    first, second = _values(a), _values(b)
    if len(first) != len(second):
        raise ValueError(f"paired values must be equally many, got {len(first)} and {len(second)}")
    change = first - second
    n = (len(change),)
    if n[0] == 0:
        return Comparison(n, reason="no pair")
    if n[0] < 2:
        return Comparison(n, float(change[0]), reason="fewer than two pairs")
    if np.ptp(change) < 10.0**-_DECIMALS:
        return _without_variance(n, float(np.round(change.mean(), _DECIMALS)))
    result = scipy.stats.ttest_1samp(change, 0.0)
    mean, std = _moments(change)
    return Comparison(n, mean, float(result.statistic), float(result.pvalue), effect=mean / std)


def holm(p_values: Iterable[float]) -> list[float]:
    """Holm's step-down correction of a family of p-values, in the order given.

    Entries that are nan stay nan and do not count in the family.
    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.

    Raises:
        ValueError: A p-value outside [0, 1].
    """
    # By hand, because SciPy has none, and that of statsmodels does not accept gaps in a family.
    p = np.array(list(p_values), dtype=np.float64)
    valid = np.flatnonzero(~np.isnan(p))
    if np.any((p[valid] < 0) | (p[valid] > 1)):
        raise ValueError("p-values must be in [0, 1] or nan")
    order = valid[np.argsort(p[valid], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    p[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(value) for value in p]


def mean_std(values: ArrayLike) -> tuple[float, float]:
    """Mean and sample standard deviation (n - 1); nan where there is too little."""
    array = _values(values)
    if len(array) == 0:
        return nan, nan
    return _moments(array) if len(array) > 1 else (float(array[0]), nan)


def _values(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"values must be a plain list, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("values must be finite numbers")
    return array


def _moments(values: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and sample deviation of two values or more."""
    if values.min() == values.max():  # rounding of the mean would leave a deviation just above 0
        return float(values[0]), 0.0
    return float(values.mean()), float(values.std(ddof=1))


def _small_sample(freedom: int) -> float:
    """Hedges' factor gamma(f / 2) / (sqrt(f / 2) gamma((f - 1) / 2)), e.g. 0.798 for f = 4."""
    log = scipy.special.gammaln(freedom / 2) - scipy.special.gammaln((freedom - 1) / 2)
    return float(np.exp(log) / (freedom / 2) ** 0.5)


def _without_variance(n: tuple[int, ...], difference: float) -> Comparison:
    if difference == 0:
        return Comparison(n, 0.0, 0.0, p_value=1.0, effect=0.0, reason="all values are equal")
    infinite = copysign(inf, difference)
    return Comparison(n, difference, infinite, p_value=0.0, effect=infinite, reason="no variance")
