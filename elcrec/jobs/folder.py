"""The folder that records a training run.

`<output>/runs/<dataset>/<model>/<seed>/` holds

- metrics.json      valid and test metrics, epochs, seconds, peak memory, commit, fingerprint
- ranks.npz         0-based rank of the target of every user, `valid` and `test`
- top.npz           the best items of every user on the test split: see elcrec/evaluation/lists.py
- history.csv       one row per epoch
- intents.npz       users and intents at some epochs (models with intents): see
elcrec/training/intents.py
- config.yaml       every setting, resolved
- environment.json  machine, versions, command
- weights.safetensors  the weights that were tested

Each file is written under a temporary name and moved; metrics.json comes last, so a folder that has
it is complete. Until then, checkpoints/ holds the state of the training.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from elcrec.data.histories import InteractionData
from elcrec.errors import InputError, WriteError
from elcrec.files.atomic import remove_partial, replaced, write_json, write_text
from elcrec.files.jsonfile import read_object
from elcrec.files.lock import held
from elcrec.files.npzfile import read_arrays, write_arrays
from elcrec.files.paths import without_folders
from elcrec.files.weights import WEIGHTS, weights_file, write_weights
from elcrec.files.yamlfile import dump
from elcrec.jobs.checkpoints import Checkpoints
from elcrec.jobs.environment import environment
from elcrec.jobs.run import Run, execute, identities
from elcrec.runs.lists import TOP
from elcrec.runs.record import CHECKPOINTS, FAILED, FAILED_BY, FILES, INTENTS
from elcrec.training.deadline import Deadline, OutOfTimeError
from elcrec.training.result import Report, Result
from elcrec.training.turns import Stepwise, Turns


@Stepwise
def fill(
    folder: Path,
    run: Run,
    data: InteractionData,
    report: Report,
    deadline: Deadline | None = None,
    at_once: int = 1,
) -> Turns[dict[str, Any]]:
    """Carry out a run and write its folder; if it fails, the reason is left there.

    Arguments and errors as for `elcrec.jobs.run.execute`; returns the content of metrics.json.
    """
    (folder / FAILED).unlink(missing_ok=True)  # it is tried again
    try:
        record = yield from execute.in_turns(
            run, data, report, folder / CHECKPOINTS, deadline=deadline, at_once=at_once
        )
        write(folder, run, record, data.device)
    except OutOfTimeError:
        raise
    except Exception as error:
        write_failure(folder, error)
        raise
    metrics: dict[str, Any] = record["metrics"]
    return metrics


def write(folder: Path, run: Run, record: dict[str, Any], device: torch.device) -> None:
    """Write the run folder; metrics.json last.

    Raises:
        WriteError: A full disk, for example; the checkpoints stay, so nothing is lost.
    """
    result: Result = record["result"]
    (folder / "metrics.json").unlink(missing_ok=True)  # of another run, which is being replaced
    remove_partial(folder)
    write_arrays(folder / "ranks.npz", result.ranks, np.int32)
    write_arrays(folder / TOP, record["top"], np.uint16, np.uint32)
    (folder / INTENTS).unlink(missing_ok=True)  # of another run
    if result.intents:
        write_arrays(folder / INTENTS, result.intents, np.int16, np.int32, np.float16)
    with replaced(folder / "history.csv") as path:
        pd.DataFrame(result.history).to_csv(path, index=False)
    resolved = {"dataset": run.dataset, "seed": run.seed, "protocol": run.protocol}
    resolved |= run.settings.as_dict()
    if run.start:
        resolved["start"] = run.start.shared()
    write_text(folder / "config.yaml", dump(resolved))
    write_json(folder / "environment.json", environment(device))
    write_weights(folder / WEIGHTS, result.weights)
    write_json(folder / "metrics.json", record["metrics"])
    if not run.keep_checkpoints:
        Checkpoints.remove(folder / CHECKPOINTS)


class TakenError(InputError):
    """A folder holds something other than the run that is to be written there."""


def is_recorded(folder: Path, run: Run, data: InteractionData) -> bool:
    """Whether the folder holds this run, complete."""
    complete = all(map(os.path.isfile, [*(folder / name for name in FILES), weights_file(folder)]))
    return complete and _is_of(_metrics(folder), run, data)


def refuse_others(folder: Path, run: Run, data: InteractionData) -> None:
    """Check that a run may be written to a folder, which may hold an incomplete earlier attempt.

    Raises:
        TakenError: The folder holds another run or the user's own files.
    """
    metrics = _metrics(folder)
    if _is_of(metrics, run, data):
        return  # the same run, with other files missing
    if {"dataset", "model", "seed", "fingerprint"} <= metrics.keys():
        run_id = f"{metrics['model']} on {metrics['dataset']}, seed {metrics['seed']}"
        raise _refusal(folder, f"holds a finished run with other settings, data or code: {run_id}")
    run_files = (*FILES, WEIGHTS, TOP, INTENTS, FAILED)
    existing = [name for name in run_files if os.path.lexists(folder / name)]
    if FAILED in existing and _is_ours(folder / FAILED):
        existing.remove(FAILED)
    if (existing and not _has_ranks(folder)) or "metrics.json" in existing:  # ranks come first
        raise _refusal(folder, f"holds {', '.join(existing)}, but no complete run")
    if Checkpoints.identities(folder / CHECKPOINTS) - identities(run, data):
        raise _refusal(folder, "holds an unfinished run with other settings, data or code")


def _refusal(folder: Path, problem: str) -> TakenError:
    return TakenError(f"{folder}: {problem}; name another folder, or replace it with --force")


def tidy(folder: Path, run: Run) -> None:
    """Remove what a process left behind if it was killed after writing everything."""
    with suppress(InputError), held(folder, wait=False):
        remove_partial(folder)
        if not run.keep_checkpoints:
            Checkpoints.remove(folder / CHECKPOINTS)


def _is_ours(failed: Path) -> bool:
    return failed.is_file() and failed.read_bytes().startswith(FAILED_BY.encode())


def _has_ranks(folder: Path) -> bool:
    try:
        return {"valid", "test"} <= read_arrays(folder / "ranks.npz").keys()
    except InputError:
        return False


def _metrics(folder: Path) -> dict[str, Any]:
    """metrics.json; empty if there is none, or none that can be read."""
    try:
        return read_object(folder / "metrics.json")
    except InputError:
        return {}


def _is_of(metrics: Mapping[str, Any], run: Run, data: InteractionData) -> bool:
    """Whether a record is of this run: see `Run.decides`."""
    start = metrics.get("start")
    values = {**metrics, "start": start.get("sha256") if isinstance(start, dict) else start}
    return all(values.get(key) == value for key, value in run.decides(data).items())


def write_failure(folder: Path, error: Exception) -> None:
    """Write into the run folder why the run is missing, in one line; tables and report show it."""
    reason = without_folders((str(error).splitlines() or [type(error).__name__])[0])
    with suppress(WriteError):  # the reason may be that nothing can be written
        write_text(folder / FAILED, f"{FAILED_BY}{reason}\n")
