"""Run folders: `<output>/runs/<dataset>/<model>/<seed>/`, read and checked for consistency."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, SkipValidation, model_validator

from elcrec.data.sequences import SPLITS
from elcrec.errors import InputError
from elcrec.evaluation.metrics import per_user, summarise
from elcrec.files.checked import (
    Amount,
    Count,
    Line,
    Positive,
    Record,
    Share,
    check,
    having,
    in_file,
    matching,
)
from elcrec.files.jsonfile import read_json
from elcrec.files.npzfile import read_arrays, whole_numbers
from elcrec.files.yamlfile import read_yaml
from elcrec.runs.history import read_history

FILES = ("metrics.json", "ranks.npz", "history.csv", "config.yaml", "environment.json")
TOLERANCE = 1e-9  # metrics.json against the metrics of the ranks; both are float64

FAILED = "failed.txt"
"""File in the folder of a run that failed: one line with the reason, after `FAILED_BY`."""
FAILED_BY = "elcrec: "
"""Distinguishes it from a file of the user's own."""
INTENTS = "intents.npz"
"""Users and intents at some epochs, of models with intents."""

CHECKPOINTS = "checkpoints"  # folder in a run folder, while the run lasts

Metrics = dict[str, dict[str, Share]]
Kernels = Annotated[str, matching("^(plain|native [0-9a-f]+)$", "plain, or native and a hash")]


class PeakMemory(Record):
    """Peak memory of a process in bytes; the CUDA figures are None for a run on a CPU."""

    resident: Count = Field(alias="resident_bytes")
    cuda_allocated: Count | None = Field(alias="cuda_allocated_bytes")
    cuda_reserved: Count | None = Field(alias="cuda_reserved_bytes")


class Made(Record):
    """A result of a model on a data set."""

    dataset: Line
    model: Line
    commit: Line | None
    dirty: bool
    """The working tree had uncommitted changes."""


class Trained(Made):
    """A result of training."""

    seed: Count
    device: Line


class MetricsFile(Trained):
    """Content of `metrics.json`."""

    format: Literal[1]
    protocol: Line
    ranked_by: Line
    """The protocol, or the model's own where its scores have no zero point."""
    metrics: Annotated[Metrics, having(*SPLITS)]
    """Split (`valid`, `test`) to metric to value in [0, 1]."""
    users: Positive
    epochs: Count
    best_epoch: Count
    seconds: dict[str, Amount]
    """Phase to wall-clock seconds of the whole run."""
    peak_memory: PeakMemory
    parameters: Count
    """Number of trained parameters."""
    fingerprint: Line
    settings: Line
    data: Line
    """Hash of the histories."""
    kernels: Kernels
    """`plain`, or `native` and the hash of its source: see `elcrec.models.native`."""

    @model_validator(mode="after")
    def _tests_a_trained_epoch(self) -> Self:
        if self.best_epoch > self.epochs:
            raise ValueError(f"best_epoch is {self.best_epoch}; allowed: 0 to {self.epochs}")
        return self


class RunConfig(Record):
    """Of a run's `config.yaml`: which model it is, and what determined it."""

    name: Line
    module: Line
    parameters: dict[str, Any]
    training: dict[str, Any]
    precision: Any = "float32"


class RunRecord(MetricsFile):
    """One finished training run, with all metrics: those not recorded come from the ranks."""

    folder: Path
    ranks: SkipValidation[Mapping[str, NDArray[np.integer]]]
    """Split to (users,) 0-based ranks."""

    def score(self, metric: str) -> float:
        """Any metric, such as `MRR@20`, on the test split."""
        recorded = self.metrics["test"].get(metric)
        return float(per_user(metric, self.ranks["test"]).mean()) if recorded is None else recorded


def read_config(folder: Path) -> RunConfig:
    """Read `config.yaml` in a run folder.

    Raises:
        InputError: It is missing or damaged, or lacks a key.
    """
    path = folder / "config.yaml"
    config: RunConfig = check(RunConfig, read_yaml(path), in_file(path))
    return config


def load_run(folder: Path | str, trusted: bool = False) -> RunRecord:
    """Read a run folder and check its consistency.

    Args:
        folder: Folder of the run.
        trusted: Use metrics as recorded, even if they differ from those of the ranks now.

    Raises:
        InputError: A file is missing, truncated or of a wrong shape, or `metrics.json` disagrees
            with the ranks; the line names the file.
    """
    folder = Path(folder)
    for name in FILES:
        if not (folder / name).is_file() or not (folder / name).stat().st_size:
            raise InputError(f"{folder / name}: is missing or empty; run this training again")
    values = read_json(folder / "metrics.json", MetricsFile)
    ranks = read_ranks(folder / "ranks.npz", values.users)
    record = with_ranks(values, folder, ranks, trusted)
    read_history(folder / "history.csv", record.epochs)
    return record


def with_ranks(
    values: MetricsFile, folder: Path, ranks: Mapping[str, NDArray[np.integer]], trusted: bool
) -> RunRecord:
    """The run that its metrics.json and its ranks describe.

    Raises:
        InputError: A metric does not match the ranks.
    """
    metrics = {split: summarise(ranks[split]) for split in SPLITS}
    for split, name in ((s, n) for s in SPLITS for n in metrics[s] & values.metrics[s].keys()):
        value, recomputed = values.metrics[split][name], metrics[split][name]
        if not trusted and not math.isclose(value, recomputed, rel_tol=0, abs_tol=TOLERANCE):
            raise InputError(
                f"{folder / 'metrics.json'}: metrics.{split}.{name} is {value!r}, but ranks.npz "
                f"gives {recomputed!r}; run this training again"
            )
        metrics[split][name] = value
    fields = dict(values) | {"metrics": metrics, "folder": folder, "ranks": ranks}
    return RunRecord.model_construct(**fields)


def read_ranks(path: Path, users: int) -> dict[str, NDArray[np.integer]]:
    """Read the 0-based ranks of a run, (users,) for each split.

    Raises:
        InputError: The file is damaged, or has no such array.
    """
    arrays = read_arrays(path, SPLITS)
    allowed = f"one integer rank of at least 0 for each of the {users} users of metrics.json"
    return {
        split: whole_numbers(f"{path}: {split}", arrays[split], users, f"allowed: {allowed}")
        for split in SPLITS
    }
