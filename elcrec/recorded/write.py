"""A run as the record keeps it: small, and without paths of a machine.

Writing the same run again gives the same files, so that one record can be copied from another.
"""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from elcrec.config.config import Config
from elcrec.files.atomic import write_json, write_text
from elcrec.files.checked import Line, Record, check, in_file
from elcrec.files.jsonfile import as_record, read_object
from elcrec.files.npzfile import read_arrays, write_arrays
from elcrec.files.weights import WEIGHTS, read_weights, weights_file, write_weights
from elcrec.files.yamlfile import dump, read_yaml
from elcrec.recorded.check import ExpectedRun, check_run, settings_files
from elcrec.recorded.folder import Environment
from elcrec.runs.lists import TOP
from elcrec.runs.places import place_of
from elcrec.runs.plan import PlannedRun, single_seed
from elcrec.runs.reading import history
from elcrec.runs.record import INTENTS, RunRecord, load_run
from elcrec.runs.settings import settings_digest
from elcrec.runs.snapshots import snapshots

DIGITS = 7
"""Significant digits of a recorded history: those of single precision."""
FEW = 20
"""Number of users whose vectors are kept where only the clusters are shown."""


class _Start(Record):
    file: Line


def write_run(
    config: Config, planned: Sequence[ExpectedRun], folder: Path, stage: Path, weights: bool = False
) -> Path:
    """Check a run and write what is recorded about it, with its weights if `weights` is set.

    Returns:
        Its place below `stage`.

    Raises:
        InputError: It is incomplete, or may not be recorded: see `check_run`.
    """
    record, settings = load_run(folder), read_yaml(folder / "config.yaml")
    run = check_run(config, planned, record, settings)
    intents = snapshots(record)  # read for every run, so that damage is refused
    place = place_of(run.dataset, run.model, run.variant, run.seed)
    if "module" in settings:  # a file, for a user's own model
        settings = settings | {"module": Path(str(settings["module"])).name}
    target = stage / place
    metrics = read_object(folder / "metrics.json")
    metrics |= {"settings": settings_digest(settings), "metrics": record.metrics}
    if metrics.get("start"):  # the weights that it started from
        start = check(_Start, metrics["start"], in_file(folder / "metrics.json"))
        metrics["start"] = metrics["start"] | {"file": Path(start.file).name}
        settings = settings | {"start": metrics["start"]}
    write_arrays(target / "ranks.npz", record.ranks, np.uint8, np.uint16, np.uint32)
    epochs = history(record).to_csv(index=False, float_format=f"%.{DIGITS}g")
    write_text(target / "history.csv", epochs)
    write_text(target / "config.yaml", dump(settings))
    write_json(target / "environment.json", _environment(config, run, record))
    figure_run = config.figures.intents_of, "", single_seed(config)  # in single-run figures
    if intents and (run.model, run.variant, run.seed) == figure_run:
        shutil.copyfile(folder / INTENTS, target / INTENTS)
    elif intents and not run.variant and run.model in config.figures.study:
        _write_clusters(folder / INTENTS, target / INTENTS)
    if weights:
        write_weights(target / WEIGHTS, read_weights(weights_file(folder)))
        if (folder / TOP).exists():  # older runs have no lists
            write_arrays(target / TOP, read_arrays(folder / TOP), np.uint16, np.uint32)
    write_json(target / "metrics.json", metrics)
    return place


def _write_clusters(path: Path, target: Path) -> None:
    """Copy `intents.npz` with the clusters of all users, but the vectors of a few only."""
    arrays = read_arrays(path)
    few = {name: arrays[name][:, :FEW] for name in ("embeddings", "assigned")}
    few["users"] = arrays["users"][:FEW]
    write_arrays(target, arrays | few, np.uint8, np.uint16, np.uint32)


def _environment(config: Config, run: PlannedRun, record: RunRecord) -> dict[str, Any]:
    """`environment.json` without paths of a machine; the command repeats the run."""
    path = record.folder / "environment.json"
    values = read_object(path)
    environment = as_record(values, Environment, path)
    command = ["elcrec", "train", "--dataset", run.dataset, "--model", run.model]
    command += ["--seed", str(run.seed)]
    if record.kernels != "plain":
        command += ["--kernels", "native"]
    if not environment.cuda:
        command += ["--threads", str(environment.threads)]
    if run.variant:
        output = "results" / place_of(run.dataset, run.model, run.variant, run.seed)
        command += ["--set", *(f"{k}={v}" for k, v in run.changes.items()), "--output", str(output)]
    if files := settings_files(config)[1:]:
        command += ["--config", *files]
    return values | {"system": system(environment.system), "command": command}


def system(platform: str) -> str:
    """A system without the name of its kernel's build: `Linux-x86_64-with-glibc2.36`.

    Args:
        platform: As `platform.platform()` gives it.
    """
    return re.sub(r"^(\w+)-.*?-(?=x86_64|aarch64|arm64)", r"\1-", platform)
