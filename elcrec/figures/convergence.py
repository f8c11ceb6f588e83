"""Convergence: validation HR@5 and training loss, epoch by epoch."""

from __future__ import annotations

import pandas as pd

from elcrec.figures import curves, drawn
from elcrec.figures.drawn import Drawn
from elcrec.figures.grid import by_dataset
from elcrec.figures.plan import METRIC
from elcrec.runs.reading import Runs

QUANTITIES = {METRIC: f"{METRIC} (validation)", "loss_total": "training loss (total)"}


def draw(runs: Runs) -> Drawn:
    """A row for each quantity, a column for each data set, a line for each model."""
    grid = by_dataset(runs, "convergence", [*QUANTITIES.values()], 1.9, "epoch")
    numbers = curves.draw(grid, QUANTITIES)
    grid.finish()
    caption = (
        f"{METRIC} on the validation split and the loss that is minimized, per epoch. "
        f"{curves.BAND} The losses of different models have different terms: compare their "
        f"course, not their height. {drawn.which_runs(runs.config, grid.found)}"
    )
    metric = numbers[numbers["quantity"] == METRIC]
    peaks = drawn.of_each_run(runs.config, metric, _peak, "no run yet")
    alt = f"Line charts over epochs of validation {METRIC} and training loss. Highest: {peaks}."
    return Drawn(grid.figure, numbers, "Convergence", caption, alt)


def _peak(rows: pd.DataFrame) -> str:
    best = rows.sort_values("mean", kind="stable").iloc[-1]
    return f"{best['mean']:.4f} at epoch {best['epoch']}"
