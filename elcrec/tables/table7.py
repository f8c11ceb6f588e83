"""Table 7: the size of ML-1M, as read and after the 5-core, beside the paper's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from elcrec import paper
from elcrec.data.sources import COUNTS
from elcrec.data.statistics import load_statistics
from elcrec.files.csvfile import csv_text
from elcrec.paper import PaperTable
from elcrec.tables.latex import latex_file, latex_table
from elcrec.tables.layout import GAP, TextTable, bullets, number
from elcrec.tables.layout import markdown as table_markdown

ROWS = {
    "users": "Users",
    "items": "Movies",
    "actions": "Ratings",
    "actions_per_user": "Ratings per user",
    "actions_per_item": "Ratings per movie",
}
"""Key in the paper's file to what the table calls it."""


def rows(path: Path, paper: PaperTable) -> list[dict[str, object]]:
    """Return the lines of `table7.csv`.

    Args:
        path: The `statistics.json` of the prepared data set.
        paper: (data set's name, key of `ROWS`, `value`) to what the paper prints.

    Returns:
        One line per statistic: before the 5-core (None if the file does not tell), after it, and
        the paper's.

    Raises:
        InputError: The file is missing or lacks a key.
    """
    record = load_statistics(path)
    before, after = _sizes(record.get("before_core")), _sizes(record)
    return [
        {
            "dataset": record["dataset"],
            "statistic": key,
            "as_read": before.get(key),
            "prepared": after[key],
            "paper": paper.get((record["name"], key, "value")),
        }
        for key in ROWS
    ]


def markdown(found: list[dict[str, Any]], format: str) -> str:
    """Return the table with its notes; `format` is that of the file that was read."""
    return f"# Table 7: ML-1M\n\n{table_markdown(_table(found))}\n{bullets(_notes(format))}"


def latex(found: list[dict[str, Any]], format: str) -> str:
    """Return the same as LaTeX, the notes as comments."""
    table = latex_table(_table(found), caption="Statistics of ML-1M.", label="tab:ml-1m-statistics")
    return latex_file([table], _notes(format))


def _table(found: list[dict[str, Any]]) -> TextTable:
    cells = [
        [ROWS[row["statistic"]], *(_figure(row, key) for key in ("paper", "as_read", "prepared"))]
        for row in found
    ]
    return TextTable(["", "Paper", "As read", "Prepared"], cells)


def _notes(format: str) -> list[str]:
    return [
        f"As read: from a file of the format `{format}`. Prepared: after removing users and movies "
        "with fewer than 5 ratings, which is what the models are trained and tested on.",
        "The paper prints the sizes of GroupLens's whole file. SASRec's text is that file without "
        "the movies that have fewer than 5 ratings, in order of time but without the times.",
        "Prepared from either, the data can differ only in the order of ratings that a user gave "
        "in the same second; from GroupLens's they keep the order of its file.",
    ]


def _sizes(record: Mapping[str, Any] | None) -> dict[str, float]:
    if not record:
        return {}
    sizes = {key: record[key] for key in COUNTS}
    per_user, per_item = (sizes["actions"] / sizes[key] for key in ("users", "items"))
    return {**sizes, "actions_per_user": per_user, "actions_per_item": per_item}


def _figure(row: Mapping[str, Any], key: str) -> str:
    value = row[key]
    if value is None:
        return GAP
    ours = key != "paper" and row["statistic"] not in COUNTS
    return number(value, 1 if ours else 0)


def texts(path: Path) -> dict[str, str]:
    """Content of the files of Table 7 by name, from the `statistics.json` of ML-1M."""
    found = rows(path, paper.load_accuracy(paper.FOLDER / "table7.csv"))
    format_ = str(load_statistics(path).get("format", "unknown"))
    return {
        "table7.csv": csv_text(found),
        "table7.md": markdown(found, format_),
        "table7.tex": latex(found, format_),
    }
