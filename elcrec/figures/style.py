"""What figures look like, and panels in a column for each data set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from elcrec.runs.plan import shown
from elcrec.runs.reading import Found, Runs

WIDTH = 7.2
"""Inches: two columns of a page."""
LOOK: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so every machine draws the same
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "0.9",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "legend.frameon": False,
    "hatch.linewidth": 0.6,
    "pdf.fonttype": 42,
}
RING: dict[str, Any] = {"marker": "o", "linestyle": "", "markerfacecolor": "none"}
"""A ring around a point."""
MISSING: dict[str, Any] = {"color": "0.35", "fontsize": 7, "fontstyle": "italic"}


@dataclass(frozen=True)
class Series:
    """How one of several series looks, everywhere."""

    color: str
    marker: str
    line: str | tuple[int, tuple[int, ...]]
    hatch: str


SERIES = (
    Series("#004488", "o", "-", ""),
    Series("#BB5566", "s", "--", "///"),
    Series("#DDAA33", "^", "-.", "..."),
    Series("#000000", "D", ":", "xx"),
    Series("#777777", "v", (0, (5, 1, 1, 1, 1, 1)), "\\\\\\"),
)
FIXED = {"elcrec": 0, "iclrec": 1, "sasrec": 2}
"""Models that look the same in every figure."""


def series_of(models: Sequence[str]) -> dict[str, Series]:
    """The look of each model of a figure; those of `FIXED` keep theirs."""
    taken = {FIXED[m] for m in models if m in FIXED}
    free = [i for i in range(len(SERIES)) if i not in taken]
    others = [m for m in models if m not in FIXED]
    numbers = {m: free[i % len(free)] for i, m in enumerate(others)} | FIXED
    return {m: SERIES[numbers[m]] for m in models}


def look() -> AbstractContextManager[None]:
    """Context in which figures have the common look."""
    return rc_context(LOOK)


def panels(rows: int, columns: int, height: float) -> tuple[Figure, NDArray[Any]]:
    """A figure of page width and its axes (rows, columns); `height` in inches is that of a row."""
    width = WIDTH if columns > 1 else 0.6 * WIDTH
    figure = Figure(figsize=(width, rows * height + 0.4), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def title_columns(axes: NDArray[Any], titles: Sequence[str]) -> None:
    """Write a title above each column."""
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title)


def legend_below(figure: Figure, axes: Iterable[Axes]) -> None:
    """One legend for all panels, below them; each label once."""
    found: dict[str, Artist] = {}
    for axis in axes:
        handles, labels = axis.get_legend_handles_labels()
        found = dict(zip(labels, handles, strict=True)) | found
    if found:
        inches = 0.6 + 0.065 * max(map(len, found))  # of the widest entry
        columns = max(1, min(len(found), int(figure.get_figwidth() / inches)))
        figure.legend(found.values(), found, loc="outside lower center", ncols=columns)


def say_missing(axis: Axes, text: str = "not run") -> None:
    """Fill an empty panel with the reason."""
    axis.text(0.5, 0.5, text, ha="center", va="center", transform=axis.transAxes, **MISSING)
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(visible=False)


def mark_missing(axis: Axes, x: float, text: str = "not run") -> None:
    """Say at place `x` of the horizontal axis that there is nothing."""
    axis.text(
        x,
        0.04,
        text,
        ha="center",
        va="bottom",
        rotation=90,
        transform=axis.get_xaxis_transform(),
        **MISSING,
    )


def decimals(value: float) -> str:
    """A score in four decimals without the leading zero, as above a bar: `.2473`."""
    return f"{value:.4f}".removeprefix("0")


@dataclass(frozen=True)
class Grid:
    """An empty figure and the runs that go into it."""

    models: list[str]
    """Ids of the models that are drawn."""
    found: Found
    figure: Figure
    axes: NDArray[Any]
    """(rows, data sets), with the data sets' names as titles."""
    looks: dict[str, Series]
    """Look of each model's line."""


def by_dataset(runs: Runs, named: Sequence[str], rows: int, height: float) -> Grid:
    """Set up `rows` panels of `height` inches for each data set, for those of the named models."""
    config = runs.config
    models = shown(config, named)
    figure, axes = panels(rows, len(config.use), height)
    title_columns(axes, [config.dataset_name(d) for d in config.use])
    found = runs.find(config.use, models)
    return Grid(models, found, figure, axes, series_of(models))
