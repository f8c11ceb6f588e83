"""How often the tests call equal methods different: a simulation on recorded runs.

Users differ in how easily they are hit: a Beta distribution whose mean is the hit rate of the
recorded runs and whose spread makes two seeds agree as often as they do. A training multiplies the
chances of all users by one random factor, so that means of runs spread as recorded. Two methods
that are the same in every respect are drawn with their seeds, and beside them the models of the
pool, whose runs are drawn by their means.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from elcrec.statistics.crossed import combined_freedom
from elcrec.statistics.noise import like_the_others, moderate
from elcrec.statistics.power import LEVEL

DRAWS = 4000
SEED = 1
DESIGNS = ((1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (3, 3))
"""Seeds of the two methods; the first never has more."""
POOLS = (2, 6)
"""Other models with three seeds: 4 and 12 degrees of freedom."""
NOISY = 5.0
"""How many times as large the training noise of a noisy model is."""
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
    def of(cls, hits: NDArray[np.bool_], deviation: float) -> Source:
        """From recorded hits, (runs, users), two runs or more, and the pooled training noise."""
        runs, users = hits.shape
        counts = hits.sum(0, dtype=np.int64)
        both = float((counts * (counts - 1)).sum() / (runs * (runs - 1) * users))
        return cls(float(hits.mean()), both, deviation, users)

    @property
    def interaction(self) -> float:
        """Relative variance of a run's hit rate that comes from chance hits alone."""
        return (self.rate - self.both) / self.users / self.rate**2

    @property
    def factor(self) -> float:
        """Relative standard deviation of the factor of a training: the rest of the noise."""
        return max(self.deviation**2 - self.interaction, 0.0) ** 0.5

    def propensities(self, generator: np.random.Generator) -> NDArray[np.float64]:
        """Chance of each user to be hit, (users,)."""
        total = (self.rate - self.both) / (self.both - self.rate**2)
        return generator.beta(self.rate * total, (1 - self.rate) * total, self.users)


@dataclass(frozen=True)
class Rejections:
    """Share of draws in which two identical methods were called different, p < .05."""

    noise: str
    """`alike`, `noisy model in the pool`, `noisy methods` or `one noisy method`."""
    pool_freedom: int
    seeds_a: int
    seeds_b: int
    primary: float
    """By the test with both sources of chance."""
    users_only: float
    """By the paired t-test over users."""


CASES = (
    ("alike", 1.0, 1.0, 1.0),
    ("noisy model in the pool", NOISY, 1.0, 1.0),
    ("noisy methods", 1.0, NOISY, NOISY),
    ("one noisy method", 1.0, NOISY, 1.0),
)
"""Name, and how noisy one model of the pool, method a and method b are."""


