"""What may be recorded: complete runs of the full protocol, measurements and checks of weights."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from elcrec import ROOT
from elcrec.config.config import Config, load_config
from elcrec.errors import InputError, shown
from elcrec.files.checked import Line
from elcrec.files.jsonfile import as_record, read_object
from elcrec.runs.efficiency import EfficiencyRecord
from elcrec.runs.plan import SIMPLE, PlannedRun, runs_of, runs_of_models, runs_of_sensitivity
from elcrec.runs.record import Made, RunRecord
from elcrec.runs.settings import RunSettings, resolve, settings_digest
from elcrec.training.loop import finished
from elcrec.training.result import Result


def protocol_of(config: Config) -> Config:
    """The configuration whose settings recorded runs must have: that of the whole replication.

    Only a configuration that names a record of its own sets the protocol of that record.
    """
    default = load_config()
    has_own_record = config.recorded.resolve() != default.recorded.resolve()
    return (config if has_own_record else default).replaced(runs="trained")


def settings_files(config: Config) -> list[str]:
    """The files that a configuration was merged from, without folders of this machine."""
    files = [Path(file).resolve() for file, _ in config.layers.parts]
    return [str(f.relative_to(ROOT)) if f.is_relative_to(ROOT) else f.name for f in files]


class Released(Made):
    """What `elcrec verify released` wrote about published weights, as far as it is checked here."""

    file: Line
    protocol: Line


@dataclass(frozen=True)
class ExpectedRun:
    """A run that may be recorded, and its settings."""

    run: PlannedRun
    settings: RunSettings


def expected_runs(config: Config) -> Iterator[ExpectedRun]:
    """All runs of a configuration: for tables, for figures, what they start from, and `SIMPLE`."""
    simple = runs_of(config, config.use, SIMPLE)
    for run in (*runs_of_models(config), *runs_of_sensitivity(config), *simple):
        settings = resolve(config, run.model, run.dataset, run.changes)
        if settings.starts_from:
            start = resolve(config, settings.starts_from, run.dataset)
            yield ExpectedRun(replace(run, model=start.model), start)
        yield ExpectedRun(run, settings)


def check_run(
    config: Config, planned: Iterable[ExpectedRun], record: RunRecord, settings: Mapping[str, Any]
) -> PlannedRun:
    """Refuse anything but a complete run of the full protocol; returns which run it is.

    Any code may have made it, because a recorded run names its commit.

    Args:
        config: Says what the full protocol is.
        planned: All runs of it, see `expected_runs`.
        record: The run.
        settings: Content of its config.yaml.

    Raises:
        InputError: It was made with uncommitted changes, has other settings than the current ones
            or other users, or stopped before the protocol ends.
    """
    where = record.folder / "metrics.json"
    if record.dirty or not re.fullmatch("[0-9a-f]{40}", record.commit or ""):
        state = "uncommitted changes" if record.dirty else f"commit {shown(record.commit)}"
        raise InputError(f"{where}: was made from {state}; a recorded run needs a clean commit")
    if record.protocol != config.protocol:
        raise InputError(f"{where}: protocol is {record.protocol!r}; allowed: {config.protocol}")
    for key in ("dataset", "model", "seed", "protocol"):
        if settings.get(key) != getattr(record, key):
            raise InputError(f"{where}: {key} differs from its config.yaml")
    files = ", ".join(settings_files(config))
    identity = (record.dataset, record.model, record.seed)
    candidates = [w for w in planned if (w.run.dataset, w.run.model, w.run.seed) == identity]
    if not candidates:
        raise InputError(f"{where}: is not a run of {files}")
    digest = settings_digest(settings)
    expected = next((w for w in candidates if w.settings.digest() == digest), None)
    if expected is None:
        raise InputError(f"{where}: was not made with the settings of {files}")
    training = expected.settings.training
    if not finished(Result(record.best_epoch, [{}] * record.epochs), training):
        raise InputError(
            f"{where}: stopped after epoch {record.epochs} (best epoch {record.best_epoch}); "
            f"the protocol ends after {training.max_epochs} epochs, or {training.patience} without "
            "improvement"
        )
    counts = config.dataset(record.dataset).counts
    if counts and counts.users not in (None, record.users):
        raise InputError(f"{where}: has {record.users} users; allowed: {counts.users}")
    return expected.run


def check_extra(config: Config, path: Path) -> dict[str, Any]:
    """A measurement for Tables 2 and 3, or a check of published weights.

    Returns:
        Its content, with a command that any machine can repeat.

    Raises:
        InputError: It is incomplete, not what the configuration asks for, or made with uncommitted
            changes or at an unknown commit.
    """
    kind, dataset, model = path.parent.parent.name, path.parent.name, path.stem
    values = read_object(path)
    record: Released | EfficiencyRecord
    common = ["--dataset", dataset, "--model", model]
    expected: dict[str, Any] = {"dataset": dataset, "model": model}
    if kind == "released":
        record = as_record(values, Released, path)
        values["file"] = Path(record.file).name
        expected["protocol"] = config.protocol
        args = ["verify", kind, *common, "--weights", values["file"], "--protocol", config.protocol]
    else:
        record, section = as_record(values, EfficiencyRecord, path), config.efficiency
        settings = resolve(config, model, dataset).digest()
        expected |= {"seed": section.seed, "epochs_measured": section.epochs, "settings": settings}
        args = ["measure", *common, "--seed", str(section.seed), "--epochs", str(section.epochs)]
    for key, value in expected.items():
        if (actual := getattr(record, key)) != value:
            raise InputError(f"{path}: {key} is {shown(actual)}; allowed here: {shown(value)}")
    if record.commit is None or record.dirty:
        raise InputError(f"{path}: was made with uncommitted changes or at an unknown commit")
    output = f"results/{kind}/{dataset}/{model}.json"
    return values | {"command": ["elcrec", *args, "--output", output]}
