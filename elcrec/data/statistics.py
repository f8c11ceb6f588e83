"""Numbers that describe a data set, their check against the configuration, and Table 6."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from elcrec.atomic import write_text
from elcrec.config import ROOT
from elcrec.data.sequences import Sequences
from elcrec.data.sources import COUNTS, Dataset
from elcrec.errors import InputError
from elcrec.tables.csvfile import read_csv
from elcrec.tables.jsonfile import JsonObject

PRINTED = ROOT / "workflow" / "paper" / "table6.csv"
_COLUMNS = (*COUNTS, "mean_length", "sparsity_percent")
ROUNDING = 0.01
"""Granted to a file of statistics, whose numbers somebody may have shortened."""
_TITLES = ("Users", "Items", "Actions", "Mean length", "Sparsity (%)")


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


def printed_sizes() -> dict[str, tuple[str, ...]]:
    """Table 6 of the paper, as printed: data set to users, items, actions, length, sparsity."""
    header, rows = read_csv(PRINTED)
    if header != ["dataset", *_COLUMNS]:
        raise InputError(f"{PRINTED}: the columns must be dataset, {', '.join(_COLUMNS)}")
    return {dataset: tuple(values) for dataset, *values in rows}


def write_tables(folder: Path, paths: Sequence[Path]) -> list[Path]:
    """Write `data_statistics.csv` and `.md`: each data set's numbers beside the paper's.

    Args:
        folder: Where the two files go.
        paths: One `statistics.json` per data set, in the order of the rows.

    Raises:
        InputError: A file cannot be read; nothing is written then.
    """
    records = [load_statistics(path) for path in paths]
    targets = [folder / "data_statistics.csv", folder / "data_statistics.md"]
    for target, text in zip(targets, (_csv(records), _markdown(records)), strict=True):
        write_text(target, text)
    return targets


def _csv(records: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    paper = printed_sizes()
    writer.writerow(["dataset", "name", *_COLUMNS, *(f"paper_{column}" for column in _COLUMNS)])
    for record in records:
        ours = [record[column] for column in _COLUMNS]
        printed = paper.get(record["dataset"], ("",) * len(_COLUMNS))
        writer.writerow([record["dataset"], record["name"], *ours, *printed])
    return text.getvalue()


def _markdown(records: list[dict[str, Any]]) -> str:
    paper = printed_sizes()
    titles = [f"{title} | paper" for title in _TITLES]
    lines = [
        "| Data set | " + " | ".join(titles) + " |",
        "|---|" + "---:|" * (2 * len(_TITLES)),
    ]
    for record in records:
        printed = paper.get(record["dataset"], ("–",) * len(_COLUMNS))
        ours = [f"{record[key]:,}" for key in COUNTS]
        ours += [f"{record['mean_length']:.1f}", f"{record['sparsity_percent']:.2f}"]
        cells = [cell for pair in zip(ours, printed, strict=True) for cell in pair]
        lines.append(f"| {record['name']} | " + " | ".join(cells) + " |")
    lines.append("\nThe paper's columns are those of its Table 6, as printed.")
    return "\n".join(lines) + "\n"
