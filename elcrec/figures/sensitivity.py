"""Sensitivity: test HR@5 with one hyper-parameter of ELCRec changed at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from elcrec.figures import drawn, style
from elcrec.figures.drawn import Drawn
from elcrec.figures.plan import METRIC
from elcrec.runs.plan import PARAMETERS, Point, sensitivity_points
from elcrec.runs.reading import Runs
from elcrec.statistics.tests import mean_std

LABELS = {"alpha": "alpha (loss weight)", "intents": "K (intents)"}


def draw(runs: Runs) -> Drawn:
    """A row for each hyper-parameter, a column for each data set."""
    config = runs.config
    points = sensitivity_points(config)
    datasets = list(dict.fromkeys(point.dataset for point in points))
    numbers = pd.DataFrame(_rows(runs, points))
    rows = [parameter for parameter in PARAMETERS if any(p.parameter == parameter for p in points)]
    figure, axes = style.panels(len(rows), len(datasets), 1.9)
    style.title_columns(axes, [config.dataset_name(d) for d in datasets])
    for line, parameter in zip(axes, rows, strict=True):
        line[0].set_ylabel(f"{METRIC} (test)")
        for axis, dataset in zip(line, datasets, strict=True):
            chosen = (numbers["dataset"] == dataset) & (numbers["parameter"] == parameter)
            _draw_panel(axis, numbers[chosen])
            axis.set_xlabel(LABELS[parameter])
    style.legend_below(figure, axes.flat)
    name = config.model_name(config.figures.sensitivity.model)
    caption = (
        f"{METRIC} of {name} on the test split when one hyper-parameter is changed and all others "
        "stay: alpha, the weight of the cluster loss, and K, the number of intents. A ring marks "
        "the value used in the tables. Points are means over seeds, error bars one standard "
        f"deviation (none for a single seed). {drawn.seeds_of(runs.read(points)[0])}"
        f"{_training(runs)}{drawn.gaps(_missing(runs, numbers))}"
    )
    return Drawn(figure, numbers, f"Sensitivity of {name}", caption, _alt(runs, numbers, name))


def _rows(runs: Runs, points: list[Point]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str, float], list[Point]] = {}
    for point in points:
        groups.setdefault((point.dataset, point.parameter, point.value), []).append(point)
    rows = []
    for (dataset, parameter, value), members in groups.items():
        records, _ = runs.read(members)
        mean, std = mean_std([record.metrics["test"][METRIC] for record in records])
        rows.append(
            {
                "dataset": dataset,
                "parameter": parameter,
                "value": value,
                "in_tables": members[0].own,
                "seeds": len(records),
                "mean": mean,
                "std": std,
            }
        )
    return rows


def _draw_panel(axis: Axes, rows: pd.DataFrame) -> None:
    if not rows["seeds"].any():
        style.say_missing(axis)
        return
    places = np.arange(len(rows))
    look = style.SERIES[0]
    axis.errorbar(
        places,
        rows["mean"],
        rows["std"].fillna(0),
        color=look.color,
        marker=look.marker,
        capsize=2,
        label="test HR@5",
    )
    own = rows["in_tables"].to_numpy(dtype=bool)
    ring = style.RING | {"markersize": 10, "color": style.SERIES[1].color}
    axis.plot(places[own], rows["mean"][own], label="value of the tables", **ring)
    for place, seeds in zip(places, rows["seeds"], strict=True):
        if not seeds:
            style.mark_missing(axis, float(place))
    top = np.nanmax([0.01, *(rows["mean"] + rows["std"].fillna(0))])
    axis.set_ylim(0, 1.15 * top)
    axis.set_xlim(-0.5, len(rows) - 0.5)
    axis.set_xticks(places, [f"{value:g}" for value in rows["value"]])


def _training(runs: Runs) -> str:
    changes = runs.config.figures.sensitivity.training
    if not changes:
        return ""
    text = ", ".join(f"{key} {value}" for key, value in changes.items())
    return f" These trainings are not those of the tables: {text}."


def _missing(runs: Runs, numbers: pd.DataFrame) -> list[str]:
    return [
        f"{runs.config.dataset_name(row['dataset'])} {row['parameter']} {row['value']:g}"
        for row in numbers.to_dict("records")
        if not row["seeds"]
    ]


def _alt(runs: Runs, numbers: pd.DataFrame, name: str) -> str:
    parts = []
    for (dataset, parameter), rows in numbers.groupby(["dataset", "parameter"], sort=False):
        known = rows.dropna(subset="mean")
        if known.empty:
            continue
        low, high = known["mean"].min(), known["mean"].max()
        where = runs.config.dataset_name(str(dataset))
        parts.append(f"{where}, {parameter}: {low:.4f} to {high:.4f}")
    found = "; ".join(parts) or "no run yet"
    return f"Line charts of the test {METRIC} of {name} against alpha and K. Range of {found}."
