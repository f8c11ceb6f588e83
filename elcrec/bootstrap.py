"""Bootstrap interval of a mean over users, e.g. of the difference between two models.

Users are drawn with replacement, each with both models' values: a paired bootstrap. The interval is
the percentile interval (Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from elcrec.stats import CONFIDENCE

RESAMPLES = 10_000
SEED = 0
_ROWS = 100  # resamples per matrix product: 28 MB for 35,000 users


def bootstrap_intervals(
    values: ArrayLike,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    confidence: float = CONFIDENCE,
) -> NDArray[np.float64]:
    """Return the interval of each column's mean: (m, 2) lower and upper ends.

    All columns see the same resamples.

    Args:
        values: (n, m) one row per user, one column per quantity, e.g. the differences between two
            models on m metrics.
        resamples: How many times n users are drawn.
        seed: Of the draws; the same seed gives the same intervals.
        confidence: Share of the resampled means that the interval holds.

    Raises:
        ValueError: Values that are not a finite (n, m) table with a row, no resample, or a
            confidence outside (0, 1).
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or len(table) == 0 or not np.isfinite(table).all():
        raise ValueError(f"values must be a finite table of users x columns, got {table.shape}")
    if resamples < 1 or not 0 < confidence < 1:
        raise ValueError("resamples must be 1 or more, and confidence between 0 and 1")
    tail = (1 - confidence) / 2
    random = np.random.Generator(np.random.SFC64(seed))  # the fastest of numpy's
    means = _resampled_means(table, resamples, random)
    return np.quantile(means, [tail, 1 - tail], axis=0).T


def _resampled_means(
    table: NDArray[np.float64], resamples: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Means of `table` (n, m) over users drawn with replacement: (resamples, m).

    Most users miss under every model. A row of zeros adds nothing, however often it is drawn, so
    only the number of draws that fall on other rows is drawn, and then those.
    """
    users = len(table)
    table = table[table.any(axis=1)]
    used = len(table)
    if not used:
        return np.zeros((resamples, table.shape[1]))
    sums = []
    for start in range(0, resamples, _ROWS):
        draws = random.binomial(users, used / users, size=min(_ROWS, resamples - start))
        times = [
            np.bincount(random.integers(used, size=count, dtype=np.int32), minlength=used)
            for count in draws
        ]
        sums.append(np.stack(times).astype(np.float64) @ table)
    return np.concatenate(sums) / users
