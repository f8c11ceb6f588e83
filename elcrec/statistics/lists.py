"""Properties of lists of recommended items as a whole, whether they are right or not.

Lists are (users, k) numbers of items from 1, each at most once in a list; 0 stands for no item.
Popularity is counted in the training items.
"""

import numpy as np
from numpy.typing import NDArray

Lists = NDArray[np.integer]
PAIRS = 2**24
"""Pairs of items that are compared at once."""


def shown(lists: Lists, n_items: int) -> NDArray[np.int64]:
    """How many lists each item is in: (items,), item 1 first."""
    return np.bincount(lists.ravel(), minlength=n_items + 1)[1:]


def gini(counts: NDArray[np.integer]) -> float:
    """Gini coefficient: 0 where all items are shown equally often, near 1 where only one is.

    The mean difference between two items in units of twice the mean.
    """
    ordered, n = np.sort(counts), len(counts)
    weights = 2 * np.arange(1, n + 1) - n - 1
    return float(weights @ ordered / (n * ordered.sum()))


def mean_popularity(lists: Lists, counts: NDArray[np.integer]) -> float:
    """Mean number of training users of the listed items.

    Args:
        lists: The lists.
        counts: (items + 1,) training users of each item, that of number 0 unused.
    """
    return float(counts[lists[lists > 0]].mean())


def novelty(lists: Lists, counts: NDArray[np.integer], users: int) -> float:
    """Mean self-information of the listed items in bits, log2(users / users of the item).

    An item without a training user counts as if it had one. Source: Zhou et al., "Solving the
    apparent diversity-accuracy dilemma of recommender systems" (PNAS 2010).
    """
    item_users = np.maximum(counts[lists[lists > 0]], 1)
    return float(np.log2(users / item_users).mean())


def jaccard(a: Lists, b: Lists) -> float:
    """Mean over users of common items / items in either list; users without any are left out."""
    step = max(1, PAIRS // (a.shape[1] * b.shape[1]))
    common = np.concatenate(
        [
            ((x[:, :, None] == y[:, None, :]) & (x > 0)[:, :, None]).sum((1, 2))
            for x, y in ((a[i : i + step], b[i : i + step]) for i in range(0, len(a), step))
        ]
    )
    union = (a > 0).sum(1) + (b > 0).sum(1) - common
    return float((common[union > 0] / union[union > 0]).mean())
