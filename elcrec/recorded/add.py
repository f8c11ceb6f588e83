"""From finished run folders to the record of a machine: only whole runs of the full protocol."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from elcrec.atomic import replaced, write_text
from elcrec.command_line import portable
from elcrec.config import Config, load_config
from elcrec.engine import Result, finished
from elcrec.errors import InputError
from elcrec.figures.plan import overrides, sensitivity_points, single_seed
from elcrec.recorded.about import about
from elcrec.recorded.machine import Machine, write_ranks
from elcrec.recorded.row import OF_THE_MACHINE, RecordedRun, from_folder
from elcrec.registry import resolve
from elcrec.tables.efficiency_runs import load_efficiency_run
from elcrec.tables.history import read_history
from elcrec.tables.jsonfile import JsonObject
from elcrec.tables.markdown import csv_text
from elcrec.tables.present import other_than, present_hashes
from elcrec.tables.runs import RunRecord, clean_commit, load_run

DIGITS = 7
"""Significant digits of a recorded history: those of single precision."""


@dataclass(frozen=True)
class Asked:
    """A run that may be recorded."""

    folder: Path
    dataset: str
    model: str
    seed: int
    variant: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """What a run of the sensitivity changes."""


def add(output: Path, machine: Machine) -> list[RecordedRun]:
    """Record every finished run of the whole replication below `output`.

    Everything is checked before anything is written; what is recorded already and is not there
    stays as it is. Returns the runs that were found, in the order of the tables.

    Raises:
        InputError: There is none, or one is not whole, stopped before the protocol ends, of a
            working tree with changes, or of other code or settings than the present ones.
    """
    config = replace(load_config(), output=output)
    found: dict[tuple[str, str, str, int], tuple[Path, RunRecord, RecordedRun]] = {}
    for asked in wanted(config):
        if (asked.folder / "metrics.json").exists():
            record = load_run(asked.folder)
            check(config, asked, record)
            run = from_folder(asked.folder, asked.variant)
            found[run.key] = asked.folder, record, run
    measured = [_measurement(config, path) for path in sorted(output.glob("efficiency/*/*.json"))]
    released = [_released(path) for path in sorted(output.glob("released/*/*.json"))]
    if not (found or measured or released):
        raise InputError(f"{output}: has no run, measurement or check of weights to record")
    for folder, record, run in found.values():
        _write_parts(config, machine, folder, record, run)
    for path in measured:
        _copy(path, machine.folder / "efficiency")
    for path in released:
        _copy(path, machine.folder / "released")
    kept = machine.runs() | {key: run for key, (_, _, run) in found.items()}
    runs = sorted(kept.values(), key=_order(config))
    machine.write_runs(runs)
    write_text(machine.folder / "README.md", about(config, runs))
    return [run for run in runs if run.key in found]


def wanted(config: Config) -> Iterator[Asked]:
    """All runs of a configuration: of tables, of figures, and what they start from."""
    models = dict.fromkeys([*config.models, *config.figures.models()])
    for dataset, model, seed in product(config.use, models, config.seeds):
        start = resolve(config, model, dataset).starts_from
        for name in filter(None, (start, model)):
            yield Asked(config.run_folder(dataset, name, seed), dataset, name, seed)
    for point in sensitivity_points(config):
        if point.extra:
            model = config.figures.sensitivity.model
            variant = f"{point.parameter}-{point.value:g}"
            changes = overrides(config, point.parameter, point.value)
            yield Asked(point.folder, point.dataset, model, point.seed, variant, changes)


def check(config: Config, asked: Asked, record: RunRecord) -> None:
    """Refuse what is no whole run of the full protocol of the present code; `add` says which."""
    where = asked.folder / "metrics.json"
    for key in ("dataset", "model", "seed"):
        if getattr(record, key) != getattr(asked, key):
            raise InputError(f"{where}: {key} must be {getattr(asked, key)!r} in this folder")
    clean_commit(record, "a recorded run")
    if record.protocol != config.protocol:
        raise InputError(f"{where}: protocol is {record.protocol!r}; allowed: {config.protocol}")
    present = present_hashes(config, asked.model, asked.dataset, asked.changes)
    other = other_than((record.fingerprint, record.settings), present)
    if other == "settings":
        raise InputError(f"{where}: was not made with the settings of workflow/config/config.yaml")
    if other:
        raise InputError(f"{where}: was made by other code than the present; run it again")
    training = resolve(config, asked.model, asked.dataset, asked.changes).training
    come_so_far = Result(record.best_epoch, [{}] * record.epochs)
    if not finished(come_so_far, training):
        raise InputError(
            f"{where}: stopped after epoch {record.epochs}, with the best at {record.best_epoch}; "
            f"the protocol ends after {training.max_epochs} epochs, or {training.patience} without "
            "a better one"
        )
    counts = config.dataset(asked.dataset).get("counts", {})
    if record.users != counts.get("users", record.users):
        raise InputError(f"{where}: has {record.users} users; allowed: {counts['users']}")


def _write_parts(
    config: Config, machine: Machine, folder: Path, record: RunRecord, run: RecordedRun
) -> None:
    write_ranks(machine.part("ranks", run), record.ranks)
    history = read_history(folder / "history.csv", record.epochs)
    rows = [
        {name: f"{column[i]:.{DIGITS}g}" for name, column in history.items()}
        for i in range(record.epochs)
    ]
    write_text(machine.part("history", run), csv_text(_without_nan(rows), list(history)))
    of_one = run.key[1:] == (config.figures.intents_of, "", single_seed(config))
    if of_one and (folder / "intents.npz").exists():
        _copy_bytes(folder / "intents.npz", machine.part("intents", run))


def _without_nan(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{name: "" if text == "nan" else text for name, text in row.items()} for row in rows]


def _measurement(config: Config, path: Path) -> Path:
    record = load_efficiency_run(path)
    if record.commit is None or record.dirty:
        raise InputError(f"{path}: was measured with uncommitted changes")
    present = present_hashes(config, record.model, record.dataset)
    if other_than((record.fingerprint, record.settings), present):
        raise InputError(f"{path}: was measured with other code or settings than the present")
    return path


def _released(path: Path) -> Path:
    values = JsonObject.read(path)
    if values.values.get("commit") is None or values.values.get("dirty"):
        raise InputError(f"{path}: was made with uncommitted changes")
    return path


def _copy(path: Path, folder: Path) -> None:
    """Copy `…/<dataset>/<model>.json` to `<dataset>-<model>.json`, without paths of the machine."""
    content = JsonObject.read(path).values
    words = shlex.split(portable(content["command"], OF_THE_MACHINE))
    content["command"] = [Path(word).name if "/" in word else word for word in words]
    target = folder / f"{path.parent.name}-{path.name}"
    write_text(target, json.dumps(content, indent=2) + "\n")


def _copy_bytes(path: Path, target: Path) -> None:
    content = path.read_bytes()
    if not target.exists() or target.read_bytes() != content:
        with replaced(target) as temporary:
            temporary.write_bytes(content)


def _order(config: Config) -> Any:
    names = [*config.use, *config.models, *config.figures.models()]
    place = {name: number for number, name in reversed(list(enumerate(names)))}

    def key(run: RecordedRun) -> tuple[object, ...]:
        dataset, model, variant, seed = run.key
        last = len(names)
        return place.get(dataset, last), bool(variant), place.get(model, last), *run.key[1:3], seed

    return key