def simulate(
    source: Source,
    designs: Sequence[tuple[int, int]] = DESIGNS,
    pools: Sequence[int] = POOLS,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Iterator[Rejections]:
    """Draw identical methods and test them, for every case, pool and design."""
    for case, (name, in_pool, noise_a, noise_b) in enumerate(CASES):
        generator = np.random.default_rng([seed, case])
        a, b, found = _methods(source, designs, draws, (noise_a, noise_b), generator)
        for models in pools:
            scales = np.ones(models)
            scales[-1] = in_pool
            pool = _pool(source, scales, draws, generator)
            for n_a, n_b in designs:
                users = found[n_a, n_b]
                primary = _primary(a[:, :n_a], b[:, :n_b], pool, users, source.users)
                yield Rejections(
                    noise=name,
                    pool_freedom=models * (_SEEDS_OF_POOL - 1),
                    seeds_a=n_a,
                    seeds_b=n_b,
                    primary=float((primary < LEVEL).mean()),
                    users_only=float((users.p_value < LEVEL).mean()),
                )


@dataclass(frozen=True)
class _Users:
    """What users say of a design, one value for each draw."""

    variance: NDArray[np.float64]
    """Of the difference, without the interaction where it can be told."""
    p_value: NDArray[np.float64]
    """Of the paired t-test over users."""


def _methods(
    source: Source,
    designs: Sequence[tuple[int, int]],
    draws: int,
    noises: tuple[float, float],
    generator: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[tuple[int, int], _Users]]:
    """Draw two methods: hit rates (draws, seeds) of each, and what users say of each design.

    A draw of the noisy factor can be below 0 or lift a chance above 1; both are cut.
    """
    seeds = max(max(design) for design in designs)
    rates = np.empty((2, draws, seeds))
    variance = {design: np.empty(draws) for design in designs}
    p_value = {design: np.empty(draws) for design in designs}
    for start in range(0, draws, _AT_ONCE):
        rows = slice(start, min(start + _AT_ONCE, draws))
        chances = np.stack([source.propensities(generator) for _ in range(rows.stop - start)])
        hits = []
        for noise in noises:
            factor = 1 + noise * source.factor * generator.standard_normal((len(chances), seeds, 1))
            drawn = generator.random((len(chances), seeds, source.users), dtype=np.float32)
            hits.append(drawn < np.clip(chances[:, None] * factor, 0, 1))
        for method, found in enumerate(hits):
            rates[method, rows] = found.mean(2)
        for design in designs:
            outcome = _users(hits[0][:, : design[0]], hits[1][:, : design[1]])
            variance[design][rows], p_value[design][rows] = outcome
    told = {d: _Users(variance[d], p_value[d]) for d in designs}
    return rates[0], rates[1], told


def _users(
    a: NDArray[np.bool_], b: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Variance from users and p-value over users, for hits (draws, seeds, users) of two methods."""
    count = a.shape[2]
    difference = a.mean(1, dtype=np.float32) - b.mean(1, dtype=np.float32)
    whole = difference.var(1, ddof=1, dtype=np.float64)
    statistic = difference.mean(1, dtype=np.float64) / np.sqrt(whole / count)
    p_value = 2 * scipy.stats.t.sf(np.abs(statistic), count - 1)
    inside = _interaction(a) / a.shape[1] + _interaction(b) / b.shape[1]
    return np.maximum(whole - inside, 0.0) / count, p_value


def _interaction(hits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """As `elcrec.statistics.crossed.interaction`, for many draws of hits: (draws, n, U)."""
    n, users = hits.shape[1:]
    if n < 2:
        return np.zeros(len(hits))
    by_run, by_user = hits.sum(2, dtype=np.float64), hits.sum(1, dtype=np.float64)
    total = by_run.sum(1)
    squares = total - (by_user**2).sum(1) / n - (by_run**2).sum(1) / users + total**2 / (n * users)
    return squares / ((n - 1) * (users - 1))


def _pool(
    source: Source, scales: NDArray[np.float64], draws: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Relative variances between three seeds of the other models: (draws, models)."""
    deviation = np.sqrt((scales * source.factor) ** 2 + source.interaction)
    runs = generator.standard_normal((draws, len(scales), _SEEDS_OF_POOL))
    return (deviation[:, None] * runs).var(2, ddof=1)


def _primary(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    pool: NDArray[np.float64],
    users: _Users,
    count: int,
) -> NDArray[np.float64]:
    """p-values of the primary test for hit rates (draws, seeds) of two methods: (draws,).

    a has no more seeds than b.
    """
    own = [_relative_variance(rates) for rates in (a, b)]
    variances, freedoms = [pool], [np.full(pool.shape[1], _SEEDS_OF_POOL - 1.0)]
    columns: list[int | None] = []  # of the two methods, among all that have seeds
    for variance, rates in zip(own, (a, b), strict=True):
        columns.append(None if variance is None else sum(map(len, freedoms)))
        if variance is not None:
            variances.append(variance[:, None])
            freedoms.append(np.array([rates.shape[1] - 1.0]))
    every, of_every = np.concatenate(variances, axis=1), np.concatenate(freedoms)
    like = like_the_others(every, of_every)
    noise = []
    for variance, rates, column in zip(own, (a, b), columns, strict=True):
        others = np.arange(len(of_every)) != (-1 if column is None else column)
        noise.append(
            moderate(
                variance, rates.shape[1] - 1, every[:, others], of_every[others], like[:, others]
            )
        )
    (noise_a, freedom_a), (noise_b, freedom_b) = noise
    if a.shape[1] == 1 < b.shape[1]:  # as noisy as its rival, if that is noisier
        noise_a, freedom_a = np.maximum(noise_a, noise_b), _freedom_of_larger(*noise)
    training = noise_a * a.mean(1) ** 2 / a.shape[1] + noise_b * b.mean(1) ** 2 / b.shape[1]
    smaller = np.minimum(freedom_a, freedom_b)
    freedom = np.array(
        [
            combined_freedom(u, count - 1, t, f)
            for u, t, f in zip(users.variance, training, smaller, strict=True)
        ]
    )
    statistic = (a.mean(1) - b.mean(1)) / np.sqrt(users.variance + training)
    return np.asarray(2 * scipy.stats.t.sf(np.abs(statistic), freedom))


def _freedom_of_larger(
    a: tuple[NDArray[np.float64], NDArray[np.float64]],
    b: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> NDArray[np.float64]:
    return np.where(b[0] > a[0], b[1], a[1])


def _relative_variance(rates: NDArray[np.float64]) -> NDArray[np.float64] | None:
    if rates.shape[1] < 2:
        return None
    return rates.var(1, ddof=1) / rates.mean(1) ** 2
