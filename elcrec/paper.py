"""The published numbers, read from `workflow/paper/`.

All files are wide CSVs: the first two columns are the key, each further column is one figure, and
lines that begin with `#` say where they were printed. An empty field is a value not published.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from elcrec import ROOT
from elcrec.errors import InputError, in_line, shown
from elcrec.files.csvfile import read_csv

FOLDER = ROOT / "workflow" / "paper"
IMPROVEMENT, P_VALUE = "improvement", "p_value"

PaperTable = Mapping[tuple[str, str, str], float]
"""(first key, second key, column) to value; what was not published is absent."""

PRINTED = ROOT / "workflow" / "paper" / "table6.csv"
SIZES = ("users", "items", "actions", "mean_length", "sparsity_percent")
"""Columns of Table 6."""


def load_accuracy(path: Path | str = FOLDER / "table1.csv") -> PaperTable:
    """Read Table 1: (dataset, metric, method) to value.

    Datasets and methods are named as printed. The columns `improvement` (percent) and `p_value`
    compare ELCRec with the runner-up.

    Raises:
        InputError: The file is missing or a field is not a number.
    """
    return dict(_fields(Path(path), ("dataset", "metric")))


def load_efficiency(path: Path | str = FOLDER / "efficiency.csv") -> PaperTable:
    """Read Table 2: (dataset, method, `seconds` or `megabytes`) to value.

    Raises:
        InputError: The file is missing or a field is not a number.
    """
    return dict(_fields(Path(path), ("dataset", "method")))


def load_expected(path: Path | str = FOLDER / "expected.csv") -> PaperTable:
    """Read where HR@5 of a faithful run lies: (dataset, model, `low` or `high`) to value.

    The column `source`, whose judgement a band is and from what, is for readers of the file.

    Raises:
        InputError: The file is missing or a field is not a number.
    """
    return dict(_fields(Path(path), ("dataset", "model"), words="source"))


def _fields(
    path: Path, keys: tuple[str, str], words: str = ""
) -> Iterator[tuple[tuple[str, str, str], float]]:
    """The figures of a file; the column `words` is text and left out."""
    if not path.is_file():
        raise InputError(f"{path}: is missing; it holds the published numbers")
    header, rows = read_csv(path)
    if tuple(header[:2]) != keys or len(header) < 3:
        raise InputError(f"{path}: the columns must be {', '.join(keys)} and one per figure")
    seen = set()
    for row in rows:
        where = f"{path}: row {in_line(', '.join(row[:2]))}"
        if (row[0], row[1]) in seen:
            raise InputError(f"{where}: stands twice")
        seen.add((row[0], row[1]))
        for column, text in zip(header[2:], row[2:], strict=True):
            if text and column != words:
                yield (row[0], row[1], column), _number(text, f"{where}, column {in_line(column)}")


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{where}: is {shown(text)}; allowed: a number or nothing")
    return value


def printed_sizes() -> dict[str, tuple[str, ...]]:
    """Table 6 of the paper, as printed: data set to users, items, actions, length, sparsity."""
    header, rows = read_csv(PRINTED)
    if header != ["dataset", *SIZES]:
        raise InputError(f"{PRINTED}: the columns must be dataset, {', '.join(SIZES)}")
    return {dataset: tuple(values) for dataset, *values in rows}
