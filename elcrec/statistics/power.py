"""What a design can tell: the range of one more run, detectable leads, the seeds that one needs."""

from bisect import bisect_left
from math import inf, isnan, nan

import numpy as np
import scipy.optimize
import scipy.stats

from elcrec.statistics.crossed import CONFIDENCE, combined_freedom
from elcrec.statistics.noise import Noise

LEVEL = 0.05
POWER = 0.8
MOST_SEEDS = 1000
"""Larger numbers are not tried."""


def prediction_interval(mean: float, seeds: int, noise: Noise) -> tuple[float, float]:
    """95 % interval of the value of one more run on the same users, given the mean of some.

    Args:
        mean: Mean over the runs.
        seeds: How many runs.
        noise: Training noise of the model.

    Returns:
        Lower and upper end; nan where the noise is unknown.
    """
    return _interval(mean, noise, 1 + 1 / seeds if seeds else nan)


def mean_interval(mean: float, seeds: int, noise: Noise) -> tuple[float, float]:
    """Confidence interval of the mean over all trainings on the same users; as above."""
    return _interval(mean, noise, 1 / seeds if seeds else nan)


def _interval(mean: float, noise: Noise, factor: float) -> tuple[float, float]:
    """Around a mean whose variance is `factor` times that of a run; nan where it is unknown."""
    if isnan(noise.variance * factor):
        return nan, nan
    quantile = float(scipy.stats.t.ppf((1 + CONFIDENCE) / 2, noise.freedom))
    half_width = quantile * mean * (noise.variance * factor) ** 0.5
    return mean - half_width, mean + half_width


def detectable_lead(
    seeds: int,
    noise: Noise,
    users: float,
    users_count: int,
    *,
    level: float = LEVEL,
    power: float = POWER,
) -> float:
    """Smallest relative lead that the primary test finds with this power.

    Both models have this many seeds and the same training noise, known as precisely as today.

    Args:
        seeds: Of each model; they add to the degrees of freedom of its noise.
        noise: Training noise of either, as the pool has it.
        users: Variance of the difference that is due to users, relative to the squared mean.
        users_count: Number of users.
        level: Of the test; the first step of Holm's correction divides it by the family.
        power: Share of experiments that find it.
    """
    if isnan(noise.variance) or isnan(users):
        return nan
    training = 2 * noise.variance / seeds
    error = (users + training) ** 0.5
    if not error:
        return 0.0
    freedom = combined_freedom(users, users_count - 1, training, noise.freedom + seeds - 1)
    critical = scipy.stats.t.ppf(1 - level / 2, freedom)

    def missing(shift: float) -> float:
        return float(_exceedance(shift, critical, freedom)) - power

    largest = 2 * critical + 10
    while missing(largest) < 0:
        largest *= 2
    return float(scipy.optimize.brentq(missing, 0, largest)) * error


def _exceedance(shift: float, critical: float, freedom: float) -> float:
    """Probability that |t| exceeds the critical value when t is shifted by `shift`."""
    # The noncentral t of scipy loses its tail for large values; a normal numerator over the exact
    # chi distribution of the denominator, integrated on quantiles, does not.
    grid = (np.arange(2000) + 0.5) / 2000
    scale = np.sqrt(scipy.stats.chi2.ppf(grid, freedom) / freedom) if freedom < inf else 1.0
    upper = scipy.stats.norm.sf(critical * scale - shift)
    lower = scipy.stats.norm.cdf(-critical * scale - shift)
    return float(np.mean(upper + lower))


def seeds_needed(lead: float, noise: Noise, users: float, users_count: int) -> float:
    """Seeds of each model that find a relative lead with 80 % power; as `detectable_lead`.

    Returns:
        A number from 1 to `MOST_SEEDS`; inf where even these do not find it on so many users; nan
        where the noise is unknown or the lead is not above 0.
    """
    if isnan(noise.variance) or isnan(users) or not lead > 0:
        return nan

    def enough(seeds: int) -> bool:
        return detectable_lead(seeds, noise, users, users_count) <= lead

    if not enough(MOST_SEEDS):
        return inf
    return 1.0 + bisect_left(range(1, MOST_SEEDS), True, key=enough)
