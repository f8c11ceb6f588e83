"""Accuracy by user activity: five groups of users by the length of their history."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from elcrec.evaluation.metrics import TABLE_METRICS, per_user
from elcrec.figures import drawn, style
from elcrec.figures.drawn import Drawn
from elcrec.figures.style import by_dataset
from elcrec.runs.reading import Runs
from elcrec.runs.record import RunRecord
from elcrec.statistics.groups import activity_groups
from elcrec.statistics.tests import mean_std

GROUPS = 5
DRAWN = ("HR@5", "NDCG@20")


def draw(runs: Runs) -> Drawn:
    """A row for each of two metrics, a column for each data set, a line for each model."""
    config = runs.config
    grid = by_dataset(runs, config.figures.activity, len(DRAWN), 1.9)
    figure, axes, found, looks = grid.figure, grid.axes, grid.found, grid.looks
    rows: list[dict[str, Any]] = []
    for (dataset, model), records in found.items():
        if records:
            rows += _rows(runs, dataset, model, records)
    numbers = pd.DataFrame(rows, columns=_COLUMNS)
    for line, metric in zip(axes, DRAWN, strict=True):
        line[0].set_ylabel(f"{metric} (test)")
        for axis, dataset in zip(line, config.use, strict=True):
            chosen = numbers[(numbers["dataset"] == dataset) & (numbers["metric"] == metric)]
            _draw_panel(axis, chosen, looks, {m: config.model_name(m) for m in grid.models})
    for axis in axes[-1]:
        axis.set_xlabel("history (items)")
    style.legend_below(figure, axes.flat)
    caption = (
        "Test metrics of five equally large groups of users, ordered by the number of items in "
        "their history (users of equal length in a random order that is always the same), from the "
        "least active to the most. Below each group the shortest and longest history in it. Points "
        "are means over seeds, error bars one standard deviation. "
        f"{drawn.which_runs(config, found)}"
    )
    return Drawn(figure, numbers, "Accuracy by user activity", caption, _alt(runs, numbers))


_COLUMNS = ["dataset", "model", "group", "users", "shortest", "longest", "metric", "seeds"]
_COLUMNS += ["mean", "std"]


def _rows(runs: Runs, dataset: str, model: str, records: list[RunRecord]) -> list[dict[str, Any]]:
    lengths = runs.lengths(dataset, records)
    groups = activity_groups(lengths, GROUPS)
    rows = []
    for metric in TABLE_METRICS:
        values = [per_user(metric, record.ranks["test"]) for record in records]
        for group in range(GROUPS):
            members = groups == group
            mean, std = mean_std([float(v[members].mean()) for v in values])
            key = (dataset, model, group + 1, int(members.sum()))
            span = (int(lengths[members].min()), int(lengths[members].max()))
            rows.append(
                dict(zip(_COLUMNS, (*key, *span, metric, len(records), mean, std), strict=True))
            )
    return rows


def _draw_panel(
    axis: Axes, rows: pd.DataFrame, looks: dict[str, style.Series], names: dict[str, str]
) -> None:
    if rows.empty:
        style.say_missing(axis)
        return
    for number, (model, look) in enumerate(looks.items()):
        line = rows[rows["model"] == model]
        if not line.empty:
            places = line["group"] + 0.1 * (number - (len(looks) - 1) / 2)
            axis.errorbar(
                places,
                line["mean"],
                line["std"].fillna(0),
                color=look.color,
                marker=look.marker,
                linestyle=look.line,
                capsize=2,
                label=names[model],
            )
    axis.margins(y=0.15)  # room for the marker of the highest value
    axis.set_ylim(bottom=0)
    spans = rows.drop_duplicates("group").sort_values("group")
    labels = [_span(r["shortest"], r["longest"]) for r in spans.to_dict("records")]
    axis.set_xticks(np.arange(1, GROUPS + 1), labels, fontsize=6.5)


def _span(shortest: int, longest: int) -> str:
    return str(shortest) if shortest == longest else f"{shortest}-{longest}"


def _alt(runs: Runs, numbers: pd.DataFrame) -> str:
    parts = []
    metric = numbers[numbers["metric"] == DRAWN[0]]
    for (dataset, model), rows in metric.groupby(["dataset", "model"], sort=False):
        values = ", ".join(f"{value:.4f}" for value in rows["mean"])
        name = runs.config.model_name(str(model))
        parts.append(f"{name} on {runs.config.dataset_name(str(dataset))} {values}")
    found = "; ".join(parts) or "no run yet"
    return (
        f"Line charts of {' and '.join(DRAWN)} for five groups of users by activity. {DRAWN[0]} "
        f"from the least to the most active: {found}."
    )
