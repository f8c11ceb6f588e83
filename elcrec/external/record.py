"""Predictions in the form of runs, so that tables and tests treat them like runs.

Also which of our runs they are compared with, and on which metrics.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, product
from pathlib import Path
from typing import Any

import numpy as np

from elcrec.config.config import Config
from elcrec.data.ids import with_raw_ids
from elcrec.data.sequences import Sequences, read_sequences
from elcrec.errors import InputError, brief, unknown
from elcrec.evaluation.metrics import TABLE_METRICS, summarise
from elcrec.external.predictions import Ranked, rank_targets
from elcrec.runs.reading import Runs
from elcrec.runs.record import RunRecord

THEIRS = ""
"""Id of the external model that is compared; none of our models has it."""


class Predicted(RunRecord):
    """What a file tells about one seed of a model: the test split only, nothing about training."""

    lists: Ranked
    """What is known about its lists, and what was done to them."""


def histories(config: Config, dataset: str, ids: str) -> Sequences:
    """The prepared histories of a data set, with its `raw` ids or with `numbers`.

    Raises:
        InputError: The data set is not known or not prepared.
    """
    path = config.prepared_file(dataset)
    sequences = read_sequences(path)
    return with_raw_ids(sequences, path.parent) if ids == "raw" else sequences


def read_external(config: Config, dataset: str, model: str) -> list[Predicted]:
    """Read the predictions of a model under `external`, a record for each seed from 1.

    Under the protocol `paper` items seen before are removed, as under `strict`: the score 0 that
    they get there has no meaning among the scores of another model.

    Raises:
        InputError: The data set is not prepared, or a file is invalid or given twice.
    """
    external = config.external[model]
    if dataset not in external.files:
        return []
    for n, file in enumerate(external.files[dataset]):
        if file in external.files[dataset][:n]:
            raise InputError(f"{file}: is given twice; allowed: one file per seed")
    sequences = histories(config, dataset, external.ids)
    ranked_by = "repeats" if config.protocol == "repeats" else "strict"
    shared: dict[str, Any] = {
        **{"dataset": dataset, "model": model, "protocol": config.protocol},
        **{"ranked_by": ranked_by, "users": sequences.n_users, "data": sequences.digest()},
        **{"epochs": 0, "best_epoch": 0, "fingerprint": "", "settings": ""},  # not trained here,
        **{"commit": None, "dirty": False, "device": ""},  # so there is nothing to record
    }
    records: list[Predicted] = []
    for seed, file in enumerate(external.files[dataset], 1):
        ranked = rank_targets(file, sequences, ranked_by, missing=external.missing == "miss")
        for record in records:
            if np.array_equal(record.ranks["test"], ranked.ranks):
                raise InputError(
                    f"{file}: has the same ranks as {record.folder}; allowed: one file per "
                    "training, or a single file for a deterministic model"
                )
        values: dict[str, Any] = {"lists": ranked, "metrics": {"test": summarise(ranked.ranks)}}
        values |= {"folder": file, "seed": seed, "ranks": {"test": ranked.ranks}}
        records.append(Predicted.model_construct(**shared, **values))
    return records


def external_runs(config: Config) -> dict[tuple[str, str], list[Predicted]]:
    """The predictions of every model under `external` on every data set in use, if there are any.

    Raises:
        InputError: As `read_external`, or lists too short for Table 1.
    """
    keys = product(config.use, config.external)
    runs_by_key = {key: runs for key in keys if (runs := read_external(config, *key))}
    for run in chain.from_iterable(runs_by_key.values()):
        refuse_short(run, max(map(place, config.metrics or TABLE_METRICS)))
    return runs_by_key


def place(metric: str) -> int:
    """k of a metric at k."""
    return int(metric.partition("@")[2])


def refuse_short(run: Predicted, needed: int) -> None:
    """Raise InputError if a list ends before `needed` competing items and before the test item."""
    if run.lists.known_to < needed:
        raise InputError(
            f"{run.folder}: {short_lists([run], needed)}; allowed: {needed} or more (items that "
            "the user had before compete only under the protocol repeats)"
        )


def done_to(theirs: Sequence[Predicted]) -> Iterator[str]:
    """What was done to the predictions of a model on a data set, a sentence each."""
    first = theirs[0]
    if excluded := sum(run.lists.excluded for run in theirs):
        yield (
            f"{excluded:,} predicted items were removed, and the ranks after them moved up: the"
            f" user had them before, and under the protocol {first.protocol} they do not compete."
        )
    if missed := sum(run.lists.missed for run in theirs):
        yield f"{missed:,} users without a prediction count as misses."
    if hidden := first.lists.hidden:
        yield (
            f"{hidden:,} users had their test item before, so it does not compete either"
            " and counts as a miss."
        )


def short_lists(runs: Sequence[Predicted], needed: int) -> str:
    """Words for the lists that end before `needed` competing items and before the test item."""
    first = min((run.lists for run in runs), key=lambda lists: lists.known_to)
    count = sum(int((run.lists.ends < needed).sum()) for run in runs)
    lists = f"{count:,} of {sum(run.users for run in runs):,} lists are"
    return (
        f"the list of user {brief(first.shortest)} ends before the test item and has "
        f"{first.known_to} items that compete ({lists} too short)"
    )


def known_metrics(theirs: Sequence[Predicted], wanted: Sequence[str]) -> list[str]:
    """Those of the wanted metrics that all lists are long enough for.

    Raises:
        InputError: There is none.
    """
    shortest = min(theirs, key=lambda run: run.lists.known_to)
    refuse_short(shortest, min(map(place, wanted)))
    return [metric for metric in wanted if place(metric) <= shortest.lists.known_to]


@dataclass(frozen=True)
class Rivals:
    """Our runs under one protocol."""

    runs: Sequence[RunRecord]
    """Runs on all data sets in use, because their training noise is used."""
    models: Sequence[str]
    """Ids of the models that predictions are compared with."""
    folder: Path
    """Where the runs are."""


def read_rivals(
    config: Config, theirs: Predicted, against: Sequence[str] = (), folder: Path | None = None
) -> Rivals:
    """Read the runs of an output folder, or else the recorded ones, whatever code made them.

    Args:
        config: Gives the protocol and, for recorded runs, which to read.
        theirs: The predictions to compare with them.
        against: Ids of models; all that have runs on the data set by default.
        folder: The output folder.

    Raises:
        InputError: There is no run, or none of a model in `against`, or runs had other histories.
    """
    runs_config = _config_for(config, folder) if folder else config.replaced(runs="recorded")
    models = dict.fromkeys([*runs_config.models, *against])
    datasets = dict.fromkeys([*config.use, theirs.dataset])
    groups = Runs(runs_config, "take").find(datasets, list(models))
    runs = [run for group in groups.values() for run in group if run.protocol == config.protocol]
    by_model = {run.model: run for run in runs if run.dataset == theirs.dataset}
    for model in against:
        if model not in by_model:
            condition = f"with runs on {theirs.dataset} under the protocol {config.protocol}"
            if not by_model:
                raise InputError(
                    f"--against {model}: no model {condition} in {folder or config.recorded}"
                )
            raise InputError(f"--against: {unknown('model', model, by_model, condition)}")
    for run in by_model.values():
        if run.data != theirs.data:
            path = config.sequences_file(theirs.dataset)
            raise InputError(f"{path}: has other histories than the run in {run.folder}")
    return Rivals(runs, list(against or by_model), folder or config.recorded)


def _config_for(config: Config, folder: Path) -> Config:
    """A configuration that asks for the runs that an output folder has."""
    folders = [path.parent.parts[-2:] for path in folder.glob("runs/*/*/*/metrics.json")]
    pairs = [(model, seed) for model, seed in folders if re.fullmatch("0|[1-9][0-9]*", seed)]
    if not pairs:
        raise InputError(f"--runs {folder}: has no finished run (runs/DATASET/MODEL/SEED)")
    models, seeds = map(set, zip(*pairs, strict=True))
    # Ablation arms, for example, are no rivals unless named, and do not count for the noise.
    ordered = [m for m in config.models if m in models] or sorted(models)
    return config.replaced(
        runs="trained", output=folder, models=ordered, seeds=sorted(map(int, seeds))
    )
