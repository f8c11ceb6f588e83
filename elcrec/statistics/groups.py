"""Users grouped by how active they are."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

GROUPS = 5
"""In the table and figure of accuracy by activity; a data set with fewer users has no groups."""


def activity_groups(lengths: ArrayLike, n_groups: int) -> NDArray[np.int8]:
    """Group users by the length of their history, into equally large groups.

    Users are ordered by length, and the order is cut into parts whose sizes differ by one at most.
    So users with equally long histories may fall into neighboring groups; which of them do is drawn
    with a fixed seed. User numbers must not decide: they follow the first appearance in the raw
    file, and are strongly related to accuracy (on Beauty, the higher the number of a user with five
    items, the higher the hit rate).

    Args:
        lengths: (users,) items in each user's history.
        n_groups: Number of groups, from 1 to 127.

    Returns:
        (users,) group of each user, from 0, the least active, to n_groups - 1.

    Raises:
        ValueError: Fewer users than groups, or a number of groups that is not allowed.
    """
    array = np.asarray(lengths)
    if not 1 <= n_groups <= 127:
        raise ValueError(f"n_groups must be 1 to 127, got {n_groups}")
    if array.ndim != 1 or len(array) < n_groups:
        raise ValueError(f"{n_groups} groups need at least as many users, got shape {array.shape}")
    groups = np.empty(len(array), dtype=np.int8)
    shuffled = np.random.default_rng(0).permutation(len(array))
    order = shuffled[np.argsort(array[shuffled], kind="stable")]
    groups[order] = np.arange(len(array)) * n_groups // len(array)
    return groups
