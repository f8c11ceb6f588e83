"""The published numbers, read from `workflow/paper/`.

All files are wide CSVs: the first two columns are the key, each further column is one figure, and
lines that begin with `#` tell where they were printed. An empty field is an unpublished value.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from elcrec import ROOT
from elcrec.errors import InputError, in_line
from elcrec.files.csvfile import as_number, read_csv

FOLDER = ROOT / "workflow" / "paper"
IMPROVEMENT, P_VALUE = "improvement", "p_value"

PaperTable = Mapping[tuple[str, str, str], float]
"""(first key, second key, column) to value; values that were not published are absent."""

PRINTED = FOLDER / "table6.csv"
SIZES = ("users", "items", "actions", "mean_length", "sparsity_percent")
"""Columns of Table 6."""
ARMS = {"B": "iclrec", "B+ICL": "iclrec_icl", "B+ELCM": "elcrec_elcm", "ELCRec": "elcrec"}
"""Arms of Table 10, the ablation, to the model here that corresponds to each."""
FURTHER = {"ML-1M": 8, "MIND-small": 9}
"""Data sets, named as printed, that are not in Table 1, to the number of their table."""


def load_accuracy(path: Path | str = FOLDER / "table1.csv") -> PaperTable:
    """Read Table 1: (dataset, metric, method) to value.

    Datasets and methods are named as printed. The columns `improvement` (percent) and `p_value`
    compare ELCRec with the runner-up.

    Raises:
        InputError: The file is missing or a field is not a number.
    """
    return dict(_fields(Path(path), ("dataset", "metric")))


def load_printed(datasets: Iterable[str]) -> PaperTable:
    """Read Table 1 and, if they have one of the data sets, Tables 8 and 9, as `load_accuracy` does.

    Args:
        datasets: Names of the data sets in use.
    """
    names = set(datasets)
    printed = dict(load_accuracy())
    for name, number in FURTHER.items():
        if name in names:
            printed |= load_accuracy(FOLDER / f"table{number}.csv")
    return printed


def of_methods(printed: PaperTable) -> PaperTable:
    """The values of methods alone, without `improvement` and `p_value`."""
    return {key: v for key, v in printed.items() if key[2] not in (IMPROVEMENT, P_VALUE)}


def printed_in(datasets: Iterable[str]) -> str:
    """Name the tables that print the accuracy on these data sets: `Tables 1 and 8`."""
    *numbers, last = sorted({FURTHER.get(name, 1) for name in datasets})
    return f"Tables {', '.join(map(str, numbers))} and {last}" if numbers else f"Table {last}"


def load_released() -> PaperTable:
    """Read the metrics of the weights that ICLRec's authors released for ML-1M."""
    return load_accuracy(FOLDER / "table8_released.csv")


def load_efficiency(path: Path | str = FOLDER / "efficiency.csv") -> PaperTable:
    """Read Table 2: (dataset, method, `seconds` or `megabytes`) to value.

    Raises:
        InputError: The file is missing or a field is not a number.
    """
    return dict(_fields(Path(path), ("dataset", "method")))


def load_expected(path: Path | str = FOLDER / "expected.csv") -> PaperTable:
    """Read the expected HR@5 of a faithful run: (dataset, model, `low` or `high`) to value.

    The column `source`, who judged the range and on what basis, is for readers of the file.

    Raises:
        InputError: The file is missing or a field is not a number.
    """
    return dict(_fields(Path(path), ("dataset", "model"), text_column="source"))


def load_gains(number: int) -> dict[tuple[str, str], float]:
    """Read Table 3 or 4: (group, metric) to the gain of B+ELCM over B in percent.

    Raises:
        InputError: The file is missing or a field is not a number.
    """
    fields = _fields(FOLDER / f"table{number}.csv", ("group", "metric"))
    return {(group, metric): value for (group, metric, _), value in fields}


def _fields(
    path: Path, keys: tuple[str, str], text_column: str = ""
) -> Iterator[tuple[tuple[str, str, str], float]]:
    """The figures of a file; the column `text_column` is text and left out."""
    if not path.is_file():
        raise InputError(f"{path}: is missing; it holds the published numbers")
    header, rows = read_csv(path)
    if tuple(header[:2]) != keys or len(header) < 3:
        raise InputError(f"{path}: the columns must be {', '.join(keys)} and one per figure")
    seen = set()
    for row in rows:
        where = f"{path}: row {in_line(', '.join(row[:2]))}"
        if (row[0], row[1]) in seen:
            raise InputError(f"{where}: appears twice")
        seen.add((row[0], row[1]))
        for column, text in zip(header[2:], row[2:], strict=True):
            if text and column != text_column:
                location = f"{where}, column {in_line(column)}:"
                yield (row[0], row[1], column), as_number(text, location)


def printed_sizes() -> dict[str, dict[str, str]]:
    """Tables 6 and 7 as printed: data set id to `SIZES`; ML-1M has no sparsity.

    Raises:
        InputError: A file is missing or has other columns.
    """
    header, rows = read_csv(PRINTED)
    if header != ["dataset", *SIZES]:
        raise InputError(f"{PRINTED}: the columns must be dataset, {', '.join(SIZES)}")
    sizes = {dataset: dict(zip(SIZES, values, strict=True)) for dataset, *values in rows}
    for (name, size, _), value in load_accuracy(FOLDER / "table7.csv").items():
        key = {"actions_per_user": "mean_length"}.get(size, size)
        sizes.setdefault(name.lower(), {})[key] = f"{value:.0f}"
    return sizes


def lead(printed: PaperTable, dataset: str, metric: str) -> tuple[float, float]:
    """The paper's ELCRec minus the best other method, and the latter; nan unless both exist."""
    values = of_methods(printed)
    row = {m: v for (d, k, m), v in values.items() if (d, k) == (dataset, metric)}
    others = [v for m, v in row.items() if m != "ELCRec"]
    if not others or "ELCRec" not in row:
        return math.nan, math.nan
    return row["ELCRec"] - max(others), max(others)
