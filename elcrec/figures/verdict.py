"""The verdict: the printed values of the paper's Table 1 against our runs."""

from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from elcrec.errors import InputError
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.figures import style
from elcrec.figures.drawn import Drawn, drawn, gaps
from elcrec.files.rows import frame_of, read_rows
from elcrec.runs.plan import shown
from elcrec.runs.reading import Runs

WORDS = ["dataset", "metric", "model", "verdict", "status"]
VALUES = ["paper", "mean", "low95", "high95", "seeds", "seeds_asked"]
"""Columns of verdict.csv that are read."""
PERCENT = {"mean": "ours_percent", "low95": "low95_percent", "high95": "high95_percent"}
"""Columns that are drawn: ours against the printed value, in percent of it."""
# Told apart by form and filling as well as by color.
MARKS: dict[str, dict[str, Any]] = {
    "compatible": {"color": "#004488", "marker": "o", "markersize": 6},
    "differs": {"color": "#BB5566", "marker": "X", "markersize": 7},
    "cannot tell": {"color": "0.35", "marker": "o", "markersize": 5, "markerfacecolor": "white"},
}
EDGE = 50.0
"""Percent; values further away are drawn there."""


def draw(runs: Runs) -> Drawn:
    """A panel for each metric, in a line for each data set with runs; a row for each model."""
    config = runs.config
    path = config.output / "tables" / "verdict.csv"
    if not path.exists():
        command = config.elcrec("table", "verdict")
        raise InputError(f"{path}: is missing; make it with: {command}")
    table = read(path)
    models = [config.model_name(m) for m in shown(config, config.figures.models_of("verdict"))]
    datasets = [config.dataset_name(d) for d in config.use]
    table = table[table["dataset"].isin(datasets) & table["model"].isin(models)]
    numbers = table[table["verdict"].isin(MARKS)]
    not_run = table[table["verdict"] == "not run"].drop_duplicates(["dataset", "model"])
    decided = numbers[numbers["verdict"] != "cannot tell"]
    return drawn(
        "verdict",
        _draw(numbers) if len(numbers) else style.empty("not run"),
        numbers,
        edge=f"{EDGE:.0f}",
        gaps=gaps(list(not_run["model"] + " on " + not_run["dataset"])),
        count=len(numbers),
        decided=decided.to_dict("records"),
    )


def read(path: Path) -> pd.DataFrame:
    """Read verdict.csv, and put ours in percent of what is printed.

    Raises:
        InputError: It cannot be read, lacks a column, or a field is not a number.
    """
    table = frame_of(read_rows(path), WORDS, VALUES)
    for column, percent in PERCENT.items():
        table[percent] = 100 * (table[column] / table["paper"] - 1)
    return table


def _draw(numbers: pd.DataFrame) -> Figure:
    parts = {str(dataset): rows for dataset, rows in numbers.groupby("dataset", sort=False)}
    labels = {dataset: _labels(rows) for dataset, rows in parts.items()}
    heights = [len(rows) for rows in labels.values()]
    size = (style.WIDTH, 0.26 * sum(heights) + 0.5 * len(parts) + 0.5)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(parts), len(TABLE_METRICS), squeeze=False, height_ratios=heights)
    for line, (dataset, rows) in zip(axes, parts.items(), strict=True):
        for axis, metric in zip(line, TABLE_METRICS, strict=True):
            axis.set_title(f"{dataset}, {metric}")
            _draw_panel(axis, rows[rows["metric"] == metric], labels[dataset])
            axis.tick_params(labelleft=axis is line[0])
    counts = numbers["verdict"].value_counts()
    handles = [
        Line2D([], [], label=f"{name} ({counts.get(name, 0)})", **mark)
        for name, mark in MARKS.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _labels(rows: pd.DataFrame) -> dict[str, str]:
    """The name of each model, with its seeds where some are missing."""
    labels = {}
    for row in rows.drop_duplicates("model").to_dict("records"):
        seeds = f" ({row['seeds']:.0f} of {row['seeds_asked']:.0f} seeds)"
        labels[row["model"]] = row["model"] + (seeds if row["status"] != "final" else "")
    return labels


def _draw_panel(axis: Axes, rows: pd.DataFrame, labels: dict[str, str]) -> None:
    style.rows_from_the_top(axis, [*labels.values()])
    for row in rows.to_dict("records"):
        y, ends = [*labels].index(row["model"]), (row["low95_percent"], row["high95_percent"])
        style.estimate(axis, y, row["ours_percent"], ends, EDGE, **MARKS[row["verdict"]])
    axis.set_xlim(-1.2 * EDGE, 1.2 * EDGE)
    axis.set_xticks([-EDGE, 0, EDGE], [f"-{EDGE:.0f} %", "printed", f"+{EDGE:.0f} %"])
