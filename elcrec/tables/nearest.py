"""Which printed columns our runs agree with: can the verdict's rule tell the columns apart?"""

from collections.abc import Sequence
from itertools import product
from math import isnan

import numpy as np
import pandas as pd

from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.files.rows import Row
from elcrec.statistics.power import prediction_interval
from elcrec.tables.impossible import printed_columns
from elcrec.tables.layout import Column, Table, declared, figures, word
from elcrec.tables.table1 import AccuracyTable

COLUMNS = ("dataset", "model", "seeds", "not_excluded", "nearest", "distance", "own_distance")
"""Of `nearest.csv`."""


def frame(table: AccuracyTable) -> pd.DataFrame:
    """Compare the runs of each model with every printed column of its data set.

    Returns:
        `nearest.csv`: a row per model with runs and a printed column, names as printed.
        `not_excluded` are the columns whose four values all lie in the prediction intervals, empty
        for none; `nearest` is the one with the smallest `distance`, the root mean square over the
        metrics of (printed - ours) / standard error of prediction; `own_distance` is that to the
        column of the same name.
    """
    columns, names, rows = printed_columns(table.paper), table.names, []
    for (dataset, name), (model, label) in product(names.datasets.items(), names.models.items()):
        printed = {method: np.array(v) for (d, method), v in columns.items() if d == name}
        noises = [table.pools[metric].noise((dataset, model)) for metric in TABLE_METRICS]
        cells = [table.cells[dataset, metric, model] for metric in TABLE_METRICS]
        seeds = cells[0].seeds
        if label not in printed or not seeds or any(isnan(noise.variance) for noise in noises):
            continue
        means = np.array([cell.mean for cell in cells])
        variances = np.array([noise.variance for noise in noises])
        intervals = map(prediction_interval, means, [seeds] * len(means), noises)
        low, high = np.array(list(intervals)).T
        inside = [m for m, v in printed.items() if ((low <= v) & (v <= high)).all()]
        errors = means * (variances * (1 + 1 / seeds)) ** 0.5
        distances = {method: _distance(v - means, errors) for method, v in printed.items()}
        best = min(distances, key=lambda method: distances[method])
        rows.append(
            (name, label, seeds, ", ".join(inside), best, distances[best], distances[label])
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def shown(rows: Sequence[Row]) -> Table:
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
    return declared("nearest", columns, rows)


def _distance(distances: np.ndarray, errors: np.ndarray) -> float:
    """Root mean square of the distances in standard errors; nan where there is no error."""
    with np.errstate(divide="ignore", invalid="ignore"):
        standardized = np.where(distances == 0, 0.0, distances / errors)
    distance = float(np.mean(standardized**2) ** 0.5)
    return distance if np.isfinite(distance) else np.nan
