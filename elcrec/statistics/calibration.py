"""How often the tests call equal methods different: a simulation on recorded runs.

Users differ in their hit probability: a Beta distribution whose mean is the hit rate of the
recorded runs and whose spread makes two seeds agree as often as they do. A training multiplies the
chances of all users by one random factor, so that means of runs spread as recorded. Two methods
that are the same in every respect are drawn with their seeds, and beside them the models of the
pool, whose runs are drawn by their means.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
import scipy.stats
from numpy.typing import NDArray

from elcrec.statistics.crossed import combined_freedom
from elcrec.statistics.noise import like_the_others, moderate
from elcrec.statistics.power import LEVEL

Values = NDArray[np.float64]
Hits = NDArray[np.bool_]
Design = tuple[int, int]

DRAWS = 4000
SEED = 1
DESIGNS = ((1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (3, 3))
"""Seeds of the two methods; the first never has more."""
NOISY = 5.0
"""How many times as large the training noise of a noisy model is."""
CASES = (
    ("alike", 1.0, 1.0, 1.0),
    ("noisy model in the pool", NOISY, 1.0, 1.0),
    ("noisy methods", 1.0, NOISY, NOISY),
    ("one noisy method", 1.0, NOISY, 1.0),
)
"""Name, and how noisy one model of the pool, method a and method b are."""
POOLS = (2, 6)
"""Other models with three seeds: 4 and 12 degrees of freedom."""
COLUMNS = ("noise", "pool_freedom", "seeds_a", "seeds_b", "primary", "users_only")
"""Of the outcome: the case and the pool, the seeds of the two methods, how often each test errs."""
_SEEDS_OF_POOL = 3
_AT_ONCE = 50  # draws whose users are in memory at the same time


@dataclass(frozen=True)
class Source:
    """What is simulated: hits of a recorded model."""

    rate: float
    """Mean hit rate over users and runs."""
    both: float
    """Share of users that two runs both hit, over all pairs of runs."""
    deviation: float
    """Relative standard deviation of a run's hit rate between trainings."""
    users: int

    @classmethod
    def of(cls, hits: Hits, deviation: float) -> Self:
        """From recorded hits, (runs, users), two runs or more, and the pooled training noise."""
        runs, users = hits.shape
        counts = hits.sum(0, dtype=np.int64)
        both_hit = float((counts * (counts - 1)).sum() / (runs * (runs - 1) * users))
        return cls(float(hits.mean()), both_hit, deviation, users)

    @property
    def interaction(self) -> float:
        """Relative variance of a run's hit rate that comes from chance hits alone."""
        return (self.rate - self.both) / self.users / self.rate**2

    @property
    def factor(self) -> float:
        """Relative standard deviation of the factor of a training: the rest of the noise."""
        return max(self.deviation**2 - self.interaction, 0.0) ** 0.5

    def propensities(self, draws: int, generator: np.random.Generator) -> Values:
        """Chance of each user to be hit, (draws, users)."""
        total = (self.rate - self.both) / (self.both - self.rate**2)
        return generator.beta(self.rate * total, (1 - self.rate) * total, (draws, self.users))


def simulate(
    source: Source,
    designs: Sequence[Design] = DESIGNS,
    pools: Sequence[int] = POOLS,
    draws: int = DRAWS,
    seed: int = SEED,
) -> pd.DataFrame:
    """Draw identical methods and test them, for every case, pool and design.

    Returns:
        A row for each, with `COLUMNS`; `primary` and `users_only` are the shares of draws in which
        the two methods were called different (p < .05), by the test with both sources of chance
        and by the paired t-test over users.
    """
    rows: list[tuple[object, ...]] = []
    for case, (name, noise_in_pool, *noises) in enumerate(CASES):
        generator = np.random.default_rng([seed, case])
        rates, users = _methods(source, designs, draws, noises, generator)
        for models in pools:
            scales = np.append(np.ones(models - 1), noise_in_pool)
            pool = _pool(source, scales, draws, generator)
            for n_a, n_b in designs:
                users_variance, p_users = users[n_a, n_b]
                a, b = rates[0, :, :n_a], rates[1, :, :n_b]
                p_primary = _primary(a, b, pool, users_variance, source.users)
                shares = [float((p < LEVEL).mean()) for p in (p_primary, p_users)]
                rows.append((name, models * (_SEEDS_OF_POOL - 1), n_a, n_b, *shares))
    return pd.DataFrame(rows, columns=COLUMNS)


