"""One training run and the folder that records it.

`<output>/runs/<dataset>/<model>/<seed>/` holds

- metrics.json      valid and test metrics, epochs, seconds, peak memory, commit, fingerprint
- ranks.npz         0-based rank of the target of every user, `valid` and `test`
- history.csv       one row per epoch
- intents.npz       what users and intents looked like (models with intents): see elcrec/intents.py
- config.yaml       every setting, resolved
- environment.json  machine, versions, command
- weights.pt        the weights that were tested

Each file is written under a temporary name and moved; metrics.json comes last, so a folder that has
it is whole. Until then, checkpoints/ holds how far the training has come.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml

from elcrec.atomic import replaced, write_text
from elcrec.checkpoint import Checkpoints
from elcrec.config import Config
from elcrec.data.sequences import read_sequences
from elcrec.dataset import InteractionData
from elcrec.deadline import Deadline
from elcrec.engine import Options, Report, Result, training
from elcrec.errors import InputError
from elcrec.fingerprint import fingerprint
from elcrec.interface import Protocol, SequenceModel
from elcrec.measure import device_name, peak_memory, reset_peak_memory
from elcrec.metrics import summarise
from elcrec.names import FAILED
from elcrec.provenance import commit, environment
from elcrec.registry import RunSettings, module_reference, resolve
from elcrec.start import Start, find_start, load_start
from elcrec.turns import Turns, take_all

CHECKPOINTS = "checkpoints"  # folder in a run folder, while the run lasts


@dataclass(frozen=True)
class Run:
    """What identifies a run."""

    dataset: str
    seed: int
    protocol: str
    settings: RunSettings
    start: Start | None = None
    """Weights of another run that this one starts from."""
    kernels: str = "plain"
    """`native`: compiled kernels for Transformers on the CPU, see `elcrec.native`."""
    graphs: bool = False
    """CUDA graphs, see `elcrec.graph`."""
    snapshot_epochs: tuple[int, ...] = ()
    """After which epochs to keep users and intents, see `elcrec.intents`."""


def make_run(
    config: Config,
    dataset: str,
    model: str,
    seed: int,
    overrides: Mapping[str, Any] | None = None,
    start: Path | None = None,
    kernels: str | None = None,
) -> Run:
    """What a configuration says of a run; `overrides`, `start` and `kernels` go before it.

    Raises:
        InputError: An unknown name or key, a wrong value, or no weights to start from.
    """
    if seed < 0:
        raise InputError(f"--seed {seed}: must be 0 or more")
    settings = resolve(config, model, dataset, overrides)
    config.dataset(dataset)
    return Run(
        dataset=dataset,
        seed=seed,
        protocol=config.protocol,
        settings=settings,
        start=find_start(config, settings, dataset, seed, start),
        kernels=kernels or config.kernels,
        graphs=config.graphs,
        snapshot_epochs=config.figures.snapshot_epochs,
    )


def load_data(config: Config, dataset: str, device: torch.device) -> InteractionData:
    """Read a prepared data set onto the device.

    Raises:
        InputError: It has not been prepared; the message says how.
    """
    return InteractionData(read_sequences(config.prepared_file(dataset)), device)


def execute(
    run: Run,
    data: InteractionData,
    report: Report = lambda row: None,
    checkpoints: Path | None = None,
    test: bool = True,
    deadline: Deadline | None = None,
) -> dict[str, Any]:
    """Train and test; returns the record that `write` puts into the folder.

    Args:
        run: What to train.
        data: The histories, on the device.
        report: Called after each epoch with its history row.
        checkpoints: Folder to go on from and to write checkpoints to; `write` removes it.
        test: False leaves the test split alone; there is nothing to write then.
        deadline: When to stop with a checkpoint.
    """
    return take_all(execute_in_turns(run, data, report, checkpoints, test, deadline))


def execute_in_turns(
    run: Run,
    data: InteractionData,
    report: Report,
    checkpoints: Path | None,
    test: bool = True,
    deadline: Deadline | None = None,
    at_once: int = 1,
) -> Turns[dict[str, Any]]:
    """The same in turns; one of so many at once (`elcrec.side_by_side`), for the record."""
    device = data.device
    torch.manual_seed(run.seed)  # initial weights, the same on every device
    model = run.settings.build(data.n_users, data.item_size).to(device)
    if run.start:
        load_start(model, run.start)
    kernels = choose_kernels(model, run.kernels, device)
    reset_peak_memory(device)
    options = Options(
        report=report,
        test=test,
        graphs=run.graphs,
        precision=run.settings.precision,
        checkpoints=Checkpoints(checkpoints, identity(run, data, kernels)) if checkpoints else None,
        deadline=deadline,
        snapshot_epochs=run.snapshot_epochs,
    )
    protocol: Protocol = run.protocol  # type: ignore[assignment]
    settings = run.settings.training
    try:
        result = yield from training(model, data, settings, run.seed, protocol, options)
    except torch.OutOfMemoryError:
        raise InputError(
            f"out of GPU memory: make training.batch_size smaller (now {settings.batch_size}), "
            "or run fewer trainings side by side"
        ) from None
    record = describe(run, model, result, data)
    how = {"kernels": kernels, "graphs": run.graphs, "precision": run.settings.precision}
    record |= how | {"at_once": at_once}
    return {"metrics": record, "result": result}


def choose_kernels(model: SequenceModel, kernels: str, device: torch.device) -> str:
    """Switch a model to the kernels asked for; returns what it will train with, for the record.

    Raises:
        InputError: Native kernels without a C++ compiler.
    """
    if kernels == "native" and device.type == "cpu":
        from elcrec import native  # compiled on demand only

        if native.use_native(model):
            return f"native {native.source_hash()}"
    return "plain"


def identity(run: Run, data: InteractionData, kernels: str) -> str:
    """Hash of all that decides a run's numbers: a checkpoint with another one is not taken up."""
    decides = [
        run.settings.digest(),
        run.seed,
        run.protocol,
        run.start.sha256 if run.start else None,
        fingerprint(module_reference(run.settings)),
        data.digest(),
        data.device.type,
        kernels,
        run.graphs,
    ]
    return hashlib.sha256(repr(decides).encode()).hexdigest()[:16]


