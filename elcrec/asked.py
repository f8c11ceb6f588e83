"""The runs that tables and figures of a configuration ask for, each with its folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from elcrec.config import Config
from elcrec.figures.plan import overrides, sensitivity_points


@dataclass(frozen=True)
class AskedRun:
    """A run that a configuration asks for, whether it is there or not."""

    folder: Path
    dataset: str
    model: str
    seed: int
    variant: str = ""
    """`<parameter>-<value>` of a run of the sensitivity; empty for the model as it is."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """What it changes of the model's own settings."""


def runs_of_models(config: Config) -> Iterator[AskedRun]:
    """Every model of tables and figures on every data set with every seed."""
    models = dict.fromkeys([*config.models, *config.figures.models()])
    return runs_of(config, config.use, models)


def runs_of(config: Config, datasets: Iterable[str], models: Iterable[str]) -> Iterator[AskedRun]:
    """These models on these data sets with every seed of the configuration."""
    for dataset, model, seed in product(datasets, models, config.seeds):
        yield AskedRun(config.run_folder(dataset, model, seed), dataset, model, seed)


def runs_of_sensitivity(config: Config) -> Iterator[AskedRun]:
    """The runs that only the sensitivity figure needs, each once.

    Raises:
        InputError: A parameter that the model does not have, or a wrong training setting.
    """
    model = config.figures.sensitivity.model
    for point in sensitivity_points(config):
        if point.extra:
            changes = overrides(config, point.parameter, point.value)
            yield AskedRun(point.folder, point.dataset, model, point.seed, point.variant, changes)
