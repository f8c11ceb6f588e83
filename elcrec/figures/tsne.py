"""t-SNE of user embeddings at several epochs, colored by intent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from sklearn.manifold import TSNE

from elcrec.figures import drawn, style
from elcrec.figures.drawn import Drawn
from elcrec.runs.plan import single_seed
from elcrec.runs.reading import Runs
from elcrec.runs.record import RunRecord
from elcrec.runs.snapshots import Snapshots, snapshots

COLORED = 10
"""Intents that get a color of their own."""
COLUMNS = 3
PERPLEXITY = 30.0
# Dark to light and back, so that neighbors in the legend differ in grey too; each has its marker.
PALETTE = ["#332288", "#EE9933", "#117733", "#88CCEE", "#AA2255"]
PALETTE += ["#DDCC55", "#000000", "#CC6677", "#44AA99", "#884411"]
MARKERS = "osD^vP*X<>"


def draw(runs: Runs, dataset: str) -> Drawn:
    """A panel for each epoch asked for and one for the tested epoch."""
    config = runs.config
    model, seed = config.figures.intents_of, single_seed(config)
    record = runs.run(dataset, model, seed)
    found = snapshots(record) if record else None
    wanted: list[int | None] = [*config.figures.snapshot_epochs, None]  # None: the tested one
    lines = -(-len(wanted) // COLUMNS)
    figure, axes = style.panels(lines, COLUMNS, 2.2)
    for axis in axes.flat[len(wanted) :]:
        axis.set_visible(False)
    name = f"{config.model_name(model)} on {config.dataset_name(dataset)}"
    rows: list[dict[str, Any]] = []
    for axis, epoch in zip(axes.flat, wanted, strict=False):
        rows += _panel(axis, epoch, record, found)
    if found is not None:
        _legend(figure, found)
    caption = _caption(name, seed, record, found)
    columns = ["epoch", "tested", "user", "x", "y", "intent", "colored"]
    numbers = pd.DataFrame(rows, columns=columns)
    return Drawn(figure, numbers, f"Users and intents, {name}", caption, _alt(name, numbers))


def project(vectors: NDArray[np.floating], seed: int) -> NDArray[np.float64]:
    """t-SNE in the plane, (n, d) to (n, 2); users who are all at one point stay there."""
    if len(vectors) < 4 or np.ptp(vectors, axis=0).max() < 1e-6:
        return np.zeros((len(vectors), 2))
    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    tsne = TSNE(perplexity=perplexity, init="pca", random_state=seed)
    return np.asarray(tsne.fit_transform(vectors.astype(np.float32)), dtype=np.float64)


def largest_intents(assigned: NDArray[np.integer]) -> NDArray[np.int64]:
    """The `COLORED` intents with most users over all snapshots (S, n), the largest first."""
    ids, counts = np.unique(assigned, return_counts=True)
    return ids[np.argsort(-counts, kind="stable")][:COLORED].astype(np.int64)


def _panel(
    axis: Axes, epoch: int | None, record: RunRecord | None, found: Snapshots | None
) -> list[dict[str, Any]]:
    """Draw one epoch; returns its rows for the CSV."""
    tested = epoch is None
    if record is None or found is None:
        axis.set_title("tested epoch" if tested else f"epoch {epoch}")
        style.say_missing(axis, "not recorded" if record else "not run")
        return []
    last = int(found.epochs[-1])
    axis.set_title(f"tested epoch ({last})" if tested else f"epoch {epoch}")
    places = np.flatnonzero(found.epochs == (last if tested else epoch))
    if not len(places):
        reason = f"not reached: training\nended after {record.epochs}"
        style.say_missing(axis, reason if record.epochs < (epoch or 0) else "not recorded")
        return []
    place = places[-1]
    points = project(found.embeddings[place], record.seed)
    _scatter(axis, points, found.assigned[place], largest_intents(found.assigned))
    colored = np.isin(found.assigned[place], largest_intents(found.assigned))
    return [
        {
            "epoch": int(found.epochs[place]),
            "tested": tested,
            "user": user,
            "x": x,
            "y": y,
            "intent": intent,
            "colored": own,
        }
        for user, (x, y), intent, own in zip(
            found.users, points, found.assigned[place], colored, strict=True
        )
    ]


def _scatter(
    axis: Axes,
    points: NDArray[np.float64],
    assigned: NDArray[np.integer],
    largest: NDArray[np.int64],
) -> None:
    others = ~np.isin(assigned, largest)
    axis.scatter(points[others, 0], points[others, 1], s=2, c="0.8", linewidths=0, rasterized=True)
    for number, intent in enumerate(largest):
        axis.scatter(
            points[assigned == intent, 0],
            points[assigned == intent, 1],
            s=9,
            c=PALETTE[number],
            marker=MARKERS[number],
            linewidths=0,
            rasterized=True,
        )
    axis.set_xticks([])
    axis.set_yticks([])
    axis.set_xlabel("t-SNE 1")
    axis.set_ylabel("t-SNE 2")
    axis.grid(visible=False)


def _legend(figure: Any, found: Snapshots) -> None:
    def mark(color: str, marker: str, label: str) -> Line2D:
        return Line2D([], [], color=color, marker=marker, linestyle="", label=label)

    handles = [
        mark(PALETTE[i], MARKERS[i], f"intent {intent}")
        for i, intent in enumerate(largest_intents(found.assigned))
    ]
    if len(np.unique(found.assigned)) > COLORED:
        handles.append(mark("0.8", "o", "other intents"))
    figure.legend(handles=handles, loc="outside lower center", ncols=6)


def _caption(name: str, seed: int, record: RunRecord | None, found: Snapshots | None) -> str:
    text = (
        f"t-SNE (perplexity {PERPLEXITY:g}, principal components as start) of user embeddings of "
        f"{name}, seed {seed}, each epoch projected for itself, so that places cannot be compared "
        "between panels. "
    )
    if record is None:
        return text + "Not run yet."
    if found is None:
        return text + "This run recorded no intents."
    users = found.assigned.shape[1]
    return text + (
        f"{users:,} users. Color and marker: the {len(largest_intents(found.assigned))} intents of "
        f"{found.intents} with most users over all epochs shown; grey: the others."
    )


def _alt(name: str, numbers: pd.DataFrame) -> str:
    epochs = [str(epoch) for epoch in numbers["epoch"].unique()]
    if not epochs:
        return f"Empty scatter plots: nothing recorded of {name} yet."
    last = numbers[numbers["epoch"] == numbers["epoch"].iloc[-1]]
    return (
        f"Scatter plots of users of {name} after epochs {drawn.listed(epochs)}, colored by intent. "
        f"In the last one {last['intent'].nunique()} intents have users; the largest holds "
        f"{last['intent'].value_counts(normalize=True).iloc[0]:.0%} of them."
    )
