"""Where runs are read from: below the output folder, or in the record of a machine.

A machine's folder in the record is laid out like an output folder, so the same code reads both.
"""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from elcrec.config.config import Config
from elcrec.errors import InputError, relative_to
from elcrec.files.jsonfile import read_object


def machines(record: Path) -> list[Path]:
    """The folders of the machines in a record, by name."""
    return sorted(path.parent for path in record.glob("[!.]*/runs"))


def source(config: Config, *place: str, seeds: Sequence[int] | None = None) -> Path:
    """The folder that `place` is read below: the output, or with `runs: recorded` a machine's.

    Everything in one place comes from one machine, so that a mean is over runs of one kind: the
    machine with the most results there; in a tie one with a GPU, or else the first by name.

    Args:
        config: The configuration.
        place: `runs`, data set, model; or `sensitivity`, data set, variant; or `efficiency` or
            `released`, data set.
        seeds: Of the runs there; None: those of the configuration.

    Raises:
        InputError: Recorded runs are requested, and there are none.
    """
    if config.runs == "trained":
        return config.output
    seeds = config.seeds if seeds is None else seeds
    counts = {m: _finished(m.joinpath(*place), seeds) for m in machines(config.recorded)}
    if not counts:
        command = config.elcrec("recorded", "add", "MACHINE", "FOLDER")
        seen = relative_to(config.recorded)
        raise InputError(f"{config.recorded}: has no recorded runs{seen}; add some with: {command}")
    first, *tied = [machine for machine in counts if counts[machine] == max(counts.values())]
    if not tied or _on_gpu(first.joinpath(*place)):
        return first
    return next((machine for machine in tied if _on_gpu(machine.joinpath(*place))), first)


def place_of(dataset: str, model: str, variant: str, seed: int) -> Path:
    """Where a run is below an output folder or a machine's; `variant` for a sensitivity run."""
    first = ("sensitivity", dataset, variant) if variant else ("runs", dataset, model)
    return Path(*first, str(seed))


def run_folder(config: Config, dataset: str, model: str, seed: int) -> Path:
    """Where a run is read from; see `source`."""
    return source(config, "runs", dataset, model) / place_of(dataset, model, "", seed)


def sensitivity_folder(config: Config, dataset: str, variant: str, seed: int) -> Path:
    """Where an extra run of the sensitivity figure is read from; see `source`."""
    seeds = config.figures.sensitivity.seeds
    folder = source(config, "sensitivity", dataset, variant, seeds=seeds)
    return folder / place_of(dataset, "", variant, seed)


def released_folder(config: Config, dataset: str) -> Path:
    """Where the checks of published weights are read from, a folder per data set; see `source`."""
    return source(config, "released", dataset) / "released"


def json_files(config: Config, kind: str) -> list[Path]:
    """The measurements (`efficiency`) or checks of published weights (`released`) that exist.

    In the order of data set and model.
    """
    folders = [source(config, kind, d).joinpath(kind, d) for d in sorted(config.datasets)]
    return [path for folder in folders for path in sorted(folder.glob("[!.]*.json"))]


def _finished(folder: Path, seeds: Sequence[int]) -> int:
    """How many of the seeds are finished, or how many JSON files there are."""
    return sum((folder / str(seed) / "metrics.json").exists() for seed in seeds) or len(
        list(folder.glob("[!.]*.json"))
    )


def _on_gpu(folder: Path) -> bool:
    """Whether a run, or a measurement or check, in a folder was made on a GPU."""
    files = chain(folder.glob("*/metrics.json"), folder.glob("[!.]*.json"))
    return any(str(read_object(path).get("device")).startswith("cuda") for path in files)