def describe(
    run: Run, model: SequenceModel, result: Result, data: InteractionData
) -> dict[str, Any]:
    """The content of metrics.json."""
    head, dirty = commit()
    device = data.device
    seconds = {"training": 0.0, "validation": 0.0, "kmeans": 0.0, "test": 0.0} | result.seconds
    return {
        "format": 1,
        "dataset": run.dataset,
        "model": run.settings.model,
        "seed": run.seed,
        "protocol": run.protocol,
        "ranked_by": model.protocol or run.protocol,
        "metrics": {split: summarise(ranks) for split, ranks in result.ranks.items()},
        "users": data.n_users,
        "best_epoch": result.best_epoch,
        "epochs": len(result.history),
        "resumed_after": result.resumed_after,
        "seconds": seconds,
        "peak_memory": peak_memory(device),
        "device": device_name(device),
        "parameters": sum(p.numel() for p in model.parameters()),
        "start": run.start.as_dict() if run.start else None,
        "fingerprint": fingerprint(module_reference(run.settings)),
        "settings": run.settings.digest(),
        "data": data.digest(),
        "commit": head,
        "dirty": dirty,
    }


def write(folder: Path, run: Run, record: dict[str, Any], device: torch.device) -> None:
    """Write the run folder; metrics.json last."""
    result: Result = record["result"]
    with replaced(folder / "ranks.npz") as path:
        np.savez_compressed(path, **result.ranks)  # type: ignore[arg-type]
    (folder / "intents.npz").unlink(missing_ok=True)  # another run's
    if result.intents:
        with replaced(folder / "intents.npz") as path:
            np.savez_compressed(path, **result.intents)  # type: ignore[arg-type]
    with replaced(folder / "history.csv") as path:
        pd.DataFrame(result.history).to_csv(path, index=False)
    resolved = {"dataset": run.dataset, "seed": run.seed, "protocol": run.protocol}
    resolved |= run.settings.as_dict()
    if run.start:
        resolved["start"] = run.start.as_dict()
    write_text(folder / "config.yaml", yaml.safe_dump(resolved, sort_keys=False))
    write_text(folder / "environment.json", json.dumps(environment(device), indent=2) + "\n")
    with replaced(folder / "weights.pt") as path:
        torch.save({k: v.cpu() for k, v in result.weights.items()}, path)
    write_text(folder / "metrics.json", json.dumps(record["metrics"], indent=2) + "\n")
    Checkpoints.remove(folder / CHECKPOINTS)
    (folder / FAILED).unlink(missing_ok=True)


def is_recorded(folder: Path, run: Run, data: InteractionData) -> bool:
    """Whether the folder holds this run: same settings, data, seed, protocol and code.

    Kernels and CUDA graphs may be others: they are the same mathematics.
    """
    try:
        record = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    wanted = {
        "seed": run.seed,
        "protocol": run.protocol,
        "settings": run.settings.digest(),
        "data": data.digest(),
        "fingerprint": fingerprint(module_reference(run.settings)),
    }
    start = record.get("start") or {}
    same_start = start.get("sha256") == (run.start.sha256 if run.start else None)
    return same_start and all(record.get(key) == value for key, value in wanted.items())


def write_failure(folder: Path, error: Exception) -> None:
    """Say in the run folder why the run is missing, in one line; tables and report show it."""
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    with suppress(OSError):  # perhaps the very reason is that nothing can be written
        write_text(folder / FAILED, reason + "\n")
