"""The recorded reference: a JSON file of cells, each one model on one data set over its seeds."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any, get_args

from elcrec.errors import InputError
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.files.atomic import write_text
from elcrec.files.checked import check
from elcrec.files.jsonfile import JsonObject
from elcrec.nightly.tolerance import ABOUT, FEWEST_SEEDS, Source, Spread, pooled, tolerance
from elcrec.runs.record import Kernels

FORMAT = 1


@dataclass(frozen=True)
class Measured:
    """One metric of a cell on the test split."""

    values: list[float]
    """One per seed."""
    mean: float
    user_error: float
    """Standard error over users of one run, the mean over seeds."""
    tolerance: float = 0.0
    """Largest absolute difference of the mean that is no regression."""
    tolerance_from: str = ""
    """What it was computed from: see `elcrec.nightly.tolerance`."""


@dataclass(frozen=True)
class Cell:
    """What one model gave on one data set, and what made it."""

    dataset: str
    model: str
    seeds: list[int]
    protocol: str
    users: int
    data: str
    """Hash of the histories."""
    parameters: dict[str, Any]
    training: dict[str, Any]
    kernels: str
    precision: str
    commit: str
    device: list[str]
    python: str
    versions: dict[str, str]
    commands: list[str]
    """Of the runs, without the paths of the machine; the settings are all above."""
    recorded_by: str
    """The command that wrote this cell."""
    metrics: dict[str, Measured]

    @property
    def key(self) -> tuple[str, str]:
        """Data set and model."""
        return self.dataset, self.model


Reference = Mapping[tuple[str, str], Cell]
"""Cells by (data set, model)."""


def read_reference(path: Path) -> Reference:
    """Read a reference; a file that is not there yet has no cells.

    Raises:
        InputError: The file is not whole, or a cell lacks a key or has one of another kind.
    """
    if not path.exists():
        return {}
    file = JsonObject.read(path)
    file.expect("format", FORMAT)
    read = [_cell(cell) for cell in file.objects("cells")]
    reference: dict[tuple[str, str], Cell] = {}
    for i, cell in enumerate(read):
        if cell.key in reference:
            raise InputError(f"{path}: cells.{i} is of {'/'.join(cell.key)}, as one before it")
        reference[cell.key] = cell
    return reference


def write_reference(path: Path, cells: Iterable[Cell]) -> None:
    """Write cells in a fixed order, with the tolerances that follow from all of them."""
    ordered = sorted(with_tolerances(list(cells)), key=lambda cell: cell.key)
    content = {"format": FORMAT, "about": ABOUT, "cells": [asdict(cell) for cell in ordered]}
    write_text(path, json.dumps(content, indent=1) + "\n")


def with_tolerances(cells: Sequence[Cell]) -> list[Cell]:
    """Compute every tolerance, pooling over the cells of the same data set and seeds."""
    return [
        replace(cell, metrics={name: _tolerated(name, cell, cells) for name in cell.metrics})
        for cell in cells
    ]


def measured(values: Sequence[float], user_errors: Sequence[float]) -> Measured:
    """One metric from its value and its standard error over users per seed."""
    return Measured(list(values), fmean(values), fmean(user_errors))


def _tolerated(name: str, cell: Cell, cells: Sequence[Cell]) -> Measured:
    metric = cell.metrics[name]
    alike = [c for c in cells if (c.dataset, c.seeds) == (cell.dataset, cell.seeds)]
    spread: Spread | None = pooled(c.metrics[name].values for c in alike if not _seedless(c))
    if _seedless(cell):
        spread = None
    found = tolerance(len(cell.seeds), spread, metric.user_error, cell.users)
    return replace(metric, tolerance=found.value, tolerance_from=found.source)


def _seedless(cell: Cell) -> bool:
    """Whether the model ignores the seed: all seeds agree in every metric."""
    constant = all(len(set(metric.values)) == 1 for metric in cell.metrics.values())
    return len(cell.seeds) >= FEWEST_SEEDS and constant


def _cell(values: JsonObject) -> Cell:
    metrics = values.section("metrics")
    seeds = _list(values, "seeds", int)
    if min(seeds) < 0 or len(set(seeds)) < len(seeds):
        values.refuse("seeds", "different numbers of at least 0")
    return Cell(
        dataset=values.text("dataset"),
        model=values.text("model"),
        seeds=seeds,
        protocol=values.text("protocol"),
        users=values.integer("users", 1),
        data=values.text("data"),
        parameters=values.section("parameters").values,
        training=values.section("training").values,
        kernels=check(Kernels, values.text("kernels"), lambda: f"{values.path}: kernels"),
        precision=values.text("precision"),
        commit=values.text("commit"),
        device=_some_texts(values, "device"),
        python=values.text("python"),
        versions=versions_of(values),
        commands=_some_texts(values, "commands"),
        recorded_by=values.text("recorded_by"),
        metrics={name: _metric(metrics.section(name), len(seeds)) for name in TABLE_METRICS},
    )


def _metric(values: JsonObject, seeds: int) -> Measured:
    found = _list(values, "values", float)
    if len(found) != seeds:
        raise InputError(
            f"{values.path}: {values.prefix}values has {len(found)} numbers for {seeds} seeds"
        )
    if not all(0 <= value <= 1 for value in found):
        values.refuse("values", "numbers from 0 to 1")
    if not math.isclose(values.number("mean", most=1), fmean(found), abs_tol=1e-9):
        values.refuse("mean", f"{fmean(found)!r}, the mean of its values")
    return Measured(
        values=found,
        mean=values.number("mean"),
        user_error=values.number("user_error", most=1),
        tolerance=values.number("tolerance", most=1),
        tolerance_from=values.one_of("tolerance_from", get_args(Source)),
    )


def versions_of(values: JsonObject) -> dict[str, str]:
    """Package to version, as an environment records them."""
    section = values.section("versions")
    return {name: section.text(name) for name in section.values}


def _some_texts(values: JsonObject, key: str) -> list[str]:
    found = values.texts(key)
    if not found:
        values.refuse(key, "one text or more")
    return found


def _list(values: JsonObject, key: str, kind: type) -> list[Any]:
    found = values.values.get(key)
    if not isinstance(found, list) or not found or not all(type(v) is kind for v in found):
        raise InputError(
            f"{values.path}: {values.prefix}{key} must be a list of one {kind.__name__} or more"
        )
    return found
