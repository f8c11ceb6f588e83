"""The runs that a configuration asks for, each with its folder, including those of figures."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from elcrec.config.config import Config
from elcrec.config.sections import Sensitivity
from elcrec.errors import InputError, relative_to
from elcrec.runs.grid import read_grid
from elcrec.runs.places import run_folder, sensitivity_folder
from elcrec.runs.settings import resolve

PARAMETERS = ("alpha", "intents")
SIMPLE = ("itemknn", "ease")
"""What an engineer would try first. They may be recorded and appear in the table `use`, but `all`
does not run them: EASE's weights take 0.6 to 1.6 GB per run."""


@dataclass(frozen=True)
class PlannedRun:
    """A run that a configuration asks for, whether it exists or not."""

    folder: Path
    dataset: str
    model: str
    seed: int
    variant: str = ""
    """`<parameter>-<value>` of a sensitivity run; empty for the model as it is."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Its changes to the model's own settings: `--set` of a sensitivity run."""


def runs_of_models(config: Config) -> Iterator[PlannedRun]:
    """Every model of tables and figures on every data set with every seed."""
    models = dict.fromkeys([*config.models, *config.figures.models()])
    return runs_of(config, config.use, models)


def runs_of(config: Config, datasets: Iterable[str], models: Iterable[str]) -> Iterator[PlannedRun]:
    """These models on these data sets with every seed of the configuration."""
    for dataset, model, seed in product(datasets, models, config.seeds):
        yield PlannedRun(run_folder(config, dataset, model, seed), dataset, model, seed)


def runs_of_sensitivity(config: Config) -> Iterator[PlannedRun]:
    """The runs that only the sensitivity figure needs, each once.

    Raises:
        InputError: A parameter that the model does not have, or a wrong training setting.
    """
    return (point for point in sensitivity_points(config) if point.variant)


def check_runs(config: Config) -> None:
    """Resolve all runs, grids and figures of a configuration, so that no job is refused later.

    Raises:
        InputError: The first that cannot be resolved; names file, key and what is allowed.
    """
    models = {*config.models, *config.efficiency.models}
    models |= {*config.figures.models(), *config.nightly.models, *config.parameters}
    for model in sorted(models):
        for dataset in config.datasets:
            resolve(config, model, dataset)
    for model in config.models:
        for dataset in config.use:
            read_grid(config, model, dataset)
    sensitivity_points(config)
    for model, external in config.external.items():
        for dataset, files in external.files.items():
            for file in files:
                if not file.is_file():
                    where = config.layers.where("external", model, "files", dataset)
                    raise InputError(f"{where}: {file}: no such file{relative_to(file)}")


@dataclass(frozen=True, kw_only=True)
class Point(PlannedRun):
    """One value of the sensitivity figure; without a variant, a run that is planned anyway."""

    parameter: str
    value: float
    own: bool
    """Whether the value is the model's own setting."""


def variant_text(variant: str) -> str:
    """A variant for a reader: `alpha = 0.1`."""
    return variant.replace("-", " = ", 1)


def shown(config: Config, models: Iterable[str]) -> list[str]:
    """Those of the models that the configuration trains."""
    return [model for model in models if model in config.models]


def single_seed(config: Config) -> int:
    """Seed of the run in single-run figures: `figures.seed`, or the first if that is not run."""
    seed = config.figures.seed
    return seed if seed in config.seeds else config.seeds[0]


def ablation_arms(config: Config) -> tuple[list[str], list[str]]:
    """Data sets and models of the ablation; none without the full model, which is the last."""
    ablation = config.figures.ablation
    if not ablation.models or ablation.models[-1] not in config.models:
        return [], []
    return [d for d in config.use if d in ablation.datasets], list(ablation.models)


def sensitivity_points(config: Config) -> list[Point]:
    """Points of the sensitivity figure; runs of equal settings share one folder.

    Raises:
        InputError: A parameter that the model does not have, or a wrong training setting.
    """
    sensitivity = config.figures.sensitivity
    model = sensitivity.model
    if model not in config.models:
        return []
    points = []
    for dataset in (d for d in config.use if d in sensitivity.datasets):
        main = resolve(config, model, dataset)
        folders = {(main.digest(), s): run_folder(config, dataset, model, s) for s in config.seeds}
        for parameter, value, seed in _values(sensitivity):
            changes = {parameter: value, **sensitivity.training}
            digest = resolve(config, model, dataset, changes, partial(_where, config)).digest()
            variant = f"{parameter}-{value:g}"
            default = sensitivity_folder(config, dataset, variant, seed)
            folder = folders.setdefault((digest, seed), default)
            run = (folder, dataset, model, seed, variant if folder == default else "", changes)
            in_tables = getattr(main.parameters, parameter) == value
            points.append(Point(*run, parameter=parameter, value=value, own=in_tables))
    return points


def _where(config: Config, key: str, value: Any) -> str:
    """File and key of one of the overrides, for a message."""
    keys = ("training", key) if key in config.figures.sensitivity.training else (key,)
    return config.layers.where("figures", "sensitivity", *keys)


def _values(figure: Sensitivity) -> Iterator[tuple[str, float, int]]:
    for parameter in PARAMETERS:
        yield from (
            (parameter, *pair) for pair in product(getattr(figure, parameter), figure.seeds)
        )
