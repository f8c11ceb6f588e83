"""Training noise: how much a metric differs between trainings that differ in their seed alone.

The noise of one model is estimated from few seeds, so it is moderated: drawn towards the pool of
all other models, as far as these agree with each other (empirical Bayes: Smyth, "Linear models and
empirical Bayes methods for assessing differential expression in microarray experiments", 2004).
Variances are relative to the squared mean of the metric, so that models and data sets compare.

Written out in NumPy, over many draws at once, because the library that has it (limma) is for R and
the simulation in `elcrec.statistics.calibration` needs hundreds of thousands of moderations.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import inf, nan
from typing import Self

import numpy as np
import scipy.special
import scipy.stats
from numpy.typing import NDArray

Values = NDArray[np.float64]
Key = tuple[str, str]
"""Data set and model."""
UNLIKE_THE_POOL = 0.15
"""A model's variance is not moderated if its upper tail probability under the pool is below this.

A departure from Smyth, whose models have one distribution of noise. The value was chosen with
`elcrec.statistics.calibration`: it keeps the rejections of a method five times as noisy as the
others against itself near 5 % from two seeds each on; smaller values do not. The price: of models
like the others, about a fifth are judged by their own few seeds."""
NOISIER_THAN_THE_POOL = 0.05
"""A variance whose upper tail probability under the other models' is below this leaves the pool.

So one noisy model does not widen the intervals of all others. Used instead of the robust estimate
of Phipson et al., "Robust hyperparameter estimation protects against hypervariable genes", 2016,
which needs many variances."""
_TIE = 1e-6  # of the median: a variance below is that of runs that agree by chance


@dataclass(frozen=True)
class Noise:
    """Training noise of one model on one metric of one data set."""

    variance: float
    """Of the mean over users between trainings, relative to the squared mean; nan: unknown."""
    freedom: float
    """Degrees of freedom behind it; infinite where the variance is known."""

    @property
    def deviation(self) -> float:
        """Relative standard deviation of a single run."""
        return self.variance**0.5


NONE = Noise(0.0, inf)
"""The noise of a model that is the same after every training."""
UNKNOWN = Noise(nan, 0.0)
"""The noise where no model has two seeds."""


@dataclass(frozen=True)
class Pool:
    """The variances between seeds of one metric, of all models and data sets that have them."""

    variances: Mapping[Key, float]
    """Sample variance (n - 1) of the runs' values, relative to their squared mean."""
    freedoms: Mapping[Key, int]
    """Seeds - 1 of each."""
    fixed: Collection[Key] = ()
    """Models whose trainings are all alike, rank by rank: they have no training noise."""

    @classmethod
    def of(cls, values: Mapping[Key, Sequence[float]], fixed: Collection[Key] = ()) -> Self:
        """Collect the variances.

        Args:
            values: The metric of each run, one for each seed, by data set and model.
            fixed: Keys of models that are the same after every training.
        """
        usable = {
            key: np.asarray(runs, dtype=np.float64)
            for key, runs in values.items()
            if len(runs) > 1 and key not in fixed and np.mean(runs) > 0
        }
        return cls(
            {key: float(runs.var(ddof=1) / runs.mean() ** 2) for key, runs in usable.items()},
            {key: len(runs) - 1 for key, runs in usable.items()},
            frozenset(fixed),
        )

    @property
    def freedom(self) -> int:
        """Degrees of freedom of all variances together."""
        return sum(self.freedoms.values())

    @property
    def typical(self) -> Noise:
        """Training noise of a model that is not in the pool."""
        return self.noise(("", ""))

    @property
    def noisier(self) -> list[Key]:
        """Models that are noisier than the others and do not count for these."""
        keys = list(self.variances)
        like = like_the_others(*self._arrays(keys))[0]
        return [key for key, alike in zip(keys, like, strict=True) if not alike]

    def noise(self, key: Key, *, without: Collection[Key] = ()) -> Noise:
        """Training noise of a model: its own moderated by the others', or theirs alone.

        Args:
            key: Data set and model.
            without: Keys that are left out of the pool, the model's own included if it is here.
        """
        if key in self.fixed:
            return NONE
        left_out = {key, *without, *self.noisier}
        others = [k for k in self.variances if k not in left_out]
        own = None
        if key in self.variances and key not in without:
            own = np.array([self.variances[key]])
        elif not others:
            return UNKNOWN
        variance, freedom = moderate(own, self.freedoms.get(key, 0), *self._arrays(others))
        return Noise(float(variance[0]), float(freedom[0]))

    def _arrays(self, keys: Sequence[Key]) -> tuple[Values, Values]:
        """Variances (1, k) and degrees of freedom (k,) of some models."""
        freedoms = np.array([self.freedoms[key] for key in keys], dtype=np.float64)
        return np.array([[self.variances[key] for key in keys]]), freedoms


