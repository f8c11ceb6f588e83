"""How far a metric may deviate from its recorded value before that counts as a regression.

The users of a data set are the same in every run, so what varies is the training: its seed, and
rounding errors, which training amplifies to the effect of another seed. Two yardsticks:

- `seeds`: the spread over seeds, where every model was run with three or more: the t quantile of
  the difference of two means. The variance is pooled over the models of a data set, because a
  single model's few seeds say little about it.
- `users`: 1.96 standard errors over users (binomial for HR), where there are fewer seeds. It
  answers another question, how much a new sample of users would change; in the recorded runs it is
  one to five times the standard deviation over seeds, so it is the less sensitive of the two.

`one user`, 1 / users, is the smallest tolerance of any metric, and that of a model whose seeds all
agree.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Literal, NamedTuple

import numpy as np
import scipy.stats

from elcrec.evaluation.metrics import TABLE_METRICS, per_user
from elcrec.runs.comparison import SeedRuns

Source = Literal["seeds", "users", "one user"]

FEWEST_SEEDS = 3
"""With fewer, the spread over seeds is not used."""
TAIL = 0.001
"""Share of faultless runs that exceed a tolerance from seeds, both sides together."""
STANDARD_ERRORS = 1.96
"""Number of standard errors over users in a tolerance from users."""


class Tolerance(NamedTuple):
    """An absolute tolerance and where it comes from."""

    value: float
    source: Source


class Spread(NamedTuple):
    """Standard deviation over seeds, pooled over models."""

    deviation: float
    freedom: int
    """Degrees of freedom; 0 when no model has enough seeds."""


def tolerances(recorded: Mapping[str, SeedRuns]) -> dict[str, dict[str, Tolerance]]:
    """Model to metric to tolerance.

    Args:
        recorded: The recorded runs of each model on one data set, all of the same seeds.
    """
    varied = [runs for runs in recorded.values() if not _seedless(runs)]
    result: dict[str, dict[str, Tolerance]] = {model: {} for model in recorded}
    for name in TABLE_METRICS:
        spread = pooled(_values(name, runs) for runs in varied)
        for model, runs in recorded.items():
            values = [per_user(name, run.ranks["test"]) for run in runs]
            result[model][name] = tolerance(
                seeds=len(runs),
                spread=None if _seedless(runs) else spread,
                user_error=fmean(float(scipy.stats.sem(user_values)) for user_values in values),
                users=runs[0].users,
            )
    return result


def _values(name: str, runs: SeedRuns) -> list[float]:
    return [run.metrics["test"][name] for run in runs]


def _seedless(runs: SeedRuns) -> bool:
    """Whether the model ignores the seed: all seeds agree in every metric."""
    constant = all(len(set(_values(name, runs))) == 1 for name in TABLE_METRICS)
    return len(runs) >= FEWEST_SEEDS and constant


def pooled(groups: Iterable[Sequence[float]]) -> Spread:
    """Pool the variance of the groups that have at least `FEWEST_SEEDS` values.

    Args:
        groups: One metric of one model per seed, for each model.
    """
    samples = [np.asarray(g, dtype=np.float64) for g in groups if len(g) >= FEWEST_SEEDS]
    freedom = sum(len(g) - 1 for g in samples)
    squares = sum(float(((g - g.mean()) ** 2).sum()) for g in samples)
    return Spread(math.sqrt(squares / freedom) if freedom else 0.0, freedom)


def tolerance(seeds: int, spread: Spread | None, user_error: float, users: int) -> Tolerance:
    """The tolerance of one metric of one model.

    Args:
        seeds: Runs whose mean is compared, the same number on both sides.
        spread: Over seeds; None for a model whose seeds all agree.
        user_error: Standard error of the metric over users.
        users: Number of users.
    """
    least = Tolerance(1 / users, "one user")
    if spread is None:
        return least
    if seeds < FEWEST_SEEDS or not spread.freedom:
        result = Tolerance(STANDARD_ERRORS * user_error, "users")
    else:
        quantile = float(scipy.stats.t.ppf(1 - TAIL / 2, spread.freedom))
        result = Tolerance(quantile * spread.deviation * math.sqrt(2 / seeds), "seeds")
    return max(result, least)
