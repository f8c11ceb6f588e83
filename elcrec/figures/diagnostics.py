"""Diagnostics that the paper lacks: do the centers stay in use, do they and the users collapse?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from elcrec.figures import curves, drawn, style
from elcrec.figures.drawn import Drawn
from elcrec.figures.style import by_dataset
from elcrec.runs.reading import Found, Runs, history

QUANTITIES = {
    "intents_in_use": "centers in use\n(count)",
    "center_cosine": "cosine of centers\n(mean of pairs)",
    "user_cosine": "cosine of users\n(mean of pairs)",
}
DIRECT, IDENTITY = "cluster_direct", "cluster_identity"
LOSS_LABEL = "cluster loss\n(squared distance)"


def draw(runs: Runs) -> Drawn:
    """A row for each quantity and one for the cluster loss, a column for each data set."""
    config = runs.config
    grid = by_dataset(runs, config.figures.diagnostics, len(QUANTITIES) + 1, 1.5)
    figure, axes, found, looks = grid.figure, grid.axes, grid.found, grid.looks
    rows: list[dict[str, Any]] = []
    gaps: list[float] = []
    for (dataset, model), records in found.items():
        column = axes[:, config.use.index(dataset)]
        histories = [history(record) for record in records]
        key = {"dataset": dataset, "model": model}
        rows += _draw_quantities(column, histories, looks[model], config.model_name(model), key)
        rows += _draw_loss(column[-1], histories, config.model_name(model), key)
        gaps += [gap for h in histories if (gap := largest_gap(h)) is not None]
    present = [any(found[dataset, model] for model in grid.models) for dataset in config.use]
    _finish(axes, present)
    figure.align_ylabels(list(axes[:, 0]))
    style.legend_below(figure, axes.flat)
    columns = ["dataset", "model", "quantity", "epoch", "seeds", "mean", "std"]
    numbers = pd.DataFrame(rows, columns=columns)
    return Drawn(
        figure, numbers, "Diagnostics of intents", _caption(runs, found, gaps), _alt(runs, numbers)
    )


def _finish(axes: NDArray[Any], present: list[bool]) -> None:
    """Labels, scales that show 0, and gaps; `present` says for each column whether it has runs."""
    for axis, label in zip(axes[:, 0], [*QUANTITIES.values(), LOSS_LABEL], strict=True):
        axis.set_ylabel(label)
    for number, axis in ((n, a) for n, line in enumerate(axes[:-1]) for a in line if a.lines):
        lowest = min(float(np.min(line.get_ydata())) for line in axis.lines)
        axis.set_ylim(bottom=min(0.0, 1.05 * lowest), top=1.05 if number else None)
    for column, known in zip(axes.T, present, strict=True):
        for axis in (a for a in column if not a.lines):
            style.say_missing(axis, "not recorded" if known else "not run")
    for axis in axes[-1]:
        axis.set_xlabel("epoch")


def largest_gap(table: pd.DataFrame) -> float | None:
    """Largest absolute difference of the two forms of the cluster loss, None without them."""
    if DIRECT not in table or IDENTITY not in table:
        return None
    gaps = (table[DIRECT] - table[IDENTITY]).abs().dropna()
    return float(gaps.max()) if len(gaps) else None


def _draw_quantities(
    column: NDArray[Any],
    histories: list[pd.DataFrame],
    look: style.Series,
    name: str,
    key: dict[str, str],
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for axis, quantity in zip(column, QUANTITIES, strict=False):
        curve = curves.curve(histories, quantity)
        if curve is not None:
            curves.plot(axis, curve, look, name)
            rows += curve.rows(**key, quantity=quantity)
    return rows


def _draw_loss(
    axis: Axes, histories: list[pd.DataFrame], name: str, key: dict[str, str]
) -> list[dict[str, Any]]:
    """The cluster loss pair by pair, and as 2|m|² - 2 b·m in rings on top of it."""
    direct, identity = (curves.curve(histories, quantity) for quantity in (DIRECT, IDENTITY))
    if direct is None or identity is None:
        return []
    curves.plot(axis, direct, style.SERIES[3], f"cluster loss of {name}, pair by pair")
    places = np.arange(0, len(identity.epochs), max(1, len(identity.epochs) // 8))
    ring = style.RING | {"markersize": 8, "color": style.SERIES[1].color}
    axis.plot(identity.epochs[places], identity.mean[places], label="2|m|² - 2 b·m", **ring)
    return direct.rows(**key, quantity=DIRECT) + identity.rows(**key, quantity=IDENTITY)


def _caption(runs: Runs, found: Found, gaps: list[float]) -> str:
    identity = (
        "With users and centers of unit length the cluster loss is 2|m|² - 2 b·m, m the mean "
        "center and b the mean user: "
    )
    identity += (
        f"the largest gap between the two in all epochs shown and seeds is {max(gaps):.1e}."
        if gaps
        else "not recorded in these runs."
    )
    return (
        "Centers in use are those nearest to at least one of at most 2,000 sampled users; cosines "
        f"are means over all pairs, 1 means that all point the same way. {curves.BAND} {identity} "
        f"{drawn.which_runs(runs.config, found)}"
    )


def _alt(runs: Runs, numbers: pd.DataFrame) -> str:
    parts = []
    last = numbers.groupby(["dataset", "model", "quantity"], sort=False).tail(1)
    for row in last[last["quantity"] == "intents_in_use"].to_dict("records"):
        name = runs.config.model_name(row["model"])
        where = runs.config.dataset_name(row["dataset"])
        parts.append(f"{name} on {where} {row['mean']:.0f}")
    found = "; ".join(parts) or "not recorded"
    return (
        "Line charts over epochs: centers in use, mean cosine of centers, mean cosine of users, "
        f"and the cluster loss computed in two ways. Centers in use at the end: {found}."
    )
