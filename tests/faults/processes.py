"""Trainings in processes of their own, to be killed; started by fork, without new imports."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from elcrec.cli.main import main
from elcrec.files.weights import read_weights
from elcrec.jobs import checkpoints
from elcrec.runs.record import load_run

_server = multiprocessing.get_context("forkserver")
# All that takes long to import, so that no process has to; torch._dynamo comes with an optimiser.
_SLOW = ["faiss", "torch._dynamo", "elcrec.cli.train", "elcrec.models.elcrec", "baselines.iclrec"]
_server.set_forkserver_preload([*_SLOW, __name__])

WHOLE = {
    "metrics.json",
    "ranks.npz",
    "top.npz",
    "history.csv",
    "config.yaml",
    "environment.json",
    "weights.safetensors",
}
WRITING = ("replace", "fsync", "unlink", "rmdir")
"""Functions of `os` that a run is written with; between any two of them a process may die."""


def command(config: Path, model: str, folder: Path, *extra: str) -> list[str]:
    """`elcrec train` of a model on the tiny data set."""
    train = ["train", "--dataset", "tiny", "--model", model, "--config", str(config), "--quiet"]
    return [*train, "--threads", "1", "--device", "cpu", "--output", str(folder), *extra]


def start(arguments: list[str], dies_at: int = 0) -> BaseProcess:
    """Start `elcrec` in a new process that writes a checkpoint after every epoch.

    Args:
        arguments: Of `elcrec`.
        dies_at: It kills itself right before this call of `WRITING`, from 1; 0: it does not.
    """
    process = _server.Process(target=_child, args=(arguments, dies_at))
    process.start()
    return process


def finish(process: BaseProcess, seconds: float = 120) -> int:
    """Wait for the end; returns the exit status, negative for a signal."""
    process.join(seconds)
    if process.is_alive():
        process.kill()
        raise TimeoutError(f"the process did not end within {seconds} s")
    assert process.exitcode is not None
    return process.exitcode


def contents(folder: Path) -> dict[str, Any]:
    """All that a run says about its model and data; nothing about time or machine."""
    load_run(folder)
    metrics = json.loads((folder / "metrics.json").read_text())
    kept = ("metrics", "best_epoch", "epochs", "settings", "data", "fingerprint")
    history = pd.read_csv(folder / "history.csv")
    found: dict[str, Any] = {key: metrics[key] for key in kept}
    found["history"] = history[[c for c in history if not c.startswith("seconds_")]].to_csv()
    for name in ("ranks.npz", "intents.npz"):
        if (folder / name).exists():
            with np.load(folder / name) as arrays:
                found[name] = {key: arrays[key].tobytes() for key in arrays}
    weights = read_weights(folder / "weights.safetensors")
    found["weights"] = {key: value.numpy().tobytes() for key, value in weights.items()}
    return found


def assert_nothing_half_written(folder: Path) -> None:
    """What is there under its own name is whole, whenever the process died."""
    if (folder / "metrics.json").exists():
        load_run(folder)


def assert_clean(folder: Path) -> None:
    """A finished run leaves the files of a run and nothing else."""
    assert {p.name for p in folder.iterdir()} - {"intents.npz"} == WHOLE


def _child(arguments: list[str], dies_at: int) -> None:
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - until the process ends
    torch.set_num_threads(1)
    checkpoints.SECONDS_BETWEEN = 0.0
    if dies_at:
        _die_at(dies_at)
    sys.exit(main(arguments))


def _die_at(number: int) -> None:
    calls = itertools.count(1)

    def dying(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            if next(calls) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return wrapped

    for name in WRITING:
        setattr(os, name, dying(getattr(os, name)))
