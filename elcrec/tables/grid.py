"""The points of all grids with their validation scores: which one is best, which one is in use."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from elcrec.config.config import Config
from elcrec.errors import InputError
from elcrec.evaluation.metrics import METRICS, TABLE_METRICS
from elcrec.files.jsonfile import LARGEST, JsonObject
from elcrec.runs.grid import read_grid
from elcrec.tables.document import write_table
from elcrec.tables.layout import Column, Table, declared, figures, lines, word

COLUMNS = (
    *("dataset", "model", "point", "best", "in_use", "select_by", "score", "best_epoch", "epochs"),
    *("seconds", "seed", "device", "commit", *(f"valid {metric}" for metric in TABLE_METRICS)),
)
"""Of `grid.csv`."""


def frame(
    files: Sequence[Path], in_use: Callable[[str, str, dict[str, Any]], bool]
) -> pd.DataFrame:
    """Read the records that `elcrec try` wrote.

    Args:
        files: The records, all points of a model on a data set one after the other.
        in_use: Whether the settings of (model, data set) are those of a point.

    Returns:
        `grid.csv`: a row per point, named by `key=value`, separated by spaces. `score` is the
        validation metric that `select_by` names; the best of a model's points on a data set, the
        first of equals, is `best`, and `in_use` is what the model's YAML file has.

    Raises:
        InputError: A record that is missing or not whole.
    """
    rows = [_row(JsonObject.read(file), in_use) for file in files]
    found = pd.DataFrame(rows, columns=COLUMNS)
    if rows:
        best = found.groupby(["dataset", "model"], sort=False)["score"].idxmax()
        found["best"] = found.index.isin(best)
    return found


def shown(rows: Sequence[Any]) -> Table:
    """The rows of `grid.csv` as a table."""
    columns = [
        word("Data set", "dataset"),
        word("Model", "model"),
        word("Point", "point"),
        _yes("Best", "best"),
        _yes("In use", "in_use"),
        *(figures(metric, f"valid {metric}") for metric in TABLE_METRICS),
        figures("Epoch", "best_epoch", 0),
        figures("of", "epochs", 0),
        figures("s", "seconds", 0),
    ]
    return declared("grid", "Validation scores of the declared grids", columns, rows)


def write(config: Config, folder: Path, files: Sequence[Path]) -> None:
    """Write grid.csv, .md and .tex from the records of `elcrec try`."""
    found = frame(files, lambda m, d, point: read_grid(config, m, d).in_use(point))
    write_table(
        folder,
        "grid",
        found,
        [shown(lines(found))],
        selected_by=list(dict.fromkeys(found["select_by"])),
        made_by=list(dict.fromkeys(zip(found["device"], found["commit"], strict=True))),
    )


def _row(record: JsonObject, in_use: Callable[[str, str, dict[str, Any]], bool]) -> dict[str, Any]:
    point, valid = _point(record), record.section("valid")
    changed = " and changes" if record.flag("dirty") else ""
    selected = record.one_of("select_by", METRICS)
    return {
        "dataset": record.text("dataset"),
        "model": record.text("model"),
        "point": " ".join(f"{key}={value}" for key, value in point.items()),
        "best": False,
        "in_use": _in_use(record, in_use, point),
        "select_by": selected,
        "score": valid.number(selected, most=1),
        "best_epoch": record.integer("best_epoch"),
        "epochs": record.integer("epochs"),
        "seconds": record.number("seconds"),
        "seed": record.integer("seed"),
        "device": record.text("device"),
        "commit": f"{record.optional_text('commit') or 'unknown'}{changed}",
        **{f"valid {name}": valid.number(name, most=1) for name in TABLE_METRICS},
    }


def _yes(title: str, key: str) -> Column:
    return Column(title, lambda row: "yes" if row.text(key) == "True" else "", left=True)


def _point(record: JsonObject) -> dict[str, Any]:
    """The settings of the point: names, and values that can stand in a table."""
    section = record.section("point")
    for key, value in section.values.items():
        if not key.isidentifier():
            section.refuse(key, "the name of a setting")
        if isinstance(value, str):
            section.text(key)
        elif isinstance(value, float):
            section.number(key, least=-math.inf)
        elif not isinstance(value, bool):
            section.integer(key, least=-LARGEST)
    return section.values


def _in_use(
    record: JsonObject, in_use: Callable[[str, str, dict[str, Any]], bool], point: dict[str, Any]
) -> bool:
    try:
        return in_use(record.text("model"), record.text("dataset"), point)
    except InputError as error:
        raise InputError(f"{record.path}: {error}") from None
