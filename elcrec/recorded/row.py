"""A recorded run: a line of `runs.csv`, made from the records of a run folder and back."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elcrec.config.config import Config
from elcrec.data.sequences import SPLITS
from elcrec.errors import InputError, shown
from elcrec.evaluation.metrics import METRICS, summarise
from elcrec.files.jsonfile import JsonObject
from elcrec.files.yamlfile import read_yaml
from elcrec.recorded.columns import COLUMNS, HEADER, Record
from elcrec.runs.plan import PARAMETERS, sensitivity_folder

VARIANT = rf"((?:{'|'.join(PARAMETERS)})-[0-9][0-9.e+-]*)?"


@dataclass(frozen=True)
class RecordedRun:
    """What is recorded of a run besides its ranks and history."""

    variant: str
    """`<parameter>-<value>` of a sensitivity run; empty for a run of the model as it is."""
    metrics: Record
    """Content of `metrics.json`."""
    environment: Record
    """Content of `environment.json`; the command is built anew, without paths of a machine."""
    config: Record
    """Content of `config.yaml`: every setting, resolved."""

    @property
    def key(self) -> tuple[str, str, str, int]:
        """Data set, model, variant, seed."""
        m = self.metrics
        return m["dataset"], m["model"], self.variant, m["seed"]

    @property
    def id(self) -> str:
        """Name of its files: `beauty-elcrec-1`, `beauty-elcrec-alpha-0.1-1`."""
        return "-".join(str(part) for part in self.key if part != "")

    @property
    def command(self) -> str:
        """The command that makes it again, whether it was made by that, a workflow or a batch."""
        return shlex.join(self.environment["command"])

    @property
    def hours(self) -> float:
        """How long it took."""
        return float(self.metrics["seconds"]["total"]) / 3600

    @property
    def has_all_metrics(self) -> bool:
        """Whether each metric of each split is recorded."""
        known = self.metrics.get("metrics", {})
        return all(known.get(split, {}).keys() >= set(METRICS) for split in SPLITS)

    def completed(self, ranks: Mapping[str, NDArray[np.integer]]) -> RecordedRun:
        """The same with all metrics: what its record lacks is computed from (users,) ranks."""
        known = self.metrics.get("metrics", {})
        metrics = {split: summarise(ranks[split]) | known.get(split, {}) for split in SPLITS}
        return replace(self, metrics=self.metrics | {"metrics": metrics})

    def folder(self, config: Config) -> Path:
        """Where the run lies below the output of a configuration."""
        dataset, model, variant, seed = self.key
        if variant:
            return sensitivity_folder(config.output, dataset, variant, seed)
        return config.run_folder(dataset, model, seed)

    def as_csv(self) -> dict[str, object]:
        """Its line, by column."""
        files = {"metrics": self.metrics, "environment": self.environment}
        values = {column.name: column.take(files) for column in COLUMNS}
        values |= {"variant": self.variant, "command": self.command}
        values["config"] = json.dumps(self.config, sort_keys=False)
        return {name: values[name] for name in HEADER}


def from_folder(folder: Path, variant: str = "") -> RecordedRun:
    """Read the records of a finished run.

    Raises:
        InputError: A file is missing, not whole, or lacks what a recorded run has.
    """
    metrics = JsonObject.read(folder / "metrics.json").values
    environment = JsonObject.read(folder / "environment.json")
    config = read_yaml(folder / "config.yaml")
    made = environment.values | {"system": system(environment.text("system"))}
    made["command"] = run_command(metrics, made, variant)
    if metrics.get("start"):
        metrics = metrics | {"start": _without_folders(metrics["start"])}
        config = config | {"start": metrics["start"]}
    line = RecordedRun(variant, metrics, made, config).as_csv()
    fields = {name: _field(value) for name, value in line.items()}
    return from_csv(fields, f"{folder}: metrics.json and environment.json")


def run_command(metrics: Record, environment: Record, variant: str) -> list[str]:
    """The command that trains a run with the settings of workflow/config/config.yaml."""
    dataset, model, seed = (str(metrics[key]) for key in ("dataset", "model", "seed"))
    words = ["elcrec", "train", "--dataset", dataset, "--model", model, "--seed", seed]
    if str(metrics.get("kernels")).startswith("native"):
        words += ["--kernels", "native"]
    if not environment.get("cuda"):
        words += ["--threads", str(environment.get("threads"))]
    if variant:
        place = sensitivity_folder(Path("results"), dataset, variant, metrics["seed"])
        words += ["--set", variant.replace("-", "=", 1), "--output", str(place)]
    return words


def _without_folders(start: Any) -> Any:
    """The weights that a run started from, without the folder of one machine."""
    return start | {"file": Path(start["file"]).name} if isinstance(start, dict) else start


def _field(value: object) -> str:
    """A value as `csv_text` writes it."""
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else str(value)


def system(platform: str) -> str:
    """A system without the name of its kernel's build: `Linux-x86_64-with-glibc2.36`.

    Args:
        platform: As `platform.platform()` gives it.
    """
    return re.sub(r"^(\w+)-.*?-(?=x86_64|aarch64|arm64)", r"\1-", platform)


def from_csv(values: Mapping[str, str], where: str) -> RecordedRun:
    """The run of a line, by column; metrics may be missing, see `RecordedRun.completed`.

    Raises:
        InputError: A field is not of its kind; the message begins with `where`.
    """
    metrics: Record = {"format": 1, "dirty": False}
    files: dict[str, Record] = {"metrics": metrics, "environment": {}}
    for column in COLUMNS:
        column.put(values.get(column.name, ""), files, where)
    config = _object(values["config"], f"{where}: config")
    try:
        words = shlex.split(values["command"])
    except ValueError:
        words = []
    if not words:
        raise InputError(f"{where}: command is {shown(values['command'])}; allowed: a command")
    if not re.fullmatch(VARIANT, values["variant"]):
        allowed = "nothing, or a parameter and its value, such as alpha-0.1"
        raise InputError(f"{where}: variant is {shown(values['variant'])}; allowed: {allowed}")
    shared = {key: metrics[key] for key in ("commit", "dirty", "device")}
    environment = shared | files["environment"] | {"command": words}
    return RecordedRun(values["variant"], metrics, environment, config)


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InputError(f"{where} is {shown(text)}; allowed: an object in JSON")
    return value
