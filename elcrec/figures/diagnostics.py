"""Diagnostics that the paper lacks: do the centers stay in use, do they and the users collapse?"""

from __future__ import annotations

import pandas as pd
from matplotlib.ticker import FormatStrFormatter

from elcrec.figures import curves, drawn, style
from elcrec.figures.drawn import Drawn
from elcrec.figures.grid import Grid, by_dataset
from elcrec.files.jsonfile import JsonObject
from elcrec.runs.places import released_folder
from elcrec.runs.reading import Runs, history

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
    numbers = curves.draw(grid, QUANTITIES)
    forms, gaps = _other_form(grid)
    values, published = _draw_published(grid)
    _show_zero(grid)
    grid.finish()
    numbers = pd.concat([numbers, *forms, *values])
    caption = (
        "Centers in use are those nearest to at least one of at most 2,000 sampled users; cosines "
        f"are means over all pairs, 1 means that all point the same way. {curves.BAND} "
        "With users and centers of unit length the cluster loss is 2|m|² - 2 b·m, m the mean "
        f"center and b the mean user: {gaps} {published}{drawn.which_runs(config, grid.found)}"
    )
    used = numbers[numbers["quantity"] == "intents_in_use"]
    at_end = drawn.of_each_run(config, used, lambda r: f"{r['mean'].iloc[-1]:.0f}", "not recorded")
    alt = (
        "Line charts over epochs: centers in use, mean cosine of centers, mean cosine of users, "
        f"and the cluster loss computed in two ways. Centers in use at the end: {at_end}. "
        f"{published}"
    )
    return Drawn(grid.figure, numbers, "Diagnostics of intents", caption, alt.strip())


def largest_gap(table: pd.DataFrame) -> float | None:
    """Largest absolute difference of the two forms of the cluster loss, None without them."""
    if DIRECT not in table or IDENTITY not in table:
        return None
    gaps = (table[DIRECT] - table[IDENTITY]).abs().dropna()
    return float(gaps.max()) if len(gaps) else None


def _other_form(grid: Grid) -> tuple[list[pd.DataFrame], str]:
    """Rings where the loss has its other form, on the lines; returns them, and the largest gap."""
    tables, gaps = [], []
    for (dataset, model), records in grid.found.items():
        both = [h for h in map(history, records) if largest_gap(h) is not None]
        gaps += [largest_gap(h) or 0.0 for h in both]
        found = curves.curve(both, IDENTITY)
        if found is not None:
            tables.append(found.assign(dataset=dataset, model=model, quantity=IDENTITY))
            rings = found.iloc[:: max(1, len(found) // 8)]
            look = style.RING | {"markersize": 8, "color": "black"}
            last = grid.columns[dataset][-1]
            last.plot(rings["epoch"], rings["mean"], label="2|m|² - 2 b·m", **look)
    if not gaps:
        return tables, "not recorded in these runs."
    largest = f"{max(gaps):.1e}"
    return tables, f"the largest gap between the two in all epochs shown and seeds is {largest}."


def _draw_published(grid: Grid) -> tuple[list[pd.DataFrame], str]:
    """Lines at what the authors' published weights have; returns that, and a sentence."""
    tables, told = [], []
    for dataset, column in grid.columns.items():
        path = released_folder(grid.config, dataset) / dataset / "elcrec.json"
        if not path.exists() or not (record := JsonObject.read(path)).values.get("intents"):
            continue
        seen = record.section("intents")
        values = {f"published_{key}": seen.number(key) for key in PUBLISHED}
        for axis, value in zip(column, values.values(), strict=False):
            axis.axhline(value, label="ELCRec, authors' weights", color="black", linestyle=":")
        rows = {"dataset": dataset, "model": "elcrec", "quantity": [*values]}
        tables.append(pd.DataFrame(rows | {"mean": values.values()}))
        count = f"{seen.integer('in_use')} of {seen.integer('count')}"
        told.append(f"{count} on {grid.config.dataset_name(dataset)}")
    return tables, f"The authors' published weights use {drawn.listed(told)}. " if told else ""


def _show_zero(grid: Grid) -> None:
    """Scales that show 0; of counts one that tells a few from none and many."""
    for counts, *cosines, _ in grid.columns.values():
        if counts.lines:
            counts.set_yscale("log", nonpositive="mask")
            counts.set_ylim(0.8, 1.5 * counts.get_ylim()[1])
            counts.yaxis.set_major_formatter(FormatStrFormatter("%g"))
        for axis in (a for a in cosines if a.lines):
            axis.set_ylim(min(0.0, axis.get_ylim()[0]), 1.05)
