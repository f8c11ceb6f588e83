"""The points of all grids with their validation scores: which one is best, which one is in use."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elcrec.config.config import Config
from elcrec.errors import InputError
from elcrec.evaluation.metrics import METRICS, TABLE_METRICS
from elcrec.files.atomic import write_text
from elcrec.files.csvfile import csv_text
from elcrec.files.jsonfile import LARGEST, JsonObject
from elcrec.runs.grid import read_grid
from elcrec.tables.layout import bullets, markdown_table, number


@dataclass(frozen=True)
class GridRow:
    """One point of one model on one data set."""

    dataset: str
    model: str
    point: str
    """`key=value`, separated by spaces."""
    best: bool
    """The best validation score of the model's points; the first of equals."""
    in_use: bool
    """The model's YAML file has these values."""
    select_by: str
    score: float
    """Validation metric named by `select_by`."""
    metrics: dict[str, float]
    best_epoch: int
    epochs: int
    seconds: float
    seed: int
    device: str
    commit: str

    def as_csv(self) -> dict[str, object]:
        """Flat, for a CSV file."""
        values: dict[str, object] = dict(vars(self))
        metrics = values.pop("metrics")
        assert isinstance(metrics, dict)
        return values | {f"valid {name}": value for name, value in metrics.items()}


def rows(
    files: Sequence[Path], in_use: Callable[[str, str, dict[str, Any]], bool]
) -> list[GridRow]:
    """Read the records that `elcrec try` wrote.

    Args:
        files: The records, all points of a model on a data set one after the other.
        in_use: Whether the settings of (model, data set) are those of a point.

    Raises:
        InputError: A record that is missing or not whole.
    """
    records = [JsonObject.read(file) for file in files]
    groups: dict[tuple[str, str], float] = {}
    for record in records:
        key, score = _key(record), _score(record)
        groups[key] = max(score, groups.get(key, score))
    found: list[GridRow] = []
    for record in records:
        dataset, model = _key(record)
        point = _point(record)
        first = not any(r.best for r in found if (r.dataset, r.model) == (dataset, model))
        valid = record.section("valid")
        changed = " and changes" if record.flag("dirty") else ""
        found.append(
            GridRow(
                dataset=dataset,
                model=model,
                point=" ".join(f"{key}={value}" for key, value in point.items()),
                best=first and _score(record) == groups[dataset, model],
                in_use=_in_use(record, in_use, point),
                select_by=record.text("select_by"),
                score=_score(record),
                metrics={name: valid.number(name, most=1) for name in TABLE_METRICS},
                best_epoch=record.integer("best_epoch"),
                epochs=record.integer("epochs"),
                seconds=record.number("seconds"),
                seed=record.integer("seed"),
                device=record.text("device"),
                commit=f"{record.optional_text('commit') or 'unknown'}{changed}",
            )
        )
    return found


def _key(record: JsonObject) -> tuple[str, str]:
    return record.text("dataset"), record.text("model")


def _score(record: JsonObject) -> float:
    return record.section("valid").number(record.one_of("select_by", METRICS), most=1)


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


def markdown(found: Sequence[GridRow]) -> str:
    """The table with its notes."""
    header = ["Data set", "Model", "Point", "Best", "In use", *TABLE_METRICS, "Epoch", "of", "s"]
    cells = [
        [
            row.dataset,
            row.model,
            row.point,
            "yes" if row.best else "",
            "yes" if row.in_use else "",
            *(number(row.metrics[name], 4) for name in TABLE_METRICS),
            str(row.best_epoch),
            str(row.epochs),
            number(row.seconds, 0),
        ]
        for row in found
    ]
    notes = [
        "Validation metrics of the best epoch; test items are not ranked here. Best: by "
        + ", ".join(dict.fromkeys(row.select_by for row in found))
        + ".",
        "In use: the values of the model's file in workflow/config/models. Of: epochs trained.",
        *(f"{line}." for line in dict.fromkeys(f"{r.device}, commit {r.commit}" for r in found)),
    ]
    title = "# What was decided on validation\n\n"
    return f"{title}{markdown_table(header, cells, text=5)}\n{bullets(notes)}"


def write(config: Config, folder: Path, files: Sequence[Path]) -> None:
    """Write grid.csv and grid.md from the records of `elcrec try`."""
    found = rows(files, lambda m, d, point: read_grid(config, m, d).in_use(point))
    write_text(folder / "grid.csv", csv_text([row.as_csv() for row in found]))
    write_text(folder / "grid.md", markdown(found))
