"""From the record to run folders, so that tables, figures and report need not know of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from elcrec.config.config import Config
from elcrec.data.sequences import SPLITS
from elcrec.errors import InputError
from elcrec.files.atomic import replaced, write_text
from elcrec.files.jsonfile import JsonObject
from elcrec.recorded.machine import Machine, machines
from elcrec.recorded.row import RecordedRun
from elcrec.runs.history import read_history
from elcrec.runs.record import read_ranks

RUN_FILES = ("metrics.json", "ranks.npz", "history.csv", "config.yaml", "environment.json")
LIST = "unpacked.txt"
"""File in the output that lists the folders of runs which were unpacked into it."""


@dataclass(frozen=True)
class Chosen:
    """A recorded run, and the machine that it is taken from."""

    run: RecordedRun
    machine: Machine


def choose(config: Config) -> list[Chosen]:
    """The recorded runs that a configuration spans, and what they start from.

    All seeds of a model on a data set come from one machine, so that a mean is over runs of one
    kind: the one with most of them, of equal ones one with a GPU, or else the first by name.

    Raises:
        InputError: A record that is not whole, or there is none.
    """
    found = machines(config.recorded)
    if not found:
        raise InputError(
            f"{config.recorded}: has no recorded runs; `elcrec recorded add` records finished ones"
        )
    groups: dict[tuple[str, str, str], dict[Machine, list[RecordedRun]]] = {}
    for machine in found:
        for run in _spanned(config, list(machine.runs().values())):
            dataset, model, variant, _ = run.key
            groups.setdefault((dataset, model, variant), {}).setdefault(machine, []).append(run)
    return [
        Chosen(run, machine)
        for of_machines in groups.values()
        for machine, runs in [max(of_machines.items(), key=lambda item: _worth(item[1]))]
        for run in runs
    ]


def _spanned(config: Config, runs: Sequence[RecordedRun]) -> list[RecordedRun]:
    """Of the runs of a machine those that a configuration asks for, or starts from."""
    models = {*config.models, *config.figures.models()}
    models |= {run.config["starts_from"] for run in runs if run.config.get("starts_from")}
    return [
        run
        for run in runs
        if run.key[0] in config.use and run.key[1] in models and run.key[3] in config.seeds
    ]


def _worth(runs: Sequence[RecordedRun]) -> tuple[int, bool]:
    return len(runs), any(run.environment["cuda"] for run in runs)


def extras(config: Config, kind: str) -> dict[Path, Path]:
    """JSON files of `efficiency` or `released`: where each goes, and where it is recorded.

    All of a data set come from one machine, because they are compared with each other: the one with
    most of them, or else the first by name.
    """
    found: dict[str, dict[Path, Path]] = {}
    for machine in machines(config.recorded):
        of_machine: dict[str, dict[Path, Path]] = {}
        for path in sorted((machine.folder / kind).glob("[!.]*.json")):
            dataset = next((d for d in config.datasets if path.name.startswith(f"{d}-")), None)
            if dataset is not None:
                target = config.output / kind / dataset / path.name.removeprefix(f"{dataset}-")
                of_machine.setdefault(dataset, {})[target] = path
        for dataset, files in of_machine.items():
            found[dataset] = max(found.get(dataset, {}), files, key=len)
    return {target: path for files in found.values() for target, path in files.items()}


def record_files(config: Config) -> list[Path]:
    """All files of the record, on which what is made of it depends."""
    return [path for machine in machines(config.recorded) for path in machine.files()]


def made_files(config: Config) -> list[Path]:
    """All files that `unpack` writes, but for intents."""
    runs = [c.run.folder(config) / name for c in choose(config) for name in RUN_FILES]
    return [*runs, *extras(config, "efficiency"), *extras(config, "released")]


def unpack(config: Config) -> list[Chosen]:
    """Write the run folders of the recorded runs below the output; returns the runs.

    Folders of runs that were unpacked before and are no longer recorded are removed.

    Raises:
        InputError: A file of the record is missing or damaged.
    """
    chosen = choose(config)
    folders = [c.run.folder(config).relative_to(config.output) for c in chosen]
    for line in _listed(config.output / LIST):
        if Path(line) not in folders:
            shutil.rmtree(config.output / line, ignore_errors=True)
    write_text(config.output / LIST, "".join(f"{folder.as_posix()}\n" for folder in folders))
    for one in chosen:
        _unpack(one, one.run.folder(config))
    for target, source in (extras(config, "efficiency") | extras(config, "released")).items():
        write_text(target, json.dumps(JsonObject.read(source).values, indent=2) + "\n")
    return chosen


def _unpack(one: Chosen, folder: Path) -> None:
    run, machine = one.run, one.machine
    ranks = read_ranks(machine.part("ranks", run), run.metrics["users"])
    history = machine.part("history", run)
    read_history(history, run.metrics["epochs"])  # refuses what is damaged
    with replaced(folder / "ranks.npz") as path:
        wide = {split: ranks[split].astype(np.int32) for split in SPLITS}
        np.savez_compressed(path, **wide)  # type: ignore[arg-type]
    write_text(folder / "history.csv", history.read_text(encoding="utf-8"))
    intents = machine.part("intents", run)
    if intents.exists():
        with replaced(folder / "intents.npz") as path:
            path.write_bytes(intents.read_bytes())
    write_text(folder / "config.yaml", yaml.safe_dump(run.config, sort_keys=False))
    write_text(folder / "environment.json", json.dumps(run.environment, indent=2) + "\n")
    write_text(folder / "metrics.json", json.dumps(run.metrics, indent=2) + "\n")


def _listed(path: Path) -> list[str]:
    """Folders that an earlier call unpacked; never one outside the output."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [x for x in lines if x.startswith(("runs/", "sensitivity/")) and ".." not in x]
