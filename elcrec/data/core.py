"""From interactions to sequences: the 5-core, the order of each user's items, and the ids.

Users are numbered in order of first appearance in the raw file, counting lines that the core drops:
the released preprocessing of S3-Rec, which made the paper's files, groups by user before it
filters. Items are numbered in order of first appearance when walking those users.
"""

import numpy as np
import pandas as pd

from elcrec.data.sequences import Sequences
from elcrec.data.sources import Doubled


def selected(frame: pd.DataFrame, min_rating: float | None, doubled: Doubled) -> pd.DataFrame:
    """Drop interactions with a low rating, and repeated interactions of a user with an item.

    Args:
        frame: Columns user, item, time, rating.
        min_rating: Lowest rating that is kept; None: keep all.
        doubled: Which of several interactions of a user with the same item to keep, in order of
            time and then of the file.
    """
    if min_rating is not None:
        frame = frame[frame["rating"] >= min_rating]
    if doubled != "keep":
        ordered = frame.sort_values("time", kind="stable")
        kept = ~ordered.duplicated(["user", "item"], keep=doubled)
        frame = frame[kept.reindex(frame.index)]
    return frame


def k_core(frame: pd.DataFrame, k: int = 5) -> pd.DataFrame:
    """Remove users and items with fewer than `k` interactions, repeatedly, until all have `k`.

    Args:
        frame: Columns user, item, time.
        k: Minimum number of interactions; a repeated one counts each time. 0: keep all.

    Returns:
        The remaining rows, in order. Users are a categorical whose categories keep the order of
        first appearance in `frame`; `to_sequences` numbers users in this order.
    """
    user, users = pd.factorize(frame["user"])
    item, items = pd.factorize(frame["item"])
    rows = np.arange(len(frame))
    while True:
        kept_user = np.bincount(user[rows], minlength=len(users)) >= k
        kept_item = np.bincount(item[rows], minlength=len(items)) >= k
        kept = kept_user[user[rows]] & kept_item[item[rows]]
        if kept.all():
            break
        rows = rows[kept]
    categories = pd.Categorical.from_codes(user[rows], categories=pd.Index(users))
    return frame.iloc[rows].assign(user=categories)


def densest(sequences: Sequences, count: int, least: int = 5) -> Sequences:
    """The most popular items, and the users with at least `least` interactions with them.

    Of equally popular items, those that appear first are kept. Each filter is applied once; neither
    is repeated after the other.

    Args:
        sequences: All histories.
        count: Number of items to keep.
        least: Minimum number of interactions of a user.
    """
    sizes = np.bincount(sequences.items)
    popular = np.argsort(-sizes, kind="stable")[:count]
    users = np.repeat(np.arange(sequences.n_users), sequences.lengths)
    kept = np.isin(sequences.items, popular)
    kept &= (np.bincount(users[kept], minlength=sequences.n_users) >= least)[users]
    ids = np.array(sequences.item_ids, dtype=object)
    items = ids[sequences.items[kept] - 1] if len(ids) else sequences.items[kept]
    names = pd.Index(sequences.users)
    frame = pd.DataFrame({"user": names[users[kept]], "item": items, "time": 0})
    return to_sequences(frame)


def to_sequences(frame: pd.DataFrame) -> Sequences:
    """Group interactions by user, order them by time, and number users and items from 1.

    Args:
        frame: Columns user, item, time. Users are taken in the order of their categories if they
            are a categorical (see `k_core`), else in order of first appearance. Interactions with
            the same time keep the order of the frame.
    """
    users = frame["user"]
    if not isinstance(users.dtype, pd.CategoricalDtype):
        users = users.astype(pd.CategoricalDtype(pd.Index(users.unique())))
    user = users.cat.codes.to_numpy(dtype=np.int64)
    order = np.lexsort((frame["time"].to_numpy(), user))  # stable
    item, item_ids = pd.factorize(frame["item"].to_numpy()[order])
    counts = np.bincount(user, minlength=len(users.cat.categories))
    there = counts > 0
    return Sequences(
        items=item.astype(np.int64) + 1,
        offsets=np.concatenate(([0], np.cumsum(counts[there]))).astype(np.int64),
        users=tuple(map(str, users.cat.categories[there])),
        item_ids=tuple(map(str, item_ids)),
    )
