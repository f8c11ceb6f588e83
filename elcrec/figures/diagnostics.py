"""Diagnostics that the paper lacks: do the centers stay in use, do they and the users collapse?"""

import pandas as pd
from matplotlib.ticker import FormatStrFormatter

from elcrec.figures import style
from elcrec.figures.convergence import curve, draw_curves
from elcrec.figures.drawn import Drawn, drawn, of_each_run, which_runs
from elcrec.figures.grid import Grid, by_dataset
from elcrec.files.jsonfile import read_json
from elcrec.runs.places import released_folder
from elcrec.runs.reading import Runs, history
from elcrec.runs.records import ReleasedRecord

DIRECT, IDENTITY = "cluster_direct", "cluster_identity"
QUANTITIES = {
    "intents_in_use": "centers in use\n(count)",
    "center_cosine": "cosine of centers\n(mean of pairs)",
    "user_cosine": "cosine of users\n(mean of pairs)",
    DIRECT: "cluster loss\n(squared distance)",
}
PUBLISHED = ("in_use", "center_cosine", "user_cosine")
"""What is recorded of published weights, in the order of the quantities."""


def draw(runs: Runs) -> Drawn:
    """A row for each quantity, a column for each data set, a line for each model."""
    config = runs.config
    grid = by_dataset(runs, "diagnostics", [*QUANTITIES.values()], 1.5, "epoch")
    numbers = draw_curves(grid, QUANTITIES)
    forms, gaps = _other_form(grid)
    values, published = _draw_published(grid)
    _show_zero(grid)
    grid.finish()
    numbers = pd.concat([numbers, *forms, *values])
    in_use = numbers[numbers["quantity"] == "intents_in_use"]
    return drawn(
        "diagnostics",
        grid.figure,
        numbers,
        gap=max(gaps, default=None),
        published=published,
        at_end=of_each_run(config, in_use, lambda rows: f"{rows['mean'].iloc[-1]:.0f}"),
        runs=which_runs(config, grid.found),
    )


def largest_gap(table: pd.DataFrame) -> float | None:
    """Largest absolute difference of the two forms of the cluster loss, None without them."""
    if DIRECT not in table or IDENTITY not in table:
        return None
    gaps = (table[DIRECT] - table[IDENTITY]).abs().dropna()
    return float(gaps.max()) if len(gaps) else None


def _other_form(grid: Grid) -> tuple[list[pd.DataFrame], list[float]]:
    """Draw the other form of the loss as rings on the lines; returns its values and the gaps."""
    tables, gaps = [], []
    for (dataset, model), records in grid.found.items():
        with_gap = [(gap, h) for h in map(history, records) if (gap := largest_gap(h)) is not None]
        gaps += [gap for gap, _ in with_gap]
        mean_curve = curve([table for _, table in with_gap], IDENTITY)
        if mean_curve is not None:
            tables.append(mean_curve.assign(dataset=dataset, model=model, quantity=IDENTITY))
            rings = mean_curve.iloc[:: max(1, len(mean_curve) // 8)]
            look = style.RING | {"markersize": 8, "color": "black"}
            last = grid.columns[dataset][-1]
            last.plot(rings["epoch"], rings["mean"], label="2|m|² - 2 b·m", **look)
    return tables, gaps


def _draw_published(grid: Grid) -> tuple[list[pd.DataFrame], list[str]]:
    """Draw lines at the values of the authors' published weights; returns them and texts of use."""
    tables, texts = [], []
    for dataset, column in grid.columns.items():
        path = released_folder(grid.config, dataset) / dataset / "elcrec.json"
        centers = read_json(path, ReleasedRecord).intents if path.exists() else None
        if centers is None:
            continue
        values = {f"published_{key}": getattr(centers, key) for key in PUBLISHED}
        for axis, value in zip(column, values.values(), strict=False):
            axis.axhline(value, label="ELCRec, authors' weights", color="black", linestyle=":")
        rows = {"dataset": dataset, "model": "elcrec", "quantity": [*values]}
        tables.append(pd.DataFrame(rows | {"mean": values.values()}))
        name = grid.config.dataset_name(dataset)
        texts.append(f"{centers.in_use} of {centers.count} on {name}")
    return tables, texts


def _show_zero(grid: Grid) -> None:
    """Make the scales show 0; that of counts is logarithmic, to tell few from none and many."""
    for counts, *cosines, _ in grid.columns.values():
        if counts.lines:
            counts.set_yscale("log", nonpositive="clip")
            counts.set_ylim(0.8, 1.5 * counts.get_ylim()[1])
            counts.yaxis.set_major_formatter(FormatStrFormatter("%g"))
        for axis in (a for a in cosines if a.lines):
            axis.set_ylim(min(0.0, axis.get_ylim()[0]), 1.05)
