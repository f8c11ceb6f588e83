"""`top.npz` of a run: the best items of every user on the test split."""

import numpy as np
from numpy.typing import NDArray

from elcrec.files.npzfile import read_arrays, whole_numbers
from elcrec.runs.record import RunRecord

TOP = "top.npz"


def top_lists(record: RunRecord, n_items: int) -> dict[str, NDArray[np.integer]] | None:
    """What `elcrec.evaluation.lists` computed for a run: `test` and `ahead`.

    Returns:
        None for a run without lists: an older one, recorded without, or of another framework.

    Raises:
        InputError: The file is damaged, or does not match the users and items.
    """
    path = record.folder / TOP
    if not path.exists():
        return None
    arrays = read_arrays(path, ["test", "ahead"])
    per_user = f"for each of {record.users} users"
    needed = f"needed: item numbers from 0 to {n_items}, one row {per_user}"
    lists = whole_numbers(f"{path}: test", arrays["test"], record.users, needed, n_items, 2)
    counted = f"needed: a count {per_user}"
    ahead = whole_numbers(f"{path}: ahead", arrays["ahead"], record.users, counted)
    return {"test": lists, "ahead": ahead}
