"""The primary test: two models on one metric, with both sources of chance, users and trainings.

Each run ranks the same users, so users and runs are crossed random effects (Baayen, Davidson &
Bates, "Mixed-effects modeling with crossed random effects for subjects and items", 2008), and the
variance of a difference of means has a part from each. A test over users alone treats the trained
weights as fixed and calls a model significantly different from itself; the contribution of seeds
is known from only two or three values (Bouthillier et al., "Accounting for Variance in
Machine Learning Benchmarks", MLSys 2021). So the training part is moderated by a pool over all
models: see `elcrec.statistics.noise`. That is also why it is written out here: mixed-model
libraries estimate both variances from the two models alone.
"""

from dataclasses import dataclass
from math import inf, isnan, nan

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from elcrec.statistics.noise import NONE, Noise

CONFIDENCE = 0.95
UNKNOWN_NOISE = "no model has two seeds, so the training noise is unknown"
ONE_USER = "fewer than two users"
_ROUNDING = 1e-12  # metrics are means of numbers up to 1: anything smaller is rounding


@dataclass(frozen=True)
class Crossed:
    """Outcome of the primary test of a against b, two-sided."""

    difference: float
    """Mean of a minus mean of b, each over its runs and users."""
    low: float = nan
    """95 % confidence interval of the difference, from the same test."""
    high: float = nan
    statistic: float = nan
    """t."""
    freedom: float = nan
    """Degrees of freedom of t, by Satterthwaite."""
    p_value: float = nan
    users_variance: float = nan
    """Part of the variance of `difference` that is due to users."""
    training_variance: float = nan
    """Part that is due to trainings."""
    reason: str = ""
    """Why there is no p-value; empty otherwise."""


def crossed(
    a: NDArray[np.floating], b: NDArray[np.floating], noise_a: Noise, noise_b: Noise
) -> Crossed:
    """Test whether two models have the same mean, for other users and other trainings.

    Args:
        a: (n_a, U) metric of each run and user of the first model, from 0 to 1.
        b: (n_b, U) of the second, the same users in the same order.
        noise_a: Training noise of the first model.
        noise_b: Of the second.

    Raises:
        ValueError: Not the same users.
    """
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"both models need the same users, got {a.shape[1]} and {b.shape[1]}")
    means = float(a.mean()), float(b.mean())
    difference = means[0] - means[1]
    users = users_variance(a, b)
    noise_a, noise_b = _at_least_the_rival(noise_a, noise_b, len(a), len(b))
    training = sum(
        noise.variance * mean**2 / n
        for noise, mean, n in zip((noise_a, noise_b), means, (len(a), len(b)), strict=True)
    )
    if isnan(training):
        return Crossed(difference, users_variance=users, reason=UNKNOWN_NOISE)
    if isnan(users):
        return Crossed(difference, training_variance=training, reason=ONE_USER)
    freedom = combined_freedom(
        users, a.shape[1] - 1, training, min(noise_a.freedom, noise_b.freedom)
    )
    return _test(difference, users, training, freedom)


def _at_least_the_rival(a: Noise, b: Noise, n_a: int, n_b: int) -> tuple[Noise, Noise]:
    """A model with one run is taken to be as noisy as its rival, if that is known to be noisier.

    Under the null hypothesis the two are the same method, and the pool knows nothing of either.
    """
    if n_a == 1 and n_b > 1 and a is not NONE and b.variance > a.variance:
        return b, b
    if n_b == 1 and n_a > 1 and b is not NONE and a.variance > b.variance:
        return a, a
    return a, b


def users_variance(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Variance of the difference of the means of a (n_a, U) and b (n_b, U) that is due to users.

    The interaction of users and runs is in the variance between runs already, so it is subtracted
    where it can be estimated: for two runs or more. For one run it is counted twice, which makes
    the test conservative. One user has no variance: nan.
    """
    count = a.shape[1]
    if count < 2:
        return nan
    total = float((a.mean(0) - b.mean(0)).var(ddof=1))
    return max(total - interaction(a) / len(a) - interaction(b) / len(b), 0.0) / count


def interaction(values: NDArray[np.floating]) -> float:
    """Mean square of the interaction of runs and users, (n, U); 0 for one run.

    What is left of two-way data after subtracting the means of runs and of users.
    """
    n, users = values.shape
    if n < 2 or users < 2:
        return 0.0
    residuals = values - values.mean(0) - values.mean(1, keepdims=True) + values.mean()
    return float((residuals**2).sum() / ((n - 1) * (users - 1)))


def combined_freedom(
    users: float, users_freedom: float, training: float, training_freedom: float
) -> float:
    """Degrees of freedom of the sum of two variances (Satterthwaite 1946).

    The noise of both models rests on the same pool, so their degrees of freedom are not added: the
    smaller of the two is `training_freedom`.
    """
    squares = users**2 / users_freedom
    squares += training**2 / training_freedom if training else 0.0
    return (users + training) ** 2 / squares if squares else inf


def _test(difference: float, users: float, training: float, freedom: float) -> Crossed:
    error = (users + training) ** 0.5
    if error < _ROUNDING:
        p = 1.0 if abs(difference) < _ROUNDING else 0.0
        return Crossed(difference, difference, difference, nan, freedom, p, users, training)
    statistic = difference / error
    half_width = float(scipy.stats.t.ppf((1 + CONFIDENCE) / 2, freedom)) * error
    p = float(2 * scipy.stats.t.sf(abs(statistic), freedom))
    low, high = difference - half_width, difference + half_width
    return Crossed(difference, low, high, statistic, freedom, p, users, training)
