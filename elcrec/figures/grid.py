"""Panels in rows of quantities and a column for each data set: what several figures look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from elcrec.figures import style
from elcrec.figures.plan import shown
from elcrec.figures.reading import Found, Runs


@dataclass(frozen=True)
class Grid:
    """An empty figure and the runs that go into it."""

    models: list[str]
    """Ids of the models that are drawn."""
    found: Found
    figure: Figure
    axes: NDArray[Any]
    """(rows, data sets), with the data sets' names as titles."""
    looks: dict[str, style.Series]
    """Look of each model's line."""


def by_dataset(runs: Runs, named: Sequence[str], rows: int, height: float) -> Grid:
    """Set up `rows` panels of `height` inches for each data set, for those of the named models."""
    config = runs.config
    models = shown(config, named)
    figure, axes = style.panels(rows, len(config.use), height)
    style.title_columns(axes, [config.dataset_name(d) for d in config.use])
    found = runs.find(config.use, models)
    return Grid(models, found, figure, axes, style.series_of(models))
