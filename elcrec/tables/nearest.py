"""With which printed columns of a data set our runs agree: can the verdict's rule tell anything?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import inf, isnan
from typing import Any

import pandas as pd

from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.paper import IMPROVEMENT, P_VALUE
from elcrec.statistics.noise import Noise
from elcrec.statistics.power import prediction_interval
from elcrec.tables.document import note
from elcrec.tables.layout import Column, Table, declared, figures, word
from elcrec.tables.table1 import AccuracyTable, Cell

COLUMNS = ("dataset", "model", "seeds", "not_excluded", "nearest", "distance", "own_distance")
"""Of `nearest.csv`."""


def frame(table: AccuracyTable) -> pd.DataFrame:
    """Hold the runs of each model against every printed column of its data set.

    Returns:
        `nearest.csv`: a row per model with runs and a printed column, names as printed.
        `not_excluded` are the columns whose four values all lie in the prediction intervals, empty
        for none; `nearest` is the one with the smallest `distance`, the root mean square over the
        metrics of (printed - ours) / standard error of prediction; `own_distance` is that to the
        column of the same name.
    """
    columns = {
        (d, m): [table.paper[d, k, m] for k in TABLE_METRICS]
        for d, metric, m in table.paper
        if metric == TABLE_METRICS[0] and m not in (IMPROVEMENT, P_VALUE)
    }
    rows = []
    for (dataset, name), (model, shown) in product(
        table.names.datasets.items(), table.names.models.items()
    ):
        cells = [table.cells[dataset, metric, model] for metric in TABLE_METRICS]
        noises = [table.pools[metric].noise((dataset, model)) for metric in TABLE_METRICS]
        others = {m: values for (d, m), values in columns.items() if d == name}
        if shown not in others or not cells[0].seeds or any(isnan(n.variance) for n in noises):
            continue
        distances = {m: _distance(cells, noises, values) for m, values in others.items()}
        inside = [m for m, values in others.items() if _inside(cells, noises, values)]
        best = min(distances, key=lambda m: distances[m])
        own, seeds = distances[shown], cells[0].seeds
        rows.append([name, shown, seeds, ", ".join(inside), best, distances[best], own])
    return pd.DataFrame(rows, columns=COLUMNS)


def shown(rows: Sequence[Any]) -> Table:
    """The rows of `nearest.csv` as a table."""
    columns = [
        word("Data set", "dataset"),
        word("Ours", "model"),
        figures("Seeds", "seeds", 0),
        Column("Printed columns not excluded", lambda row: row.text("not_excluded") or "none"),
        Column("Nearest", lambda row: row.text("nearest")),
        figures("Its distance", "distance", 2),
        figures("Distance to its own", "own_distance", 2),
    ]
    caption = "Can the rule tell the printed columns apart?"
    return declared("nearest", caption, columns, rows, [note("nearest")])


def _distance(cells: Sequence[Cell], noises: Sequence[Noise], printed: Sequence[float]) -> float:
    squares = []
    for cell, noise, value in zip(cells, noises, printed, strict=True):
        error = cell.mean * (noise.variance * (1 + 1 / cell.seeds)) ** 0.5
        away = value - cell.mean
        squares.append((away / error) ** 2 if error else (0.0 if away == 0 else inf))
    return float((sum(squares) / len(squares)) ** 0.5)


def _inside(cells: Sequence[Cell], noises: Sequence[Noise], printed: Sequence[float]) -> bool:
    for cell, noise, value in zip(cells, noises, printed, strict=True):
        low, high = prediction_interval(cell.mean, cell.seeds, noise)
        if not low <= value <= high:
            return False
    return True
