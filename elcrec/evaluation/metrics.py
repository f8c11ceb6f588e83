"""Accuracy metrics from ranks.

A rank is 0-based: the number of items placed before the target among all items, so rank 0 is a hit
at the first place. Full ranking, one target per user; every user counts the same.
Source: `elcrec.evaluation.ranking` gives the ranks, the paper's section on evaluation the metrics.
"""

import re
from collections.abc import Callable
from math import log2

import numpy as np
from numpy.typing import ArrayLike, NDArray

SELECTABLE = ("HR@5", "HR@10", "HR@20", "NDCG@5", "NDCG@10", "NDCG@20")
"""Metrics that may select the tested epoch (`select_by`); their code is part of
`elcrec.runs.fingerprint`."""
METRICS = SELECTABLE
"""Metrics recorded for every run; any other is computed from its ranks when the run is read."""
TABLE_METRICS = ("HR@5", "HR@20", "NDCG@5", "NDCG@20")
"""Metrics that the paper's Table 1 prints, in its order."""


def per_user(name: str, ranks: ArrayLike) -> NDArray[np.float64]:
    """One metric of each user: (users,) float64 in [0, 1]; its mean is the metric.

    HR@k is 1 if the target is among the k best, else 0. NDCG@k is 1 / log2(rank + 2) if it is, else
    0; with one target per user the ideal gain is 1, so this is already normalised. MRR@k is
    1 / (rank + 1) if it is, else 0.

    Args:
        name: `HR@k`, `NDCG@k` or `MRR@k`, e.g. `NDCG@5`; k may exceed the number of items.
        ranks: (users,) 0-based ranks.

    Raises:
        ValueError: No ranks, negative or non-integer ranks, k below 1 or an unknown name.
    """
    match = re.fullmatch(r"(\w+)@(\d+)", name)
    if match is None or match[1] not in FAMILIES:
        raise ValueError(
            f"unknown metric '{name}'; allowed: "
            f"{', '.join(f'{family}@k' for family in FAMILIES)}, e.g. NDCG@5"
        )
    return FAMILIES[match[1]](_checked(ranks), int(match[2]))


def summarise(ranks: ArrayLike) -> dict[str, float]:
    """Return all of `METRICS` for (users,) 0-based ranks; errors as for `per_user`."""
    checked = _checked(ranks)
    return {name: float(per_user(name, checked).mean()) for name in METRICS}


def ndcg_bound(hr5: float, hr20: float, ndcg5: float) -> tuple[float, float]:
    """Return the interval that NDCG@20 must lie in, given the other metrics of the same ranks.

    The users that HR@20 adds to HR@5 have ranks 5 to 19, each worth 1 / log2(7) at most and
    1 / log2(21) at least. The interval holds for means over runs too.
    """
    added = hr20 - hr5
    return ndcg5 + added / log2(21), ndcg5 + added / log2(7)


def _checked(ranks: ArrayLike) -> NDArray[np.integer]:
    array = np.asarray(ranks)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"ranks must be one number per user, got shape {array.shape}")
    if array.dtype.kind not in "iu":
        raise ValueError(f"ranks must be integers, got {array.dtype}")
    if array.min() < 0:
        raise ValueError(f"ranks must be 0 or more, got {array.min()}")
    return array


def _hits(ranks: NDArray[np.integer], k: int) -> NDArray[np.float64]:
    if k < 1:
        raise ValueError(f"k must be 1 or more, got {k}")
    return (ranks < k).astype(np.float64)


def _gains(ranks: NDArray[np.integer], k: int) -> NDArray[np.float64]:
    return _hits(ranks, k) / np.log2(ranks + 2.0)


def _reciprocals(ranks: NDArray[np.integer], k: int) -> NDArray[np.float64]:
    return _hits(ranks, k) / (ranks + 1.0)


FAMILIES: dict[str, Callable[[NDArray[np.integer], int], NDArray[np.float64]]] = {
    "HR": _hits,
    "NDCG": _gains,
    "MRR": _reciprocals,
}
"""First part of a metric's name (`MetricName` in the configuration lists them too), and how the
metric is computed from (users,) ranks and k."""
