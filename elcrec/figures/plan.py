"""Which figures a configuration asks for, and which runs each of them shows.

The workflow makes these runs and draws these figures; the drawing itself copes with any of the
runs missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from elcrec.config.config import Config
from elcrec.runs.places import run_folder
from elcrec.runs.plan import ablation_arms, sensitivity_points, shown, single_seed

OF_ALL = ("ablation", "sensitivity", "convergence", "diagnostics", "activity")
"""Figures with a column for every data set."""
OF_ONE = ("tsne", "case_study")
"""Figures of a single data set."""
METRIC = "HR@5"


@dataclass(frozen=True)
class Planned:
    """A figure that is to be drawn."""

    kind: str
    """Name of its module in `elcrec.figures`."""
    dataset: str | None
    """Data set, for a kind of `OF_ONE`."""
    folders: tuple[Path, ...]
    """Run folders that it shows."""

    @property
    def name(self) -> str:
        """File name without suffix."""
        return f"{self.kind}-{self.dataset}" if self.dataset else self.kind


def plan(config: Config) -> list[Planned]:
    """All figures of a configuration, those without any run left out."""
    found = [Planned(kind, None, tuple(_folders(config, kind))) for kind in OF_ALL]
    found += [
        Planned(kind, dataset, (run_folder(config, dataset, model, single_seed(config)),))
        for kind in OF_ONE
        for dataset in config.use
        for model in shown(config, [config.figures.intents_of])
    ]
    return [figure for figure in found if figure.folders]


def _folders(config: Config, kind: str) -> list[Path]:
    if kind == "sensitivity":
        return list(dict.fromkeys(point.folder for point in sensitivity_points(config)))
    if kind == "ablation":
        datasets, models = ablation_arms(config)
    else:
        datasets, models = config.use, shown(config, getattr(config.figures, kind))
    return [run_folder(config, d, m, s) for d in datasets for m in models for s in config.seeds]
