"""What may be recorded: whole runs of the full protocol, measurements and checks of weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from elcrec.config.config import Config
from elcrec.errors import InputError
from elcrec.files.jsonfile import JsonObject
from elcrec.runs.efficiency import load_efficiency_run
from elcrec.runs.plan import AskedRun, runs_of_models, runs_of_sensitivity
from elcrec.runs.reading import other_than, present_hashes
from elcrec.runs.record import RunRecord, clean_commit
from elcrec.runs.settings import resolve
from elcrec.training.loop import finished
from elcrec.training.result import Result


def wanted(config: Config) -> Iterator[AskedRun]:
    """All runs of a configuration: of tables, of figures, and what they start from."""
    for run in runs_of_models(config):
        start = resolve(config, run.model, run.dataset).starts_from
        if start:
            folder = config.run_folder(run.dataset, start, run.seed)
            yield replace(run, folder=folder, model=start)
        yield run
    yield from runs_of_sensitivity(config)


def check_run(config: Config, asked: AskedRun, record: RunRecord) -> None:
    """Refuse what is no whole run of the full protocol.

    Raises:
        InputError: It is of a working tree with changes, of other code or settings than the present
            ones, or stopped before the protocol ends.
    """
    where = asked.folder / "metrics.json"
    for key in ("dataset", "model", "seed"):
        if getattr(record, key) != getattr(asked, key):
            raise InputError(f"{where}: {key} must be {getattr(asked, key)!r} in this folder")
    clean_commit(record, "a recorded run")
    check_protocol(config, asked, record, str(where))
    present = present_hashes(config, asked.model, asked.dataset, asked.changes)
    if other_than((record.fingerprint, record.settings), present):
        raise InputError(f"{where}: was made by other code than the present; run it again")


def check_protocol(config: Config, asked: AskedRun, record: RunRecord, where: str) -> None:
    """Refuse what is not of the full protocol, whatever the code; a message begins with `where`.

    Raises:
        InputError: It has other settings than the present ones or other users, or stopped before
            the protocol ends.
    """
    if record.protocol != config.protocol:
        raise InputError(f"{where}: protocol is {record.protocol!r}; allowed: {config.protocol}")
    settings = resolve(config, asked.model, asked.dataset, asked.changes)
    if record.settings != settings.digest():
        raise InputError(f"{where}: was not made with the settings of workflow/config/config.yaml")
    training = settings.training
    if not finished(Result(record.best_epoch, [{}] * record.epochs), training):
        raise InputError(
            f"{where}: stopped after epoch {record.epochs}, with the best at {record.best_epoch}; "
            f"the protocol ends after {training.max_epochs} epochs, or {training.patience} without "
            "a better one"
        )
    counts = config.dataset(asked.dataset).counts
    if counts and counts.users not in (None, record.users):
        raise InputError(f"{where}: has {record.users} users; allowed: {counts.users}")


def measurement(config: Config, path: Path) -> dict[str, Any]:
    """A measurement for Tables 2 and 3, with a command that any machine can repeat.

    Raises:
        InputError: It is not whole, or not one of the configuration's from a clean commit.
    """
    record = load_efficiency_run(path)
    _check_place(path, record.dataset, record.model)
    if record.commit is None or record.dirty:
        raise InputError(f"{path}: was measured with uncommitted changes")
    asked = config.efficiency
    for key, found, right in (
        ("seed", record.seed, asked.seed),
        ("epochs_measured", record.epochs_measured, asked.epochs),
    ):
        if found != right:
            raise InputError(f"{path}: {key} is {found}; allowed: {right}")
    present = present_hashes(config, record.model, record.dataset)
    if other_than((record.fingerprint, record.settings), present):
        raise InputError(f"{path}: was measured with other code or settings than the present")
    words = ["elcrec", "measure", *_of(record.dataset, record.model), "--seed", str(record.seed)]
    words += ["--epochs", str(record.epochs_measured), "--output", _place("efficiency", path)]
    return JsonObject.read(path).values | {"command": words}


def released(config: Config, path: Path) -> dict[str, Any]:
    """What published weights give, with a command that any machine can repeat.

    Raises:
        InputError: It is not whole, of another protocol, or made with uncommitted changes.
    """
    values = JsonObject.read(path)
    dataset, model = values.text("dataset"), values.text("model")
    _check_place(path, dataset, model)
    if values.optional_text("commit") is None or values.flag("dirty"):
        raise InputError(f"{path}: was made with uncommitted changes")
    values.expect("protocol", config.protocol)
    weights = Path(values.text("file")).name
    words = ["elcrec", "verify", "released", *_of(dataset, model), "--weights", weights]
    words += ["--protocol", config.protocol, "--output", _place("released", path)]
    return values.values | {"file": weights, "command": words}


def _of(dataset: str, model: str) -> list[str]:
    return ["--dataset", dataset, "--model", model]


def _place(kind: str, path: Path) -> str:
    return f"results/{kind}/{path.parent.name}/{path.name}"


def _check_place(path: Path, dataset: str, model: str) -> None:
    if (dataset, model) != (path.parent.name, path.stem):
        raise InputError(f"{path}: is of {model} on {dataset}; allowed here: of {path.stem}")
