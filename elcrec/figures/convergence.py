"""Convergence: validation HR@5 and training loss, epoch by epoch."""

from __future__ import annotations

from typing import Any

import pandas as pd

from elcrec.figures import curves, drawn, style
from elcrec.figures.drawn import Drawn
from elcrec.figures.plan import METRIC
from elcrec.figures.style import by_dataset
from elcrec.runs.reading import Runs, history

QUANTITIES = {METRIC: f"{METRIC} (validation)", "loss_total": "training loss (total)"}


def draw(runs: Runs) -> Drawn:
    """A row for each quantity, a column for each data set, a line for each model."""
    config = runs.config
    grid = by_dataset(runs, config.figures.convergence, len(QUANTITIES), 1.9)
    figure, axes, found, looks = grid.figure, grid.axes, grid.found, grid.looks
    rows: list[dict[str, Any]] = []
    for (dataset, model), records in found.items():
        histories = [history(record) for record in records]
        for line, quantity in zip(axes, QUANTITIES, strict=True):
            curve = curves.curve(histories, quantity)
            if curve is not None:
                axis = line[config.use.index(dataset)]
                curves.plot(axis, curve, looks[model], config.model_name(model))
                rows += curve.rows(dataset=dataset, model=model, quantity=quantity)
    for line, label in zip(axes, QUANTITIES.values(), strict=True):
        line[0].set_ylabel(label)
    _finish(axes)
    style.legend_below(figure, axes.flat)
    caption = (
        f"{METRIC} on the validation split and the loss that is minimized, per epoch. "
        f"{curves.BAND} The losses of different models have different terms: compare their "
        f"course, not their height. {drawn.which_runs(config, found)}"
    )
    columns = ["dataset", "model", "quantity", "epoch", "seeds", "mean", "std"]
    numbers = pd.DataFrame(rows, columns=columns)
    return Drawn(figure, numbers, "Convergence", caption, _alt(runs, numbers))


def _finish(axes: Any) -> None:
    for axis in axes.flat:
        if not axis.lines:
            style.say_missing(axis)
    for axis in axes[-1]:
        axis.set_xlabel("epoch")


def _alt(runs: Runs, numbers: pd.DataFrame) -> str:
    parts = []
    metric = numbers[numbers["quantity"] == METRIC]
    for (dataset, model), rows in metric.groupby(["dataset", "model"], sort=False):
        best = rows.sort_values("mean", kind="stable").iloc[-1]
        parts.append(
            f"{runs.config.model_name(str(model))} on {runs.config.dataset_name(str(dataset))} "
            f"{best['mean']:.4f} at epoch {best['epoch']}"
        )
    peaks = "; ".join(parts) or "no run yet"
    return f"Line charts over epochs of validation {METRIC} and training loss. Highest: {peaks}."
