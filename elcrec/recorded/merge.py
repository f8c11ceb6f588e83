"""From the record of another checkout to this one's: what `elcrec recorded import` does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from elcrec.config.config import Config, load_config
from elcrec.errors import InputError
from elcrec.files.atomic import replaced, write_text
from elcrec.files.jsonfile import JsonObject, as_record
from elcrec.files.npzfile import read_arrays
from elcrec.recorded.about import about
from elcrec.recorded.add import EXTRAS, MOST_BYTES, check_data, order
from elcrec.recorded.check import check_protocol, wanted
from elcrec.recorded.columns import COMPUTED
from elcrec.recorded.machine import PARTS, RUNS, Machine
from elcrec.recorded.row import RecordedRun
from elcrec.runs.efficiency import load_efficiency_run
from elcrec.runs.history import read_history
from elcrec.runs.record import MetricsFile, read_ranks, with_ranks
from elcrec.runs.settings import resolve, settings_digest
from elcrec.runs.snapshots import DIMENSIONS


@dataclass(frozen=True)
class Merged:
    """What became of the runs of the other record."""

    new: list[RecordedRun]
    """In the order of the other record."""
    same: int
    """Number of those that were recorded already."""


def merge(record: Path, machine: Machine) -> Merged:
    """Put the runs of another record into that of `machine`, with their files.

    The hash of each run's settings is computed anew, so a record from before a change of that hash
    is read too. Everything is read and checked before anything is written.

    Args:
        record: Folder of a machine, like results/recorded/cpu-2-cores, of another checkout.
        machine: The one to put them into.

    Raises:
        InputError: The record is not whole, a run is not one of the present settings, or a run or
            measurement is recorded already with other content.
    """
    config = load_config()
    record = record.resolve()
    if not (record / RUNS).is_file():
        raise InputError(
            f"{record}: has no {RUNS}; allowed: the folder of a machine's record, such as "
            "results/recorded/cpu-2-cores"
        )
    other, kept = Machine(record.parent, record.name), machine.runs()
    new: list[RecordedRun] = []
    files: dict[Path, Path] = {}  # where each goes, and where it is
    runs = list(_checked(config, other))
    for run in runs:
        parts = {machine.part(name, run): other.part(name, run) for name in PARTS}
        if run.key not in kept:
            new.append(run)
            files |= {target: source for target, source in parts.items() if source.exists()}
        elif what := _difference(kept[run.key], run, parts):
            raise InputError(
                f"{_where(other, run)}: is recorded in {machine.folder} with another {what}; take "
                "one of the two out first"
            )
    files |= _extras(config, other, machine)
    merged = sorted([*kept.values(), *new], key=order(config))
    check_data(machine, merged)
    text = about(config, merged)
    size = machine.bytes() + sum(source.stat().st_size for source in files.values())
    if size > MOST_BYTES:
        raise InputError(
            f"{record}: with it {machine.folder} would have {size:,} bytes; allowed in git: "
            f"{MOST_BYTES:,}"
        )
    for target, source in files.items():
        with replaced(target) as temporary:
            temporary.write_bytes(source.read_bytes())
    machine.write_runs(merged)
    write_text(machine.folder / "README.md", text)
    return Merged(new, len(runs) - len(new))


def _where(machine: Machine, run: RecordedRun) -> str:
    row = "/".join(str(part) for part in run.key if part != "")
    return f"{machine.folder / RUNS}: row {row}"


def _checked(config: Config, other: Machine) -> Iterator[RecordedRun]:
    """The runs of a record with the present hash of their settings, each checked with its files."""
    asked = {(a.dataset, a.model, a.variant, a.seed): a for a in wanted(config)}
    for old in other.runs().values():
        where = _where(other, old)
        settings = settings_digest(old.config)
        run = replace(old, metrics=old.metrics | {"settings": settings})
        for key in ("dataset", "model", "seed", "protocol"):
            if run.config.get(key) != run.metrics[key]:
                raise InputError(f"{where}: {key} is not that of its config")
        if not re.fullmatch("[0-9a-f]{40}", run.metrics["commit"]):
            raise InputError(f"{where}: commit is no hash of a commit")
        if run.key not in asked:
            raise InputError(f"{where}: is no run of workflow/config/config.yaml")
        ranks = read_ranks(other.part("ranks", run), run.metrics["users"])
        values = as_record(run.metrics, MetricsFile, Path(where))
        check_protocol(config, asked[run.key], with_ranks(values, other.folder, ranks), where)
        read_history(other.part("history", run), run.metrics["epochs"])
        if (intents := other.part("intents", run)).exists():
            read_arrays(intents, DIMENSIONS)
        yield run


def _difference(kept: RecordedRun, run: RecordedRun, parts: Mapping[Path, Path]) -> str | None:
    """What is not the same in two records of a run: a column or the kind of a file."""
    lines = [one.as_csv() for one in (kept, run)]
    for line, one in zip(lines, (kept, run), strict=True):
        line["config"] = {k: v for k, v in one.config.items() if k != "module"}  # it may have moved
    for name in lines[0].keys() - COMPUTED:  # metrics follow from the ranks
        if lines[0][name] != lines[1][name]:
            return name
    for target, source in parts.items():
        if not _same(target, source):
            return target.parent.name
    return None


def _same(target: Path, source: Path) -> bool:
    """Whether both are there with the same content, or neither is."""
    if not (target.exists() and source.exists()):
        return target.exists() == source.exists()
    if target.suffix != ".npz":
        return target.read_bytes() == source.read_bytes()
    ours, theirs = read_arrays(target), read_arrays(source)  # compressed by another library, maybe
    return ours.keys() == theirs.keys() and all(np.array_equal(ours[k], theirs[k]) for k in ours)


def _extras(config: Config, other: Machine, machine: Machine) -> dict[Path, Path]:
    """Measurements and checks of weights that are not recorded yet: where each goes, and is."""
    found = {}
    for source in (
        path for kind in EXTRAS for path in sorted(other.folder.glob(f"{kind}/[!.]*.json"))
    ):
        values = JsonObject.read(source)
        dataset, model = values.text("dataset"), values.text("model")
        if source.name != f"{dataset}-{model}.json":
            raise InputError(f"{source}: is of {model} on {dataset}")
        if values.optional_text("commit") is None or values.flag("dirty"):
            raise InputError(f"{source}: was made with uncommitted changes")
        if source.parent.name == "released":
            values.expect("protocol", config.protocol)
        elif load_efficiency_run(source).settings != resolve(config, model, dataset).digest():
            raise InputError(f"{source}: was measured with other settings than the present")
        target = machine.folder / source.parent.name / source.name
        if not target.exists():
            found[target] = source
        elif JsonObject.read(target).values != values.values:
            raise InputError(f"{source}: is recorded in {machine.folder} with other content")
    return found
