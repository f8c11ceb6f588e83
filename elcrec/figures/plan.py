"""Which figures a configuration asks for, and which runs each of them shows.

The workflow makes these runs and draws these figures; the drawing itself copes with any of the
runs missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from elcrec.config import Config
from elcrec.registry import resolve

OF_ALL = ("ablation", "sensitivity", "convergence", "diagnostics", "activity")
"""Figures with a column for every data set."""
OF_ONE = ("tsne", "case_study")
"""Figures of a single data set."""
METRIC = "HR@5"
PARAMETERS = ("alpha", "intents")


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


@dataclass(frozen=True)
class Point:
    """One value of the sensitivity figure."""

    dataset: str
    parameter: str
    value: float
    seed: int
    folder: Path
    own: bool
    """The value is the one that the model has anyway."""
    extra: bool
    """The run is made for this figure; otherwise it is the model's own."""

    @property
    def variant(self) -> str:
        """Parameter and value, as the folder of an extra run is named: `alpha-0.1`."""
        return variant_name(self.parameter, self.value)


def variant_name(parameter: str, value: float) -> str:
    """How a run with another value of a parameter is named."""
    return f"{parameter}-{value:g}"


def variant_text(variant: str) -> str:
    """A variant for a reader: `alpha = 0.1`."""
    return variant.replace("-", " = ", 1)


def sensitivity_folder(output: Path, dataset: str, variant: str, seed: int) -> Path:
    """Where an extra run of the sensitivity figure lies."""
    return output / "sensitivity" / dataset / variant / str(seed)


def plan(config: Config) -> list[Planned]:
    """All figures of a configuration, those without any run left out."""
    found = [Planned(kind, None, tuple(_folders(config, kind))) for kind in OF_ALL]
    found += [
        Planned(kind, dataset, (config.run_folder(dataset, model, single_seed(config)),))
        for kind in OF_ONE
        for dataset in config.use
        for model in shown(config, [config.figures.intents_of])
    ]
    return [figure for figure in found if figure.folders]


def shown(config: Config, models: Iterable[str]) -> list[str]:
    """Those of the models that the configuration trains."""
    return [model for model in models if model in config.models]


def single_seed(config: Config) -> int:
    """Seed of the run that a figure of one run shows: the first where `figures.seed` is not run."""
    seed = config.figures.seed
    return seed if seed in config.seeds else config.seeds[0]


def ablation_arms(config: Config) -> tuple[list[str], list[str]]:
    """Data sets and models of the ablation; none without the whole model, which is the last."""
    part = config.figures.ablation
    if not part.models or part.models[-1] not in config.models:
        return [], []
    return [d for d in config.use if d in part.datasets], list(part.models)


def sensitivity_points(config: Config) -> list[Point]:
    """Points of the sensitivity figure; runs of equal settings share one folder.

    Raises:
        InputError: A parameter that the model does not have, or a wrong training setting.
    """
    part = config.figures.sensitivity
    if part.model not in config.models:
        return []
    points = []
    for dataset in (d for d in config.use if d in part.datasets):
        main = resolve(config, part.model, dataset)
        known = {
            (main.digest(), s): config.run_folder(dataset, part.model, s) for s in config.seeds
        }
        for parameter, value, seed in _values(config):
            changes = overrides(config, parameter, value)
            digest = resolve(config, part.model, dataset, changes, partial(_where, config)).digest()
            variant = variant_name(parameter, value)
            place = sensitivity_folder(config.output, dataset, variant, seed)
            folder = known.setdefault((digest, seed), place)
            own = getattr(main.parameters, parameter) == value
            points.append(Point(dataset, parameter, value, seed, folder, own, folder == place))
    return points


def overrides(config: Config, parameter: str, value: float) -> dict[str, Any]:
    """What `--set` says for a point of the sensitivity figure."""
    return {parameter: value, **config.figures.sensitivity.training}


def _where(config: Config, key: str, value: Any) -> str:
    """File and key of one of the overrides, for a message."""
    inside = ("training", key) if key in config.figures.sensitivity.training else (key,)
    return config.layers.where("figures", "sensitivity", *inside)


def _values(config: Config) -> Iterator[tuple[str, float, int]]:
    part = config.figures.sensitivity
    for parameter in PARAMETERS:
        for value in getattr(part, parameter):
            for seed in part.seeds:
                yield parameter, value, seed


def _folders(config: Config, kind: str) -> list[Path]:
    if kind == "sensitivity":
        return list(dict.fromkeys(point.folder for point in sensitivity_points(config)))
    if kind == "ablation":
        datasets, models = ablation_arms(config)
    else:
        datasets, models = config.use, shown(config, getattr(config.figures, kind))
    return [config.run_folder(d, m, s) for d in datasets for m in models for s in config.seeds]
