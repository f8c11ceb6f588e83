"""Prepared data sets and runs: where they are, how they are made, read and checked.

`<data>/industrial/<data set>/` holds the fetched files, table.npz, and sources.json,
which says where they came from. `<output>/industrial/runs/<data set>/<model>/<seed>/` holds

- metrics.json      AUC of the test period, epochs, seconds, commit, hashes of code, settings, data
- predictions.npz   probability of every label of every test interaction, and users' clusters
- history.csv       a row for each epoch
- environment.json  machine, versions, command
- weights.safetensors  the weights of the tested epoch

metrics.json is written last, so a folder that has it is complete; checkpoints/ exists until then.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pooch
import torch
from numpy.typing import NDArray

from elcrec.config.config import Config
from elcrec.data.fetch import fetch
from elcrec.errors import InputError
from elcrec.files.atomic import write_json
from elcrec.files.checked import Count, Line
from elcrec.files.jsonfile import read_json, read_object
from elcrec.files.npzfile import read_arrays, write_arrays
from elcrec.files.weights import WEIGHTS, write_weights
from elcrec.industrial import metrics
from elcrec.industrial.features import Table, build
from elcrec.industrial.readers import read_log
from elcrec.industrial.training import Training
from elcrec.jobs.checkpoints import Checkpoints
from elcrec.jobs.environment import commit, environment
from elcrec.runs.fingerprint import fingerprint
from elcrec.runs.record import CHECKPOINTS, Trained
from elcrec.tables.document import write_csv
from elcrec.usage import device_name

FILES = ("metrics.json", "predictions.npz", "history.csv", "environment.json", WEIGHTS)
"""Files of a complete run; others in its folder do no harm."""
CODE = "elcrec.industrial.training"
"""Module whose fingerprint a run records."""


class RunRecord(Trained):
    """Content of `metrics.json`."""

    format: Literal[1]
    auc: dict[str, float]
    """By task, on the test period."""
    epochs: Count
    best_epoch: Count
    seconds: float
    parameters: Count
    settings: Line
    data: Line
    fingerprint: Line


@dataclass(frozen=True)
class Run:
    """A finished run."""

    record: RunRecord
    probabilities: NDArray[np.float32]
    """(test rows, tasks)"""
    clusters: NDArray[np.int16] | None
    """(users,) cluster of each user; None for a model without clusters."""


@dataclass(frozen=True)
class Evidence:
    """A prepared data set and its finished runs."""

    id: str
    name: str
    table: Table
    runs: dict[str, list[Run]]
    """By model, in the order of the seeds."""

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks."""
        return [str(task) for task in self.table.tasks]

    @property
    def has_users(self) -> bool:
        """Whether users are known."""
        return len(self.table.activity) > 0


def table_folder(config: Config, dataset: str) -> Path:
    """Where a data set is kept."""
    return config.data / "industrial" / dataset


def run_folder(config: Config, dataset: str, model: str, seed: int) -> Path:
    """Where a run is kept."""
    return config.output / "industrial" / "runs" / dataset / model / str(seed)


def prepare(config: Config, dataset: str) -> Path:
    """Fetch the files of a data set and write table.npz and sources.json.

    Raises:
        InputError: A file cannot be fetched, or is invalid.
    """
    section, folder = config.industrial, table_folder(config, dataset)
    entry, record = section.datasets[dataset], folder / "sources.json"
    fetched = {key: fetch(dataset, [source], folder) for key, source in entry.files.items()}
    log = read_log(entry.format, {key: found.path for key, found in fetched.items()})
    table = build(dataset, log, section.train, section.valid)
    sources = read_object(record) if record.exists() else {}
    for found in fetched.values():
        now = {"sha256": pooch.file_hash(found.path), "origin": found.origin}
        earlier = sources.get(found.path.name, {})
        if earlier.get("sha256") != now["sha256"]:  # else the origin is only "fetched earlier"
            sources[found.path.name] = now
    table.write(folder / "table.npz")
    write_json(record, sources)
    return folder / "table.npz"


def read_table(config: Config, dataset: str) -> Table:
    """Read a prepared data set.

    Raises:
        InputError: It is not prepared, or damaged.
    """
    path = table_folder(config, dataset) / "table.npz"
    if not path.exists():
        make = config.elcrec("industrial", "prepare", "--dataset", dataset)
        raise InputError(f"{path}: not there yet; make it with: {make}")
    return Table.read(path)


