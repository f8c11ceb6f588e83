"""t-SNE of user embeddings at several epochs, colored by intent."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray
from sklearn.manifold import TSNE

from elcrec.figures import style
from elcrec.figures.drawn import Drawn, Single, drawn, single
from elcrec.runs.reading import Runs

Points = NDArray[np.float64]
Ids = NDArray[np.integer]
COLORED = 10
"""Intents that get a color of their own."""
WIDE = 3
"""Panels in a row."""
PERPLEXITY = 30.0
# Dark to light and back, so that neighbors in the legend differ in grey too; each has its marker.
PALETTE = ["#332288", "#EE9933", "#117733", "#88CCEE", "#AA2255"]
PALETTE += ["#DDCC55", "#000000", "#CC6677", "#44AA99", "#884411"]
MARKERS = "osD^vP*X<>"
COLUMNS = ["epoch", "tested", "user", "x", "y", "intent", "colored"]


def draw(runs: Runs, dataset: str) -> Drawn:
    """A panel for each configured epoch and one for the tested epoch."""
    run = single(runs, dataset)
    epochs: list[int | None] = [*runs.config.figures.snapshot_epochs, None]  # None: the tested one
    figure, axes = style.wrapped(len(epochs), WIDE, 2.2)
    rows = [
        row for axis, epoch in zip(axes, epochs, strict=True) for row in _panel(axis, epoch, run)
    ]
    style.legend_below(figure, axes)
    numbers = pd.DataFrame(rows, columns=COLUMNS)
    tested = numbers.loc[numbers["tested"].astype(bool), "intent"].value_counts(normalize=True)
    return drawn(
        "tsne",
        figure,
        numbers,
        run=run,
        perplexity=PERPLEXITY,
        colored=len(largest_intents(run.found.assigned)) if run.found else 0,
        epochs=list(map(str, numbers["epoch"].unique())),
        used=len(tested),
        largest=tested.max(),
    )


def project(vectors: NDArray[np.floating], seed: int) -> Points:
    """t-SNE in the plane, (n, d) to (n, 2); if all users are at one point, they stay there."""
    if len(vectors) < 4 or np.ptp(vectors, axis=0).max() < 1e-6:
        return np.zeros((len(vectors), 2))
    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    tsne = TSNE(perplexity=perplexity, init="pca", random_state=seed)
    return np.asarray(tsne.fit_transform(vectors.astype(np.float32)), dtype=np.float64)


def largest_intents(assigned: Ids) -> Ids:
    """The `COLORED` intents with most users over all snapshots (S, n), the largest first."""
    ids, counts = np.unique(assigned, return_counts=True)
    return ids[np.argsort(-counts, kind="stable")][:COLORED]


def _panel(axis: Axes, epoch: int | None, run: Single) -> list[tuple[Any, ...]]:
    """Draw one epoch; returns its rows for the CSV."""
    tested = epoch is None
    axis.set_title("tested epoch" if tested else f"epoch {epoch}")
    if run.record is None or run.found is None:
        style.say_missing(axis, run.missing)
        return []
    snapshot, last = run.found, int(run.found.epochs[-1])
    if tested:
        axis.set_title(f"tested epoch ({last})")
    indices = np.flatnonzero(snapshot.epochs == (last if tested else epoch))
    if not len(indices):
        ended = run.record.epochs < (epoch or 0)
        reason = f"not reached: training\nended after {run.record.epochs}"
        style.say_missing(axis, reason if ended else "not recorded")
        return []
    index = indices[-1]
    points, assigned = project(snapshot.embeddings[index], run.seed), snapshot.assigned[index]
    colored = _scatter(axis, points, assigned, largest_intents(snapshot.assigned))
    users = zip(snapshot.users, *points.T, assigned, colored, strict=True)
    return [(int(snapshot.epochs[index]), tested, *user) for user in users]


def _scatter(axis: Axes, points: Points, assigned: Ids, largest: Ids) -> NDArray[np.bool_]:
    """Draw users; returns which of them have a color."""
    marker_options: Any = {"linewidths": 0, "rasterized": True}
    colored = np.isin(assigned, largest)
    for intent, color, marker in zip(largest, PALETTE, MARKERS, strict=False):
        x, y = points[assigned == intent].T
        axis.scatter(x, y, s=9, c=color, marker=marker, label=f"intent {intent}", **marker_options)
    if not colored.all():
        x, y = points[~colored].T
        axis.scatter(x, y, s=2, c="0.8", label="other intents", zorder=0.9, **marker_options)
    axis.set(xticks=[], yticks=[], xlabel="t-SNE 1", ylabel="t-SNE 2")
    axis.grid(visible=False)
    return colored