def moderate(
    own: Values | None,
    own_freedom: float,
    others: Values,
    freedoms: Values,
    counts: NDArray[np.bool_] | None = None,
) -> tuple[Values, Values]:
    """Moderated variances, for many draws at once.

    A variance s² with f degrees of freedom becomes (f0 s0² + f s²) / (f0 + f), where s0² and f0
    describe how the true variances of the other models are spread (`prior`). Where s² is larger
    than that spread makes plausible, the model is noisier than the others and s² is used alone.

    Args:
        own: (draws,) variances of the model; None without seeds of its own.
        own_freedom: Their degrees of freedom.
        others: (draws, k) variances of the other models; k may be 0.
        freedoms: (k,) their degrees of freedom.
        counts: (draws, k) which of them count, see `like_the_others`; all by default.

    Returns:
        (draws,) variances and their degrees of freedom.
    """
    if own is not None and not len(freedoms):
        return own, np.full(own.shape, float(own_freedom))
    centre, weight = prior(others, freedoms, counts)
    if own is None:
        return centre, weight
    moderated = (weight * centre + own_freedom * own) / (weight + own_freedom)
    ratio = np.divide(own, centre, out=np.full(own.shape, inf), where=centre > 0)
    # Without any that counts the weight is 0, and the model's own variance is used alone.
    noisier = (weight == 0) | (scipy.stats.f.sf(ratio, own_freedom, weight) < UNLIKE_THE_POOL)
    return np.where(noisier, own, moderated), np.where(noisier, own_freedom, own_freedom + weight)


def prior(
    variances: Values, freedoms: Values, counts: NDArray[np.bool_] | None = None
) -> tuple[Values, Values]:
    """Scaled inverse chi-square distribution of the true variances behind observed ones.

    From mean and variance of the logarithms (Smyth 2004, section 6.2). Where these spread no more
    than sampling explains, all true variances are taken to be the pooled mean. So they are where
    a variance is 0 because two runs have, by chance, equally many hits: its logarithm would
    outweigh all others. The degrees of freedom are never more than those of the variances that
    count: with few models the spread between them is hardly known.

    Args:
        variances: (draws, k) observed variances.
        freedoms: (k,) their degrees of freedom.
        counts: (draws, k) which of them count; all by default.

    Returns:
        (draws,) scale s0² and degrees of freedom f0; both 0 where none counts.
    """
    counts = np.ones(variances.shape, dtype=bool) if counts is None else counts
    total = (counts * freedoms).sum(1)
    models = np.maximum(counts.sum(1), 1)
    centre = np.where(counts, variances * freedoms, 0.0).sum(1) / np.maximum(total, 1)
    untied = variances.min(1) > _TIE * np.median(variances, axis=1)
    logs = np.log(np.where(untied[:, None], variances, 1.0))
    logs += np.log(freedoms / 2) - scipy.special.digamma(freedoms / 2)
    mean_log = np.where(counts, logs, 0.0).sum(1) / models
    squares = np.where(counts, (logs - mean_log[:, None]) ** 2, 0.0).sum(1)
    sampling_variance = (counts * scipy.special.polygamma(1, freedoms / 2)).sum(1) / models
    spread = squares / np.maximum(models - 1, 1) - sampling_variance
    is_spread = untied & (models > 1) & (spread > 0)
    prior_freedom = 2 * _inverse_trigamma(spread[is_spread])
    shift = scipy.special.digamma(prior_freedom / 2) - np.log(prior_freedom / 2)
    freedom = total.astype(np.float64)
    centre[is_spread] = np.exp(mean_log[is_spread] + shift)
    freedom[is_spread] = np.minimum(prior_freedom, total[is_spread])
    return centre, freedom


def like_the_others(variances: Values, freedoms: Values) -> NDArray[np.bool_]:
    """Which models are no noisier than the pooled mean of all others makes plausible.

    Args:
        variances: (draws, k) variances of all models.
        freedoms: (k,) their degrees of freedom.

    Returns:
        (draws, k); at least one in each draw.
    """
    if variances.shape[1] < 2:
        return np.ones(variances.shape, dtype=bool)
    sums = variances * freedoms
    other_freedoms = freedoms.sum() - freedoms
    others = (sums.sum(1, keepdims=True) - sums) / other_freedoms
    ratio = np.divide(variances, others, out=np.ones(others.shape), where=others > 0)
    return np.asarray(scipy.stats.f.sf(ratio, freedoms, other_freedoms) >= NOISIER_THAN_THE_POOL)


def _inverse_trigamma(values: Values) -> Values:
    """Solve trigamma(x) = value by Newton's method on 1 / trigamma, which is nearly straight."""
    x = 0.5 + 1 / values
    for _ in range(50):
        trigamma = scipy.special.polygamma(1, x)
        step = trigamma * (1 - trigamma / values) / scipy.special.polygamma(2, x)
        x = x + step
        if not len(x) or np.max(-step / x) < 1e-8:
            break
    return x
