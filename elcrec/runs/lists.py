"""`top.npz` of a run: the best items of every user on the test split."""

import numpy as np
from numpy.typing import NDArray

from elcrec.errors import InputError
from elcrec.files.npzfile import read_arrays
from elcrec.runs.record import RunRecord

TOP = "top.npz"


def top_lists(record: RunRecord, n_items: int) -> dict[str, NDArray[np.integer]] | None:
    """What `elcrec.evaluation.lists` found out of a run: `test` and `ahead`.

    Returns:
        None of a run that keeps none: it is older, recorded without, or another framework's.

    Raises:
        InputError: The file is damaged, or not of these users and items.
    """
    path = record.folder / TOP
    if not path.exists():
        return None
    arrays = read_arrays(path, ["test", "ahead"])
    lists, ahead = arrays["test"], arrays["ahead"]
    whole = lists.ndim == 2 and len(lists) == record.users and lists.shape[1] > 0
    if not whole or lists.dtype.kind not in "iu" or lists.min() < 0 or lists.max() > n_items:
        raise InputError(
            f"{path}: test is {lists.dtype} of shape {lists.shape}; needed: numbers of items, "
            f"from 0 to {n_items}, in a row for each of {record.users} users"
        )
    if ahead.shape != (record.users,) or ahead.dtype.kind not in "iu" or ahead.min() < 0:
        raise InputError(
            f"{path}: ahead is {ahead.dtype} of shape {ahead.shape}; needed: a count for each of "
            f"{record.users} users"
        )
    return arrays
