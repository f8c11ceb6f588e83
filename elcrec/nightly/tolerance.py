"""How far a metric may lie from its recorded value before that counts as a regression.

The users of a data set are the same in every run, so what varies is the training: its seed, and
rounding, which training turns into what another seed would give. Two yardsticks:

- `seeds`: the spread over seeds, where every model was run with three or more. The variance is
  pooled over the models of a data set, because a single model's few seeds say little about it.
- `users`: the standard error over users (binomial for HR), where there are fewer seeds. It answers
  another question, what a new sample of users would give; in the recorded runs it is one to five
  times the standard deviation over seeds, so it is the blunter of the two.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.stats

Source = Literal["seeds", "users", "one user"]

FEWEST_SEEDS = 3
"""With fewer, the spread over seeds is not used."""
TAIL = 0.001
"""Share of runs without any fault that exceed a tolerance from seeds, both sides together."""
STANDARD_ERRORS = 1.96
"""Standard errors over users that make a tolerance from users."""

ABOUT = (
    "tolerance: largest absolute difference of the mean over seeds that is no regression. "
    f"seeds: t quantile (two-sided {TAIL:g}) x standard deviation over seeds, pooled over the "
    "models of the data set, x sqrt(2 / seeds); "
    f"users: {STANDARD_ERRORS} standard errors over users, with fewer than {FEWEST_SEEDS} seeds; "
    "one user: 1 / users, the least that any metric is given, and what a model has "
    "whose seeds all agree."
)
"""Said in every reference file."""


@dataclass(frozen=True)
class Tolerance:
    """An absolute tolerance and where it comes from."""

    value: float
    source: Source


@dataclass(frozen=True)
class Spread:
    """Standard deviation over seeds, pooled over models."""

    deviation: float
    freedom: int
    """Degrees of freedom; 0 when no model has enough seeds."""


def pooled(groups: Iterable[Sequence[float]]) -> Spread:
    """Pool the variance of the groups that have at least `FEWEST_SEEDS` values.

    Args:
        groups: One metric of one model per seed, for each model.
    """
    kept = [np.asarray(g, dtype=np.float64) for g in groups if len(g) >= FEWEST_SEEDS]
    freedom = sum(len(g) - 1 for g in kept)
    squares = sum(float(((g - g.mean()) ** 2).sum()) for g in kept)
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
        found = Tolerance(STANDARD_ERRORS * user_error, "users")
    else:
        quantile = float(scipy.stats.t.ppf(1 - TAIL / 2, spread.freedom))
        found = Tolerance(quantile * spread.deviation * math.sqrt(2 / seeds), "seeds")
    return max(found, least, key=lambda t: t.value)
