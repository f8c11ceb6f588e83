"""Numbers that describe a data set, their check against the configuration, and Table 6."""

import math
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, model_validator

from elcrec.data.sequences import HISTORY_END, Sequences
from elcrec.data.sources import COUNTS, Counts, Dataset
from elcrec.errors import InputError
from elcrec.files.checked import Count, Line, Positive, Record
from elcrec.files.jsonfile import read_json
from elcrec.files.paths import without_folders

ROUNDING = 0.01
"""Tolerance for a file of statistics, whose numbers somebody may have rounded."""


class Statistics(Record):
    """Size of a data set."""

    users: Positive
    items: Positive
    """Different items."""
    actions: Positive
    mean_length: float
    """Actions per user."""
    sparsity_percent: float
    """Share of the user-item pairs without an action, an action counted as often as it occurs."""
    repeated_targets: dict[str, Count] = {}
    """Targets that already occur in the user's own history, by split; empty in older records."""


def statistics(sequences: Sequences) -> Statistics:
    """Compute the statistics of `sequences`."""
    items = len(np.unique(sequences.items))
    sizes = _of_counts(sequences.n_users, items, sequences.n_actions)
    return sizes.replaced(repeated_targets=sequences.repeated())


def training_users(sequences: Sequences) -> NDArray[np.int64]:
    """How many users have each item among their training items: (items + 1,); 0 is no item."""
    owner = np.repeat(np.arange(sequences.n_users), sequences.lengths)
    training = np.arange(len(owner)) < (sequences.offsets[1:] - HISTORY_END["valid"])[owner]
    width = sequences.n_items + 1
    pairs = np.unique(owner[training] * width + sequences.items[training])
    return np.bincount(pairs % width, minlength=width)


def _of_counts(users: int, items: int, actions: int) -> Statistics:
    return Statistics(
        users=users,
        items=items,
        actions=actions,
        mean_length=actions / users,
        sparsity_percent=100 * (1 - actions / (users * items)),
    )


def check(name: str, dataset: Dataset, sequences: Sequences, sha256: str, path: Path | str) -> None:
    """Compare a prepared file with what the configuration says about it.

    Args:
        name: Name of the data set.
        dataset: Its entry; what its configuration does not give is not checked.
        sequences: The content of the prepared file.
        sha256: Its checksum.
        path: The file that it was made from, for the message.

    Raises:
        InputError: Names the file, what was expected and what was found.
    """
    found = statistics(sequences).model_dump()
    expected = dataset.counts.model_dump(exclude_none=True) if dataset.counts else {}
    wrong = [
        f"{found[key]} {key} instead of {number}"
        for key, number in expected.items()
        if found[key] != number
    ]
    if dataset.sha256 and sha256 != dataset.sha256:
        wrong.append(f"sha256 {sha256} instead of {dataset.sha256}")
    if wrong:
        raise InputError(f"{path}: prepared as data set {name} gives {', '.join(wrong)}")


class StatisticsRecord(Statistics):
    """Content of `statistics.json`; older files lack the last three fields."""

    dataset: Line
    name: Line
    before_core: Counts | None = None
    format: Line = "unknown"
    origin: Annotated[Line, AfterValidator(without_folders)] = "unknown"

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        right = _of_counts(self.users, self.items, self.actions)
        for key in ("mean_length", "sparsity_percent"):
            found, value = getattr(self, key), getattr(right, key)
            if not math.isclose(found, value, abs_tol=ROUNDING):
                counts = ", ".join(COUNTS)
                raise ValueError(f"{key} is {found!r}, but {value!r} follows from {counts}")
        if max(self.repeated_targets.values(), default=0) > self.users:
            raise ValueError(f"repeated_targets must be 0 to {self.users} (users) in each split")
        return self


def load_statistics(path: Path) -> dict[str, Any]:
    """Read a `statistics.json`.

    Raises:
        InputError: It is missing, lacks a key, or its numbers do not belong together.
    """
    return read_json(path, StatisticsRecord).model_dump()