def _methods(
    source: Source,
    designs: Sequence[Design],
    draws: int,
    noises: Sequence[float],
    generator: np.random.Generator,
) -> tuple[Values, Mapping[Design, Values]]:
    """Draw two methods, and compare them user by user.

    A draw of the noisy factor can be below 0 or lift a chance above 1; both are cut.

    Returns:
        (2, draws, seeds) hit rates; and for each design (2, draws), as `_over_users`.
    """
    seeds = max(map(max, designs))
    rates = np.empty((2, draws, seeds))
    users = {design: np.empty((2, draws)) for design in designs}
    for start in range(0, draws, _AT_ONCE):
        rows = slice(start, min(start + _AT_ONCE, draws))
        chances = source.propensities(rows.stop - start, generator)[:, None]  # (rows, 1, users)
        hits = []
        for noise in noises:
            factor = 1 + noise * source.factor * generator.standard_normal((len(chances), seeds, 1))
            uniforms = generator.random((len(chances), seeds, source.users), dtype=np.float32)
            hits.append(uniforms < np.clip(chances * factor, 0, 1))  # (rows, seeds, users)
        rates[:, rows] = [method.mean(2) for method in hits]
        for n_a, n_b in designs:
            users[n_a, n_b][:, rows] = _over_users(hits[0][:, :n_a], hits[1][:, :n_b])
    return rates, users


def _over_users(a: Hits, b: Hits) -> tuple[Values, Values]:
    """Statistics over users of two methods with hits (draws, seeds, users).

    Returns:
        (draws,) variance of the difference that is due to users, without the interaction where it
        can be estimated; and p of the paired t-test over users.
    """
    count = a.shape[2]
    difference = a.mean(1, dtype=np.float32) - b.mean(1, dtype=np.float32)  # (draws, users)
    variance = difference.var(1, ddof=1, dtype=np.float64)
    statistic = difference.mean(1, dtype=np.float64) / np.sqrt(variance / count)
    p_value = 2 * scipy.stats.t.sf(np.abs(statistic), count - 1)
    interaction_variance = _interaction(a) / a.shape[1] + _interaction(b) / b.shape[1]
    return np.maximum(variance - interaction_variance, 0.0) / count, p_value


def _interaction(hits: Hits) -> Values:
    """As `elcrec.statistics.crossed.interaction`, for many draws of hits: (draws, n, U).

    By sums, because a hit is its own square: the cells minus their means would be as many
    double-precision numbers.
    """
    n, users = hits.shape[1:]
    if n < 2:
        return np.zeros(len(hits))
    by_run, by_user = hits.sum(2, dtype=np.float64), hits.sum(1, dtype=np.float64)
    total = by_run.sum(1)
    squares = total - (by_user**2).sum(1) / n - (by_run**2).sum(1) / users + total**2 / (n * users)
    return squares / ((n - 1) * (users - 1))


def _pool(source: Source, scales: Values, draws: int, generator: np.random.Generator) -> Values:
    """Relative variances between three seeds of the other models: (draws, models)."""
    deviation = np.sqrt((scales * source.factor) ** 2 + source.interaction)
    runs = generator.standard_normal((draws, len(scales), _SEEDS_OF_POOL))
    return (deviation[:, None] * runs).var(2, ddof=1)


def _primary(a: Values, b: Values, pool: Values, users_variance: Values, count: int) -> Values:
    """p-values of the primary test, as `elcrec.statistics.crossed.crossed` of many draws.

    Args:
        a: (draws, seeds) hit rates of one method.
        b: The same of the other, which has no fewer seeds.
        pool: (draws, models) relative variances of the other models.
        users_variance: (draws,) variance of the difference that is due to users.
        count: Number of users.
    """
    with_seeds = [rates for rates in (a, b) if rates.shape[1] > 1]  # with a variance of their own
    own_variances = [rates.var(1, ddof=1) / rates.mean(1) ** 2 for rates in with_seeds]
    variances = np.column_stack([pool, *own_variances])
    own_freedoms = [rates.shape[1] - 1.0 for rates in with_seeds]
    freedoms = np.array([_SEEDS_OF_POOL - 1.0] * pool.shape[1] + own_freedoms)
    counts = like_the_others(variances, freedoms)

    def noise(rates: Values, column: int) -> tuple[Values, Values]:
        drop = [column] if rates.shape[1] > 1 else []
        rest = (np.delete(values, drop, axis=-1) for values in (variances, freedoms, counts))
        return moderate(variances[:, column] if drop else None, rates.shape[1] - 1, *rest)

    (noise_a, freedom_a), (noise_b, freedom_b) = noise(a, -2), noise(b, -1)
    if a.shape[1] == 1 < b.shape[1]:  # as noisy as its rival, if that is noisier
        freedom_a = np.where(noise_b > noise_a, freedom_b, freedom_a)
        noise_a = np.maximum(noise_a, noise_b)
    training = noise_a * a.mean(1) ** 2 / a.shape[1] + noise_b * b.mean(1) ** 2 / b.shape[1]
    least_freedom = np.minimum(freedom_a, freedom_b)
    freedom = np.vectorize(combined_freedom)(users_variance, count - 1, training, least_freedom)
    statistic = (a.mean(1) - b.mean(1)) / np.sqrt(users_variance + training)
    return np.asarray(2 * scipy.stats.t.sf(np.abs(statistic), freedom))
