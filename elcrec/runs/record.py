"""Run folders: `<output>/runs/<dataset>/<model>/<seed>/`, read and checked against themselves."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from elcrec.data.sequences import SPLITS
from elcrec.errors import InputError
from elcrec.evaluation.metrics import summarise
from elcrec.files.jsonfile import JsonObject
from elcrec.files.npzfile import read_arrays
from elcrec.runs.history import read_history

FILES = ("metrics.json", "ranks.npz", "history.csv", "config.yaml", "environment.json")
TOLERANCE = 1e-9  # metrics.json against the metrics of the ranks; both are float64

FAILED = "failed.txt"
"""File in the folder of a run that failed: one line, why."""

CHECKPOINTS = "checkpoints"  # folder in a run folder, while the run lasts


@dataclass(frozen=True)
class PeakMemory:
    """Peak memory of a process in bytes; the CUDA figures are None for a run on a CPU."""

    resident: int
    cuda_allocated: int | None
    cuda_reserved: int | None

    @classmethod
    def read(cls, values: JsonObject) -> PeakMemory:
        """Read the section `peak_memory` of a record."""
        return cls(
            resident=values.integer("resident_bytes"),
            cuda_allocated=values.optional_integer("cuda_allocated_bytes"),
            cuda_reserved=values.optional_integer("cuda_reserved_bytes"),
        )


@dataclass(frozen=True)
class RunRecord:
    """One finished training run."""

    folder: Path
    dataset: str
    model: str
    seed: int
    protocol: str
    ranked_by: str
    """The protocol, or the model's own where its scores have no zero point."""
    metrics: Mapping[str, Mapping[str, float]]
    """Split (`valid`, `test`) to metric (all of `METRICS`) to value in [0, 1]: what metrics.json
    lacks is computed from the ranks."""
    ranks: Mapping[str, NDArray[np.integer]]
    """Split to (users,) 0-based ranks."""
    users: int
    best_epoch: int
    epochs: int
    seconds: Mapping[str, float]
    """Phase to wall-clock seconds of the whole run."""
    peak_memory: PeakMemory
    device: str
    parameters: int
    """Number of trained parameters."""
    fingerprint: str
    settings: str
    data: str
    """Hash of the histories."""
    commit: str | None
    dirty: bool
    """The working tree had uncommitted changes."""
    kernels: str = "plain"
    """`plain`, or `native` and the hash of its source: see `elcrec.models.native`."""


def load_run(folder: Path | str, trusted: bool = False) -> RunRecord:
    """Read a run folder and check it against itself.

    Args:
        folder: The run's.
        trusted: Take metrics as they are recorded, even if the ranks give others now.

    Raises:
        InputError: A file is missing, cut off or of another shape, or `metrics.json` disagrees with
            the ranks; the line names the file.
    """
    folder = Path(folder)
    for name in FILES:
        if not (folder / name).is_file() or not (folder / name).stat().st_size:
            raise InputError(f"{folder / name}: is missing or empty; run this training again")
    values = JsonObject.read(folder / "metrics.json")
    values.expect("format", 1)
    ranks = read_ranks(folder / "ranks.npz", values.integer("users", 1))
    record = read_record(folder, values, ranks, trusted)
    read_history(folder / "history.csv", record.epochs)
    return record


def kernels_of(values: JsonObject) -> str:
    """What a record says under `kernels`: `plain`, or `native` and the hash of its source."""
    if not re.fullmatch(r"plain|native [0-9a-f]+", values.text("kernels")):
        values.refuse("kernels", "plain, or native and a hash")
    return values.text("kernels")


def read_record(
    folder: Path, values: JsonObject, ranks: Mapping[str, NDArray[np.integer]], trusted: bool
) -> RunRecord:
    """The run that `values`, the content of its metrics.json, and its ranks tell of.

    Raises:
        InputError: A value is missing or of another kind, or a metric is not that of the ranks.
    """
    epochs = values.integer("epochs")
    if values.integer("best_epoch") > epochs:
        values.refuse("best_epoch", f"0 to {epochs}, its epochs")
    metrics = values.section("metrics")
    seconds = values.section("seconds")
    return RunRecord(
        folder=folder,
        dataset=values.text("dataset"),
        model=values.text("model"),
        seed=values.integer("seed"),
        protocol=values.text("protocol"),
        ranked_by=values.text("ranked_by"),
        metrics={s: _metrics(metrics.section(s), ranks[s], trusted) for s in SPLITS},
        ranks=ranks,
        users=values.integer("users", 1),
        best_epoch=values.integer("best_epoch"),
        epochs=epochs,
        seconds={phase: seconds.number(phase) for phase in seconds.values},
        peak_memory=PeakMemory.read(values.section("peak_memory")),
        device=values.text("device"),
        parameters=values.integer("parameters"),
        fingerprint=values.text("fingerprint"),
        settings=values.text("settings"),
        data=values.text("data"),
        commit=values.optional_text("commit"),
        dirty=values.flag("dirty"),
        kernels=kernels_of(values),
    )


def read_ranks(path: Path, users: int) -> dict[str, NDArray[np.integer]]:
    """Read the 0-based ranks of a run, (users,) for each split.

    Raises:
        InputError: The file is damaged, or has no such array.
    """
    arrays = read_arrays(path, SPLITS)
    ranks: dict[str, NDArray[np.integer]] = {split: arrays[split] for split in SPLITS}
    for split, array in ranks.items():
        if array.shape != (users,) or array.dtype.kind not in "iu" or array.min() < 0:
            raise InputError(
                f"{path}: {split} is {array.dtype} of shape {array.shape}; allowed: one integer "
                f"rank of at least 0 for each of the {users} users of metrics.json"
            )
    return ranks


def _metrics(values: JsonObject, ranks: NDArray[np.integer], trusted: bool) -> dict[str, float]:
    """The metrics of a split as they are recorded; those that are not come from its ranks."""
    metrics = summarise(ranks)
    for name in metrics.keys() & values.values.keys():
        value = values.number(name, most=1)
        if not trusted and not math.isclose(value, metrics[name], rel_tol=0, abs_tol=TOLERANCE):
            raise InputError(
                f"{values.path}: {values.prefix}{name} is {value!r}, but ranks.npz gives "
                f"{metrics[name]!r}; run this training again"
            )
        metrics[name] = value
    return metrics
