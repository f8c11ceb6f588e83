"""Panels in a row for each quantity and a column for each data set, and the runs in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from elcrec.config.config import Config
from elcrec.figures import style
from elcrec.runs.plan import shown
from elcrec.runs.reading import Found, Runs
from elcrec.runs.record import RunRecord

Columns = Mapping[str, NDArray[Any]]
"""(rows,) axes of each data set."""


@dataclass(frozen=True)
class Grid:
    """Panels of several models."""

    config: Config
    found: Found
    """All runs by data set and model; data sets without a column have none."""
    figure: Figure
    columns: Columns
    looks: dict[str, style.Series]
    """Look of each model's line."""

    def finish(self) -> None:
        """Write into empty panels why they are empty, and draw the legend."""
        for dataset, column in self.columns.items():
            has_runs = any(self.found[dataset, model] for model in self.looks)
            for axis in column:
                if not axis.has_data() and not axis.texts:
                    style.say_missing(axis, "not recorded" if has_runs else "not run")
        self.figure.align_ylabels()
        style.legend_below(self.figure, self.figure.axes)


def by_dataset(
    runs: Runs,
    kind: str,
    rows: Sequence[str],
    height: float,
    x_label: str,
    external: Mapping[tuple[str, str], Sequence[RunRecord]] | None = None,
) -> Grid:
    """Set up the panels for the models that the configuration lists for a kind of figure.

    `external` are further ones, by data set and model.
    """
    config, extra = runs.config, external or {}
    models = shown(config, config.figures.models_of(kind))
    groups = runs.find(config.use, models) | {key: list(records) for key, records in extra.items()}
    models += dict.fromkeys(model for _, model in extra)
    figure, columns = layout(config, with_runs(groups), rows, height, x_label)
    return Grid(config, groups, figure, columns, style.series_of(models))


def with_runs(groups: Found) -> list[str]:
    """The data sets that have a run; all of them if none has."""
    present = (dataset for (dataset, _), records in groups.items() if records)
    return list(dict.fromkeys(present) or dict.fromkeys(dataset for dataset, _ in groups))


def layout(
    config: Config, datasets: Sequence[str], rows: Sequence[str], height: float, x_label: str = ""
) -> tuple[Figure, Columns]:
    """Set up panels; those of a single data set are side by side.

    Args:
        config: Has the names of the data sets.
        datasets: Of the columns.
        rows: Label of each row of panels.
        height: Of a row, in inches.
        x_label: Label of the horizontal axes.
    """
    if single := len(datasets) == 1:
        figure, axes = style.wrapped(len(rows), 2, height + 0.3)
        axes = axes[:, None]
    else:
        figure, axes = style.panels(len(rows), len(datasets), height)
    for axis, dataset in zip(axes[0], datasets, strict=True):
        (figure.suptitle if single else axis.set_title)(config.dataset_name(dataset))
    for axis, label in zip(axes[:, 0], rows, strict=True):
        axis.set_ylabel(label)
    for axis in axes.flat if single else axes[-1]:
        axis.set_xlabel(x_label)
    return figure, dict(zip(datasets, axes.T, strict=True))
