"""How closely two groupings of the same users are related."""

from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

SHUFFLES = 20
"""Random orders from which the value expected by chance is estimated."""


def contingency_table(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """How many users are in each pair of groups; group numbers start from 0."""
    first, second = np.asarray(a), np.asarray(b)
    table = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(table, (first, second), 1)
    return table


def mutual_information(a: ArrayLike, b: ArrayLike) -> float:
    """Mutual information of two groupings (users,), in bits."""
    shares = contingency_table(a, b)
    shares /= shares.sum()
    expected = np.outer(shares.sum(1), shares.sum(0))
    nonzero = shares > 0
    return float((shares[nonzero] * np.log2(shares[nonzero] / expected[nonzero])).sum())


def above_chance(a: ArrayLike, b: ArrayLike) -> float:
    """The same minus its mean over random orders of the users: many small groups share some."""
    random = np.random.default_rng(0)
    chance = [mutual_information(a, random.permutation(b)) for _ in range(SHUFFLES)]
    return mutual_information(a, b) - float(np.mean(chance))


def adjusted_rand(a: ArrayLike, b: ArrayLike) -> float:
    """Adjusted Rand index of two groupings (users,): 1: equal, 0: chance; nan if both are one.

    Source: Hubert & Arabie, "Comparing partitions" (Journal of Classification, 1985).
    """
    table = contingency_table(a, b)
    in_both, first, second = (_pairs(n) for n in (table, table.sum(1), table.sum(0)))
    expected = first * second / _pairs(table.sum())
    most = (first + second) / 2
    return float((in_both - expected) / (most - expected)) if most > expected else nan


def _pairs(counts: ArrayLike) -> float:
    sizes = np.asarray(counts)
    return float((sizes * (sizes - 1) / 2).sum())
