"""Sensitivity: a test metric with one hyperparameter of ELCRec changed at a time."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from elcrec.figures import style
from elcrec.figures.drawn import Drawn, drawn, gaps, seeds_of
from elcrec.figures.grid import layout
from elcrec.figures.plan import METRIC
from elcrec.runs.plan import PARAMETERS, Point, sensitivity_points
from elcrec.runs.reading import Runs
from elcrec.runs.record import RunRecord
from elcrec.statistics.tests import mean_std

LABELS = {"alpha": "alpha (loss weight)", "intents": "K (intents)"}
COLUMNS = ["dataset", "parameter", "value", "in_tables", "seeds", "mean", "std"]


def draw(runs: Runs) -> Drawn:
    """A row for each hyperparameter, a column for each data set."""
    config = runs.config
    results = [(point, runs.read([point])[0]) for point in sensitivity_points(config)]
    metric = next(iter(config.metrics), METRIC)
    numbers = of_points(results, metric)
    rows = [parameter for parameter in PARAMETERS if (numbers["parameter"] == parameter).any()]
    measured, missing = numbers[numbers["seeds"] > 0], numbers[numbers["seeds"] == 0]
    datasets = (measured if len(measured) else numbers)["dataset"].unique().tolist()
    figure, columns = layout(config, datasets, [f"{metric} (test)"] * len(rows), 1.9)
    for dataset, column in columns.items():
        for axis, parameter in zip(column, rows, strict=True):
            mask = (numbers["dataset"] == dataset) & (numbers["parameter"] == parameter)
            _draw_panel(axis, numbers[mask], metric)
            axis.set_xlabel(LABELS[parameter])
    style.legend_below(figure, figure.axes)
    named = measured.assign(dataset=measured["dataset"].map(config.dataset_name))
    ranges = named.groupby(["dataset", "parameter"], sort=False)["mean"].agg(["min", "max"])
    return drawn(
        "sensitivity",
        figure,
        numbers,
        metric=metric,
        name=config.model_name(config.figures.sensitivity.model),
        seeds=seeds_of([record for _, records in results for record in records]),
        training=[f"{key} {v}" for key, v in config.figures.sensitivity.training.items()],
        gaps=gaps(
            f"{config.dataset_name(row['dataset'])} {row['parameter']} {row['value']:g}"
            for row in missing.to_dict("records")
        ),
        ranges=ranges.reset_index().to_dict("records"),
    )


def of_points(results: Sequence[tuple[Point, list[RunRecord]]], metric: str) -> pd.DataFrame:
    """A row for each point: mean and sample standard deviation of a metric over its runs."""
    groups: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for point, records in results:
        values = groups[point.dataset, point.parameter, point.value, point.own]
        values += [record.score(metric) for record in records]
    rows = [(*key, len(values), *mean_std(values)) for key, values in groups.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def _draw_panel(axis: Axes, rows: pd.DataFrame, metric: str) -> None:
    if not rows["seeds"].any():
        style.say_missing(axis)
        return
    positions = np.arange(len(rows))
    style.means(axis, positions, rows, style.SERIES[0], f"test {metric}")
    in_tables = rows["in_tables"].to_numpy(dtype=bool)
    ring = style.RING | {"markersize": 10, "color": style.SERIES[1].color}
    axis.plot(positions[in_tables], rows["mean"][in_tables], label="value of the tables", **ring)
    for position in positions[rows["seeds"] == 0]:
        text_style: Any = {"transform": axis.get_xaxis_transform(), "ha": "center", "rotation": 90}
        axis.text(position, 0.04, "not run", **text_style, **style.MISSING)
    top = np.nanmax([0.01, *(rows["mean"] + rows["std"].fillna(0))])
    axis.set_ylim(0, 1.15 * top)
    axis.set_xlim(-0.5, len(rows) - 0.5)
    axis.set_xticks(positions, [f"{value:g}" for value in rows["value"]])
