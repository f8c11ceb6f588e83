"""Which runs of ours predictions are held against, and on which metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from elcrec.config.config import Config
from elcrec.errors import InputError, unknown
from elcrec.external.record import Predicted, place, refuse_short
from elcrec.runs.reading import Runs
from elcrec.runs.record import RunRecord

THEIRS = ""
"""Id of the model that is compared: no model of ours has it."""


def known_metrics(theirs: Sequence[Predicted], wanted: Sequence[str]) -> list[str]:
    """Those of the wanted metrics that all lists are long enough for.

    Raises:
        InputError: There is none.
    """
    shortest = min(theirs, key=lambda run: run.known_to)
    refuse_short(shortest, min(map(place, wanted)))
    return [metric for metric in wanted if place(metric) <= shortest.known_to]


@dataclass(frozen=True)
class Rivals:
    """Runs of ours under one protocol."""

    runs: Sequence[RunRecord]
    """Those of all data sets in use, for their training noise counts."""
    models: Sequence[str]
    """Ids of the models that predictions are held against."""
    folder: Path
    """Where they lie."""


def read_rivals(
    config: Config, theirs: Predicted, against: Sequence[str] = (), folder: Path | None = None
) -> Rivals:
    """Read the runs of an output folder, or else the recorded ones, of whatever code.

    Args:
        config: Says the protocol and, of recorded runs, which there are to be.
        theirs: What is held against them.
        against: Ids of models; all that have runs on the data set by default.
        folder: The output folder.

    Raises:
        InputError: There is no run, or none of one of `against`, or they are of other histories.
    """
    wanted = _below(config, folder) if folder else config.replaced(runs="recorded")
    models = dict.fromkeys([*wanted.models, *against])
    datasets = dict.fromkeys([*config.use, theirs.dataset])
    found = Runs(wanted, "take").find(datasets, list(models))
    runs = [run for own in found.values() for run in own if run.protocol == config.protocol]
    here = {run.model: run for run in runs if run.dataset == theirs.dataset}
    for model in against:
        if model not in here:
            which = f"with runs on {theirs.dataset} under the protocol {config.protocol}"
            raise InputError(f"--against: {unknown('model', model, here, which)}")
    for run in here.values():
        if run.data != theirs.data:
            path = config.sequences_file(theirs.dataset)
            raise InputError(f"{path}: has other histories than the run in {run.folder} had")
    return Rivals(runs, list(against or here), folder or config.recorded)


def _below(config: Config, folder: Path) -> Config:
    """A configuration that asks for all runs below an output folder."""
    places = [path.parent.parts[-2:] for path in folder.glob("runs/*/*/[0-9]*/metrics.json")]
    if not places:
        raise InputError(f"--runs {folder}: has no finished run, runs/DATASET/MODEL/SEED")
    models, seeds = map(set, zip(*places, strict=True))
    ordered = [*(m for m in config.models if m in models), *sorted(models - set(config.models))]
    return config.replaced(
        runs="trained", output=folder, models=ordered, seeds=sorted(map(int, seeds))
    )
