"""Numbers that describe a data set, their check against the configuration, and Table 6."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from elcrec.data.sequences import Sequences
from elcrec.data.sources import COUNTS, Dataset
from elcrec.errors import InputError
from elcrec.files.jsonfile import JsonObject

ROUNDING = 0.01
"""Granted to a file of statistics, whose numbers somebody may have shortened."""


@dataclass(frozen=True)
class Statistics:
    """Size of a data set."""

    users: int
    items: int
    """Different items."""
    actions: int
    mean_length: float
    """Actions per user."""
    sparsity_percent: float
    """Share of the user-item pairs without an action, an action counted as often as it occurs."""


def statistics(sequences: Sequences) -> Statistics:
    """Compute the statistics of `sequences`."""
    items = len(np.unique(sequences.items))
    return _of_counts(sequences.n_users, items, sequences.n_actions)


def _of_counts(users: int, items: int, actions: int) -> Statistics:
    sparsity = 100 * (1 - actions / (users * items))
    return Statistics(users, items, actions, actions / users, sparsity)


def check(dataset: Dataset, sequences: Sequences, sha256: str, path: Path | str) -> None:
    """Compare a prepared file with what the configuration says of it.

    Args:
        dataset: The data set; what its configuration does not give is not checked.
        sequences: The content of the prepared file.
        sha256: Its checksum.
        path: The file that it was made from, for the message.

    Raises:
        InputError: Names the file, what was expected and what was found.
    """
    found = asdict(statistics(sequences))
    expected = dict(dataset.counts or {})
    wrong = [
        f"{number} {key} instead of {expected[key]}"
        for key, number in found.items()
        if key in expected and number != expected[key]
    ]
    if dataset.sha256 and sha256 != dataset.sha256:
        wrong.append(f"sha256 {sha256} instead of {dataset.sha256}")
    if wrong:
        raise InputError(f"{path}: prepared as data set {dataset.id} gives {', '.join(wrong)}")


def load_statistics(path: Path) -> dict[str, Any]:
    """Read a `statistics.json`.

    Raises:
        InputError: It is missing, lacks a key, or its numbers do not belong together.
    """
    record = JsonObject.read(path)
    for key in ("dataset", "name"):
        record.text(key)
    found = _of_counts(*(record.integer(key, 1) for key in COUNTS))
    for key in ("mean_length", "sparsity_percent"):
        value = getattr(found, key)
        if not math.isclose(record.number(key, -math.inf), value, abs_tol=ROUNDING):
            record.refuse(key, f"{value!r}, which follows from {', '.join(COUNTS)}")
    if record.values.get("before_core") is not None:
        for key in COUNTS:
            record.section("before_core").integer(key, 1)
    if "format" in record.values:
        record.text("format")
    return record.values