def is_recorded(config: Config, dataset: str, model: str, seed: int) -> bool:
    """Whether the folder of a run holds all of it.

    Raises:
        InputError: It holds a different run.
    """
    folder = run_folder(config, dataset, model, seed)
    if not (folder / "metrics.json").exists():
        return False
    record = read_json(folder / "metrics.json", RunRecord)
    decides = decided(config, dataset, model, read_table(config, dataset))
    if any(getattr(record, key) != value for key, value in decides.items()):
        what = "holds a finished run with other settings, data or code"
        raise InputError(f"{folder}: {what}; replace it with --force")
    return all((folder / name).exists() for name in FILES)


def train(config: Config, dataset: str, model: str, seed: int, device: torch.device) -> RunRecord:
    """Train a model and write its folder; resumes from a checkpoint if there is one.

    Raises:
        InputError: No prepared data set, or more clusters than users.
    """
    table, folder = read_table(config, dataset), run_folder(config, dataset, model, seed)
    path = folder / "metrics.json"
    path.unlink(missing_ok=True)  # of another run
    decides = decided(config, dataset, model, table)
    identity = hashlib.sha256(f"{decides} {seed} {device.type}".encode()).hexdigest()[:16]
    training = Training(table, config.industrial.network, model, seed, device)
    trained, arrays = training.run(Checkpoints(folder / CHECKPOINTS, identity))
    head, dirty = commit()
    record = {
        **{"format": 1, "dataset": dataset, "model": model, "seed": seed, **decides},
        "auc": _auc(table, arrays["probabilities"]),
        "epochs": len(trained.history),
        "best_epoch": trained.best_epoch,
        "seconds": trained.seconds["total"],
        "parameters": sum(weights.numel() for weights in training.model.parameters()),
        **{"commit": head, "dirty": dirty, "device": device_name(device)},
    }
    write_arrays(folder / "predictions.npz", arrays)
    write_csv(folder / "history.csv", pd.DataFrame(trained.history))
    write_json(folder / "environment.json", environment(device))
    write_weights(folder / WEIGHTS, trained.weights)
    write_json(path, record)
    Checkpoints.remove(folder / CHECKPOINTS)
    return read_json(path, RunRecord)


def decided(config: Config, dataset: str, model: str, table: Table) -> dict[str, str]:
    """Hashes of everything that determines a run's numbers, except its seed."""
    asked = json.dumps([dataset, model, config.industrial.network.model_dump()], sort_keys=True)
    settings = hashlib.sha256(asked.encode()).hexdigest()[:16]
    return {"settings": settings, "data": table.digest(), "fingerprint": fingerprint(CODE, ())}


def read_evidence(config: Config) -> list[Evidence]:
    """The data sets in use with their finished runs.

    Raises:
        InputError: One is not prepared; a run has other code, settings or data, or its metrics
            do not match its predictions.
    """
    found, section = [], config.industrial
    for dataset in section.use:
        table = read_table(config, dataset)
        one = Evidence(dataset, section.datasets[dataset].name, table, {})
        for model in section.models(dataset):
            decides = decided(config, dataset, model, table)
            folders = [run_folder(config, dataset, model, seed) for seed in section.seeds]
            there = [folder for folder in folders if (folder / "metrics.json").exists()]
            one.runs[model] = [_read(config, folder, table, decides) for folder in there]
        found.append(one)
    return found


def _read(config: Config, folder: Path, table: Table, decides: Mapping[str, str]) -> Run:
    record = read_json(path := folder / "metrics.json", RunRecord)
    words = ["train", "--dataset", record.dataset, "--model", record.model]
    words += ["--seed", str(record.seed), "--force"]
    again = f"run it again with: {config.elcrec('industrial', *words)}"
    for key, value in decides.items():
        if getattr(record, key) != value:
            raise InputError(f"{path}: {key} is not the current one; {again}")
    arrays = read_arrays(folder / "predictions.npz", ["probabilities"])
    probabilities = arrays["probabilities"]
    fits = probabilities.shape == table.labels[table.rows("test")].shape
    found = _auc(table, probabilities) if fits else {"": nan}
    if not all(abs(record.auc.get(task, nan) - value) < 1e-9 for task, value in found.items()):
        raise InputError(f"{path}: auc does not match predictions.npz; {again}")
    return Run(record, probabilities, arrays.get("clusters"))


def _auc(table: Table, probabilities: NDArray[np.float32]) -> dict[str, float]:
    """AUC of each task on the test period."""
    pairs = zip(table.tasks, table.labels[table.rows("test")].T, probabilities.T, strict=True)
    return {str(task): metrics.auc(labels, scores) for task, labels, scores in pairs}
