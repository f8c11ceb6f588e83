"""Accuracy by user activity: five groups of users by the length of their history."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from elcrec.evaluation.metrics import TABLE_METRICS, per_user
from elcrec.external.record import external_runs
from elcrec.figures import style
from elcrec.figures.drawn import Drawn, drawn, of_each_run, which_runs
from elcrec.figures.grid import by_dataset
from elcrec.runs.reading import Runs
from elcrec.runs.record import RunRecord
from elcrec.statistics.groups import GROUPS, activity_groups
from elcrec.statistics.tests import mean_std

DRAWN = ("HR@5", "NDCG@20")
COLUMNS = ["dataset", "model", "group", "users", "shortest", "longest", "metric", "seeds"]
COLUMNS += ["mean", "std"]


def draw(runs: Runs) -> Drawn:
    """A row for each of two metrics, a column for each data set, a line for each model."""
    config = runs.config
    metrics = config.metrics[:2] or DRAWN
    labels = [f"{metric} (test)" for metric in metrics]
    external = external_runs(config)
    grid = by_dataset(runs, "activity", labels, 1.9, "history (items)", external)
    rows = (_rows(runs, *key, records) for key, records in grid.found.items() if records)
    numbers = pd.DataFrame(chain.from_iterable(rows), columns=COLUMNS)
    for dataset, column in grid.columns.items():
        for axis, metric in zip(column, metrics, strict=True):
            panel_rows = numbers[(numbers["dataset"] == dataset) & (numbers["metric"] == metric)]
            for number, (model, look) in enumerate(grid.looks.items()):
                # Side by side, so that no error bar hides another.
                shift = 0.1 * (number - (len(grid.looks) - 1) / 2)
                line = panel_rows[panel_rows["model"] == model]
                if len(line):
                    style.means(axis, line["group"] + shift, line, look, config.model_name(model))
            if len(panel_rows):
                _label_groups(axis, panel_rows)
            elif any(grid.found[dataset, model] for model in grid.looks):
                style.say_missing(axis, f"fewer than {GROUPS} users")
    grid.finish()
    first = numbers[numbers["metric"] == metrics[0]]
    texts = of_each_run(config, first, lambda r: ", ".join(f"{v:.4f}" for v in r["mean"]))
    runs_text = which_runs(config, grid.found)
    return drawn("activity", grid.figure, numbers, metrics=metrics, found=texts, runs=runs_text)


def _rows(
    runs: Runs, dataset: str, model: str, records: list[RunRecord]
) -> Iterator[tuple[Any, ...]]:
    """A row for each metric and group, `COLUMNS`; none for fewer users than groups."""
    lengths = runs.lengths(dataset, records)
    if len(lengths) < GROUPS:
        return
    groups = activity_groups(lengths, GROUPS)
    for metric in runs.config.metrics or TABLE_METRICS:
        values = [per_user(metric, record.ranks["test"]) for record in records]
        for group in range(GROUPS):
            members = lengths[groups == group]
            key = (dataset, model, group + 1, len(members), int(members.min()), int(members.max()))
            means = mean_std([float(v[groups == group].mean()) for v in values])
            yield (*key, metric, len(records), *means)


def _label_groups(axis: Axes, rows: pd.DataFrame) -> None:
    axis.margins(y=0.15)  # room for the marker of the highest value
    axis.set_ylim(bottom=0)
    groups = rows.drop_duplicates("group").sort_values("group")
    spans = zip(groups["shortest"], groups["longest"], strict=True)
    labels = [str(low) if low == high else f"{low}-{high}" for low, high in spans]
    axis.set_xticks(np.arange(1, GROUPS + 1), labels, fontsize=6.5)
