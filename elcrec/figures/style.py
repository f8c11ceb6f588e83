"""What figures look like: the common look, the look of each series, panels, legends and gaps."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike, NDArray

WIDTH = 7.2
"""Inches: two columns of a page."""
look = partial(rc_context, fname=Path(__file__).parent / "templates" / "look.mplstyle")
"""Context in which figures have the common look."""
RING: Any = {"marker": "o", "linestyle": "", "markerfacecolor": "none"}
"""A ring around a point."""
ABOVE: Any = {
    "textcoords": "offset points",
    "xytext": (0, 3),
    "ha": "center",
    "fontsize": 6,
    "path_effects": [withStroke(linewidth=1.5, foreground="white")],  # readable on a line
}
"""The value of a point, written above it."""
MISSING: Any = {"color": "0.35", "fontsize": 7, "fontstyle": "italic"}


@dataclass(frozen=True)
class Series:
    """How one of several series looks, everywhere."""

    color: str
    marker: str
    linestyle: str | tuple[int, tuple[int, ...]]
    hatch: str

    @property
    def line(self) -> dict[str, Any]:
        """Arguments for a line with markers."""
        return {"color": self.color, "marker": self.marker, "linestyle": self.linestyle}

    @property
    def bar(self) -> dict[str, Any]:
        """Arguments for bars."""
        return {"color": self.color, "hatch": self.hatch, "edgecolor": "white"}


SERIES = (
    Series("#004488", "o", "-", ""),
    Series("#BB5566", "s", "--", "///"),
    Series("#DDAA33", "^", "-.", "..."),
    Series("#000000", "D", ":", "xx"),
    Series("#777777", "v", (0, (5, 1, 1, 1, 1, 1)), "\\\\\\"),
    Series("#228833", "P", (0, (3, 1)), "++"),
)
FIXED = {"elcrec": 0, "iclrec": 1, "sasrec": 2}
"""Models that look the same in every figure."""


def series_of(models: Sequence[str]) -> dict[str, Series]:
    """The look of each model of a figure; those of `FIXED` keep theirs."""
    taken = {FIXED[m] for m in models if m in FIXED}
    free = [i for i in range(len(SERIES)) if i not in taken]
    rest = [m for m in models if m not in FIXED]
    numbers = {m: free[i % len(free)] for i, m in enumerate(rest)} | FIXED
    return {m: SERIES[numbers[m]] for m in models}


def panels(rows: int, columns: int, height: float) -> tuple[Figure, NDArray[Any]]:
    """A figure of page width and its axes (rows, columns); `height` in inches is that of a row."""
    width = WIDTH if columns > 1 else 0.6 * WIDTH
    figure = Figure(figsize=(width, rows * height + 0.4), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def wrapped(count: int, columns: int, height: float) -> tuple[Figure, NDArray[Any]]:
    """`count` panels in rows of at most `columns`, their axes as one array (count,)."""
    columns = min(count, columns)
    figure, axes = panels(-(-count // columns), columns, height)
    for axis in axes.flat[count:]:
        axis.set_visible(False)
    return figure, axes.ravel()[:count]


def empty(reason: str) -> Figure:
    """A figure of a single panel that says why there is nothing."""
    figure, axes = panels(1, 1, 1.8)
    say_missing(axes[0][0], reason)
    return figure


def legend_below(figure: Figure, axes: Iterable[Axes]) -> None:
    """One legend for all panels, below them; each label once."""
    entries: dict[str, Artist] = {}
    for axis in axes:
        handles, labels = axis.get_legend_handles_labels()
        entries = dict(zip(labels, handles, strict=True)) | entries
    if entries:
        inches = 0.6 + 0.065 * max(map(len, entries))  # of the widest entry
        columns = max(1, min(len(entries), int(figure.get_figwidth() / inches)))
        figure.legend(entries.values(), entries, loc="outside lower center", ncols=columns)


def means(axis: Axes, x: ArrayLike, rows: pd.DataFrame, series: Series, label: str) -> None:
    """A line through the column `mean`, with error bars of the column `std` where it is known."""
    axis.errorbar(x, rows["mean"], rows["std"].fillna(0), label=label, **series.line)


def say_missing(axis: Axes, text: str = "not run") -> None:
    """Fill an empty panel with the reason."""
    axis.text(0.5, 0.5, text, ha="center", va="center", transform=axis.transAxes, **MISSING)
    axis.set(xticks=[], yticks=[])
    axis.grid(visible=False)


def rows_from_the_top(axis: Axes, labels: Sequence[str]) -> None:
    """Rows at y = 0, 1, ..., every other one shaded for the eye to follow, and a line at x = 0."""
    for y in range(0, len(labels), 2):
        axis.axhspan(y - 0.5, y + 0.5, color="0.96", zorder=0, linewidth=0)
    axis.axvline(0, color="0.3", linewidth=0.8)
    axis.set_ylim(len(labels) - 0.5, -0.5)
    axis.set_yticks(range(len(labels)), labels)
    axis.tick_params(axis="y", length=0)
    axis.grid(visible=False)


def estimate(
    axis: Axes, y: float, value: float, ends: Sequence[float], edge: float, **look: Any
) -> None:
    """A point of a row and its interval, in percent; values beyond ± `edge` are drawn there."""
    line = {"color": look["color"], "zorder": 1.9}
    axis.plot(np.clip(ends, -edge, edge), [y] * len(ends), **line)
    for end in ends:
        if abs(end) > edge:
            axis.plot(np.sign(end) * 1.1 * edge, y, marker="<" if end < 0 else ">", **line)
    x = np.clip(value, -edge, edge)
    axis.plot(x, y, linestyle="", **look)
    if np.isfinite(value) and not abs(value) < edge < np.inf:
        axis.annotate(f"{value:+.1f}", (x, y), **ABOVE)
