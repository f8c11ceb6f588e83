"""The folder that records a training run.

`<output>/runs/<dataset>/<model>/<seed>/` holds

- metrics.json      valid and test metrics, epochs, seconds, peak memory, commit, fingerprint
- ranks.npz         0-based rank of the target of every user, `valid` and `test`
- history.csv       one row per epoch
- intents.npz       users and intents at some epochs (models with intents): see
elcrec/training/intents.py
- config.yaml       every setting, resolved
- environment.json  machine, versions, command
- weights.pt        the weights that were tested

Each file is written under a temporary name and moved; metrics.json comes last, so a folder that has
it is whole. Until then, checkpoints/ holds how far the training has come.
"""

from __future__ import annotations

import io
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml

from elcrec.data.histories import InteractionData
from elcrec.files.atomic import WriteError, remove_partial, replaced, write_text
from elcrec.jobs.checkpoints import Checkpoints
from elcrec.jobs.environment import environment
from elcrec.jobs.run import Run
from elcrec.runs.fingerprint import fingerprint
from elcrec.runs.record import CHECKPOINTS, FAILED
from elcrec.runs.settings import module_reference
from elcrec.training.result import Result


def write(folder: Path, run: Run, record: dict[str, Any], device: torch.device) -> None:
    """Write the run folder; metrics.json last.

    Raises:
        WriteError: A full disk, for example; the checkpoints are left, so nothing is lost.
    """
    result: Result = record["result"]
    (folder / "metrics.json").unlink(missing_ok=True)  # another run's, of which nothing is left now
    remove_partial(folder)
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
    weights = io.BytesIO()  # a full disk is an OSError for a file, but not for torch.save
    torch.save({k: v.cpu() for k, v in result.weights.items()}, weights)
    with replaced(folder / "weights.pt") as path:
        path.write_bytes(weights.getbuffer())
    write_text(folder / "metrics.json", json.dumps(record["metrics"], indent=2) + "\n")
    if not run.keep_checkpoints:
        Checkpoints.remove(folder / CHECKPOINTS)


def is_recorded(folder: Path, run: Run, data: InteractionData) -> bool:
    """Whether the folder holds this run: same settings, data, seed, protocol and code.

    Kernels and CUDA graphs may be others: they are the same mathematics.
    """
    try:
        record = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if not isinstance(record, dict):
        return False
    wanted = {
        "seed": run.seed,
        "protocol": run.protocol,
        "settings": run.settings.digest(),
        "data": data.digest(),
        "fingerprint": fingerprint(module_reference(run.settings)),
    }
    start = record.get("start")
    started_from = start.get("sha256") if isinstance(start, dict) else None
    same_start = started_from == (run.start.sha256 if run.start else None)
    return same_start and all(record.get(key) == value for key, value in wanted.items())


def forget_failure(folder: Path) -> None:
    """Remove the reason of an earlier failure: the run is tried again."""
    (folder / FAILED).unlink(missing_ok=True)


def write_failure(folder: Path, error: Exception) -> None:
    """Say in the run folder why the run is missing, in one line; tables and report show it."""
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    with suppress(WriteError):  # perhaps the very reason is that nothing can be written
        write_text(folder / FAILED, reason + "\n")
