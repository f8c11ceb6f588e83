"""Convergence: validation HR@5 and training loss, epoch by epoch; diagnostics uses its curves too.

A curve is the mean over seeds with a band, as far as every seed was trained.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from elcrec.figures.drawn import Drawn, drawn, of_each_run, which_runs
from elcrec.figures.grid import Grid, by_dataset
from elcrec.figures.plan import METRIC
from elcrec.figures.style import Series
from elcrec.runs.reading import Runs, history

QUANTITIES = {METRIC: f"{METRIC} (validation)", "loss_total": "training loss (total)"}
COLUMNS = ["dataset", "model", "quantity", "epoch", "seeds", "mean", "std"]
"""Of the numbers behind curves."""


def draw(runs: Runs) -> Drawn:
    """A row for each quantity, a column for each data set, a line for each model."""
    grid = by_dataset(runs, "convergence", [*QUANTITIES.values()], 1.9, "epoch")
    numbers = draw_curves(grid, QUANTITIES)
    grid.finish()
    peaks = of_each_run(runs.config, numbers[numbers["quantity"] == METRIC], _peak)
    runs_text = which_runs(runs.config, grid.found)
    return drawn("convergence", grid.figure, numbers, metric=METRIC, peaks=peaks, runs=runs_text)


def _peak(rows: pd.DataFrame) -> str:
    best = rows.sort_values("mean", kind="stable").iloc[-1]
    return f"{best['mean']:.4f} at epoch {best['epoch']}"


def draw_curves(grid: Grid, quantities: Iterable[str]) -> pd.DataFrame:
    """Draw each quantity of every run into its row of panels; returns what was drawn."""
    tables = []
    for (dataset, model), records in grid.found.items():
        histories = [history(record) for record in records]
        for row, quantity in enumerate(quantities):
            table = curve(histories, quantity)
            if table is not None:
                name = grid.config.model_name(model)
                _plot(grid.columns[dataset][row], table, grid.looks[model], name)
                tables.append(table.assign(dataset=dataset, model=model, quantity=quantity))
    return pd.concat(tables)[COLUMNS] if tables else pd.DataFrame(columns=COLUMNS)


def curve(histories: Sequence[pd.DataFrame], column: str) -> pd.DataFrame | None:
    """The curve of a column: epochs from 1, seeds, and mean and sample deviation over these.

    Args:
        histories: One per seed, with the column `epoch`.
        column: A column of numbers; histories without it, or with nothing in it, are left out.

    Returns:
        The columns `epoch`, `seeds`, `mean` and `std` (0 for a single seed); None where no history
        has the column.
    """
    usable = [h for h in histories if column in h and h[column].notna().any()]
    if not usable:
        return None
    epochs = min(len(history) for history in usable)
    values = np.array([h[column].to_numpy(np.float64)[:epochs] for h in usable])
    std = values.std(axis=0, ddof=1) if len(usable) > 1 else np.zeros(epochs)
    epoch = np.arange(1, epochs + 1)
    return pd.DataFrame(
        {"epoch": epoch, "seeds": len(usable), "mean": values.mean(axis=0), "std": std}
    )


def _plot(axis: Axes, table: pd.DataFrame, series: Series, label: str) -> None:
    """Draw a curve with its band and a few markers, so that it can be told apart in grey."""
    epoch, mean, std = table["epoch"], table["mean"], table["std"]
    axis.plot(epoch, mean, markevery=max(1, len(table) // 8), label=label, **series.line)
    axis.fill_between(epoch, mean - std, mean + std, color=series.color, alpha=0.2, linewidth=0)
    axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
