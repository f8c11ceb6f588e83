"""Which figures a configuration asks for, and which runs each of them shows.

The workflow makes these runs and draws these figures; the drawing itself copes with any of the
runs missing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from elcrec import paper
from elcrec.config.config import Config
from elcrec.config.figures import KINDS
from elcrec.runs.places import released_folder, run_folder
from elcrec.runs.plan import ablation_arms, sensitivity_points, shown, single_seed

METRIC = "HR@5"


@dataclass(frozen=True)
class Planned:
    """A figure that is to be drawn."""

    kind: str
    """A name in `KINDS`."""
    dataset: str | None
    """Data set, for a kind that has a figure for each data set."""
    folders: tuple[Path, ...]
    """Run folders that it shows."""
    inputs: tuple[str, ...]
    """Further files that it needs."""
    extras: tuple[str, ...]
    """Further files that it shows if they exist."""

    @property
    def name(self) -> str:
        """File name without suffix."""
        return f"{self.kind}-{self.dataset}" if self.dataset else self.kind


def plan(config: Config, kinds: Iterable[str] = KINDS) -> list[Planned]:
    """The figures of these kinds that a configuration asks for, those without any run left out."""
    planned = []
    for name in kinds:
        kind = KINDS[name]
        for datasets in [[d] for d in config.use] if kind.each else [config.use]:
            folders = tuple(dict.fromkeys(_folders(config, name, datasets)))
            inputs, extras = (_files(config, p, datasets) for p in (kind.inputs, kind.extras))
            if name == "activity":
                inputs += tuple(map(str, config.external_files()))
            dataset = datasets[0] if kind.each else None
            planned.append(Planned(name, dataset, folders, tuple(dict.fromkeys(inputs)), extras))
    return [figure for figure in planned if figure.folders]


def printed(config: Config) -> list[str]:
    """Data sets in use that the paper's Table 1 has."""
    names = {dataset for dataset, _, _ in paper.load_accuracy()}
    return [d for d in config.use if config.dataset_name(d) in names]


def _folders(config: Config, name: str, datasets: list[str]) -> Iterable[Path]:
    seeds, models = config.seeds, shown(config, config.figures.models_of(name))
    match KINDS[name].runs:
        case "points":
            return (point.folder for point in sensitivity_points(config))
        case "arms":
            datasets, models = ablation_arms(config)
        case "printed":
            datasets = printed(config)
        case "single":
            seeds, models = [single_seed(config)], shown(config, [config.figures.intents_of])
    return (run_folder(config, d, m, s) for d in datasets for m in models for s in seeds)


def _files(config: Config, patterns: Iterable[str], datasets: list[str]) -> tuple[str, ...]:
    """The paths that patterns of `KINDS` stand for, each once."""
    folders = {"output": config.output, "data": config.data, "paper": paper.FOLDER}
    paths = [
        pattern.format(dataset=d, released=released_folder(config, d), **folders)
        for pattern in patterns
        for d in datasets
    ]
    return tuple(dict.fromkeys(paths))
