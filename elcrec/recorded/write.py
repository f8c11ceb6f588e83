"""A run as the record keeps it: small, and without paths of a machine.

The same run is written in the same way again, so that a record may be taken from another.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from elcrec.config.config import Config
from elcrec.files.atomic import write_json, write_text
from elcrec.files.csvfile import csv_text
from elcrec.files.jsonfile import JsonObject
from elcrec.files.npzfile import write_arrays
from elcrec.files.yamlfile import read_yaml
from elcrec.recorded.check import Wanted, check_run, settings_files
from elcrec.runs.history import read_history
from elcrec.runs.places import place_of
from elcrec.runs.plan import PlannedRun, single_seed
from elcrec.runs.record import RunRecord, load_run
from elcrec.runs.settings import settings_digest
from elcrec.runs.snapshots import snapshots

DIGITS = 7
"""Significant digits of a recorded history: those of single precision."""


def write_run(config: Config, planned: Sequence[Wanted], folder: Path, stage: Path) -> Path:
    """Check a run and write what is recorded of it.

    Returns:
        Its place below `stage`.

    Raises:
        InputError: It is not whole, or may not be recorded: see `check_run`.
    """
    record, made = load_run(folder), read_yaml(folder / "config.yaml")
    run = check_run(config, planned, record, made)
    place = place_of(run.dataset, run.model, run.variant, run.seed)
    snapshots(record)  # refuses what is damaged
    metrics = JsonObject.read(folder / "metrics.json")
    changes = {"settings": settings_digest(made), "metrics": record.metrics}
    if metrics.values.get("start"):  # weights that it started from
        start = metrics.section("start")
        changes["start"] = start.values | {"file": Path(start.text("file")).name}
        made = made | {"start": changes["start"]}
    target = stage / place
    write_arrays(target / "ranks.npz", record.ranks, np.uint8, np.uint16, np.uint32)
    write_text(target / "history.csv", _history(record))
    write_text(target / "config.yaml", yaml.safe_dump(made, sort_keys=False))
    write_json(target / "environment.json", _environment(config, folder, run))
    for name in _kept_besides(config, run):
        if (folder / name).exists():
            shutil.copyfile(folder / name, target / name)
    write_json(target / "metrics.json", metrics.values | changes)
    return place


def _kept_besides(config: Config, run: PlannedRun) -> list[str]:
    """Files that are kept of some runs only: weights of chosen runs would be named here."""
    of_figures = (config.figures.intents_of, "", single_seed(config))
    return ["intents.npz"] if (run.model, run.variant, run.seed) == of_figures else []


def _history(record: RunRecord) -> str:
    """`history.csv` with `DIGITS`; nan is an empty field."""
    columns = read_history(record.folder / "history.csv", record.epochs)
    rows = [
        {name: "" if v[i] != v[i] else f"{v[i]:.{DIGITS}g}" for name, v in columns.items()}
        for i in range(record.epochs)
    ]
    return csv_text(rows, list(columns))


def _environment(config: Config, folder: Path, run: PlannedRun) -> dict[str, Any]:
    """`environment.json` without paths of a machine; the command is what makes the run again."""
    made = JsonObject.read(folder / "environment.json")
    words = ["elcrec", "train", "--dataset", run.dataset, "--model", run.model]
    words += ["--seed", str(run.seed)]
    if JsonObject.read(folder / "metrics.json").text("kernels") != "plain":
        words += ["--kernels", "native"]
    if not made.optional_text("cuda"):
        words += ["--threads", str(made.integer("threads"))]
    if run.variant:
        place = "results" / place_of(run.dataset, run.model, run.variant, run.seed)
        words += ["--set", *(f"{k}={v}" for k, v in run.changes.items()), "--output", str(place)]
    if files := settings_files(config)[1:]:
        words += ["--config", *files]
    return made.values | {"system": system(made.text("system")), "command": words}


def system(platform: str) -> str:
    """A system without the name of its kernel's build: `Linux-x86_64-with-glibc2.36`.

    Args:
        platform: As `platform.platform()` gives it.
    """
    return re.sub(r"^(\w+)-.*?-(?=x86_64|aarch64|arm64)", r"\1-", platform)
