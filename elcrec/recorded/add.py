"""From finished run folders to the record of a machine. What may be recorded: see check.py."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elcrec.config.config import Config, load_config
from elcrec.errors import InputError
from elcrec.files.atomic import replaced, write_text
from elcrec.files.csvfile import csv_text
from elcrec.recorded import check
from elcrec.recorded.about import about
from elcrec.recorded.machine import Machine, write_ranks
from elcrec.recorded.row import RecordedRun, from_folder
from elcrec.runs.history import read_history
from elcrec.runs.plan import single_seed
from elcrec.runs.record import RunRecord, load_run

DIGITS = 7
"""Significant digits of a recorded history: those of single precision."""
MOST_BYTES = 40_000_000
"""Of a machine's folder, because it is kept in git."""


@dataclass(frozen=True)
class Found:
    """A finished run that is to be recorded."""

    folder: Path
    record: RunRecord
    run: RecordedRun


def add(output: Path, machine: Machine) -> list[RecordedRun]:
    """Record every finished run of the whole replication below `output`.

    Everything is read and checked before anything is written. What is recorded already stays as it
    is, whatever the present code, unless another run of the same kind takes its place.

    Returns:
        The runs that were not recorded before, in the order of the tables.

    Raises:
        InputError: There is nothing to record, a run is not whole or may not be recorded, or the
            folder would be too large.
    """
    config = load_config().replaced(output=output)
    kept = machine.runs()
    found = list(_new_runs(config, kept))
    extras = {
        kind: {path: read(config, path) for path in sorted(output.glob(f"{kind}/*/[!.]*.json"))}
        for kind, read in EXTRAS.items()
    }
    if not (found or kept or any(extras.values())):
        raise InputError(f"{output}: has no run, measurement or check of weights to record")
    runs = sorted((kept | {new.run.key: new.run for new in found}).values(), key=order(config))
    check_data(machine, runs)
    text = about(config, runs)
    for new in found:
        _write_parts(config, machine, new)
    for kind, files in extras.items():
        for path, content in files.items():
            target = machine.folder / kind / f"{path.parent.name}-{path.name}"
            write_text(target, json.dumps(content, indent=2) + "\n")
    machine.write_runs(runs)
    write_text(machine.folder / "README.md", text)
    if machine.bytes() > MOST_BYTES:
        raise InputError(
            f"{machine.folder}: written, but has {machine.bytes():,} bytes; allowed in git: "
            f"{MOST_BYTES:,}"
        )
    return [new.run for new in found]


EXTRAS: dict[str, Callable[[Config, Path], dict[str, Any]]] = {
    "efficiency": check.measurement,
    "released": check.released,
}
"""Folder of the output and of the record, and what reads and checks its files."""


def _new_runs(config: Config, kept: dict[Any, RecordedRun]) -> Iterable[Found]:
    """The finished runs that are not recorded yet, checked."""
    seen = set()
    for asked in check.wanted(config):
        if asked.folder in seen or not (asked.folder / "metrics.json").exists():
            continue
        seen.add(asked.folder)
        record = load_run(asked.folder)
        run = from_folder(asked.folder, asked.variant).completed(record.ranks)
        known = kept.get(run.key)
        if known is None or known.metrics != run.metrics:
            check.check_run(config, asked, record)
            yield Found(asked.folder, record, run)


def check_data(machine: Machine, runs: Iterable[RecordedRun]) -> None:
    """Refuse runs of one data set that saw different histories."""
    first: dict[str, RecordedRun] = {}
    for run in runs:
        other = first.setdefault(run.key[0], run)
        if other.metrics["data"] != run.metrics["data"]:
            raise InputError(
                f"{machine.folder}: {run.id} was trained on other histories than {other.id} "
                f"({run.metrics['data']}, {other.metrics['data']}); allowed: the same"
            )


def _write_parts(config: Config, machine: Machine, new: Found) -> None:
    folder, run, epochs = new.folder, new.run, new.record.epochs
    write_ranks(machine.part("ranks", run), new.record.ranks)
    history = read_history(folder / "history.csv", epochs)
    rows = [{name: _short(column[i]) for name, column in history.items()} for i in range(epochs)]
    write_text(machine.part("history", run), csv_text(rows, list(history)))
    of_one = run.key[1:] == (config.figures.intents_of, "", single_seed(config))
    if of_one and (folder / "intents.npz").exists():
        with replaced(machine.part("intents", run)) as temporary:
            temporary.write_bytes((folder / "intents.npz").read_bytes())


def _short(value: float) -> str:
    return "" if value != value else f"{value:.{DIGITS}g}"  # nan is an empty field


def order(config: Config) -> Callable[[RecordedRun], tuple[object, ...]]:
    """Order of the tables: data sets, models, then runs of the sensitivity."""
    names = [*config.use, *config.models, *config.figures.models()]
    place = {name: number for number, name in reversed(list(enumerate(names)))}

    def key(run: RecordedRun) -> tuple[object, ...]:
        dataset, model, variant, seed = run.key
        last = len(names)
        return place.get(dataset, last), bool(variant), place.get(model, last), model, variant, seed

    return key
