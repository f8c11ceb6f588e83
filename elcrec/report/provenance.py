"""Where each number comes from: commit, device, command of every run; why runs are absent."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from elcrec.files.jsonfile import JsonObject
from elcrec.report.evidence import Evidence
from elcrec.runs.places import json_files
from elcrec.runs.plan import variant_text

KINDS = ("run", "sensitivity", "measurement", "released weights")
SHORT = 10  # digits of a commit that are shown

Links = Mapping[tuple[str, str, str], tuple[str, str]]
"""(kind, data set, model) to the anchor of its sources and their description."""


@dataclass(frozen=True)
class Source:
    """What made one run, measurement or check."""

    kind: str
    """One of `KINDS`."""
    dataset: str
    model: str
    variant: str
    """Seed of a run; parameter, value and seed of a sensitivity run; file of released weights."""
    commit: str
    """As shown: shortened, with a mark when the working tree had changes."""
    device: str
    command: str
    detail: str
    """Epochs, versions: what else a reader may ask for."""

    @property
    def anchor(self) -> str:
        """Id of the group of sources that a number of the page points to."""
        return anchor(self.kind, self.dataset, self.model)


@dataclass(frozen=True)
class Absent:
    """A run that was asked for and is not there, or is left out."""

    dataset: str
    model: str
    seed: int
    reason: str


def anchor(kind: str, dataset: str, model: str) -> str:
    """Id of the rows of one model on one data set in the table of sources."""
    return "-".join(["source", kind.split()[0], dataset, model])


def sources(evidence: Evidence) -> list[Source]:
    """Return the sources of all numbers: runs, sensitivity runs, measurements, released weights.

    Raises:
        InputError: A record that is not whole.
    """
    found = [_run("run", values) for values in evidence.runs]
    found += [_run("sensitivity", values) for values in evidence.sensitivity]
    found += [_measurement(path) for path in json_files(evidence.config, "efficiency")]
    found += [_released(values) for values in evidence.released]
    config = evidence.config
    order = {name: i for i, name in enumerate([*config.use, *config.models, *KINDS])}

    def place(source: Source) -> tuple[int, ...]:
        return tuple(order.get(x, len(order)) for x in (source.dataset, source.kind, source.model))

    return sorted(found, key=place)


def absent(evidence: Evidence) -> list[Absent]:
    """Return the runs of the configuration that are not there, with the reason."""
    return [Absent(g.dataset, g.model, g.seed, g.reason) for g in evidence.gaps]


def left_out(evidence: Evidence) -> list[Absent]:
    """Return the finished runs that the page does not show, with the reason."""
    return [Absent(r.dataset, r.model, r.seed, r.reason) for r in evidence.left_out]


def describe(found: list[Source]) -> str:
    """One line for a group of sources: how many, their commits and devices."""
    commits = ", ".join(dict.fromkeys(s.commit for s in found))
    devices = ", ".join(dict.fromkeys(s.device for s in found))
    kind = {"run": "run", "measurement": "measurement"}.get(found[0].kind, "record")
    count = f"{len(found)} {kind}{'s' if len(found) > 1 else ''}"
    return f"{count}; commit {commits}; {devices}; {found[0].command}"


def _run(kind: str, values: JsonObject) -> Source:
    folder = values.path.parent
    made = _environment(folder / "environment.json")
    seed = values.integer("seed")
    variant = f"seed {seed}"
    if kind == "sensitivity":
        variant = f"{variant_text(folder.parent.name)}, {variant}"
    best, epochs = values.integer("best_epoch"), values.integer("epochs")
    return Source(
        kind,
        values.text("dataset"),
        values.text("model"),
        variant,
        commit_text(values),
        values.text("device"),
        made.command,
        f"{epochs} epochs, tested epoch {best}{made.versions}",
    )


def _measurement(path: Path) -> Source:
    values = JsonObject.read(path)
    dataset, model = values.text("dataset"), values.text("model")
    epochs, seed = values.integer("epochs_measured"), values.integer("seed")
    command = _command(values)
    detail = f"{epochs} measured epochs"
    device, variant = values.text("device"), f"seed {seed}"
    commit = commit_text(values)
    return Source("measurement", dataset, model, variant, commit, device, command, detail)


def _released(values: JsonObject) -> Source:
    dataset, model, file = (values.text(key) for key in ("dataset", "model", "file"))
    command = _command(values)
    commit = commit_text(values) if "commit" in values.values else "not recorded"
    device = _text_or(values, "device", "not recorded")
    return Source("released weights", dataset, model, file, commit, device, command, "")


@dataclass(frozen=True)
class _Made:
    command: str = "not recorded"
    versions: str = ""


def _environment(path: Path) -> _Made:
    """Command and versions of a run; what a record lacks is said to be not recorded."""
    if not path.is_file():
        return _Made()
    values = JsonObject.read(path)
    shown = [f"Python {values.text('python')}"] if "python" in values.values else []
    if "versions" in values.values:
        versions = values.section("versions")
        names = [name for name in ("torch", "numpy") if name in versions.values]
        shown += [f"{name} {versions.text(name)}" for name in names]
    return _Made(_command(values), "".join(f", {text}" for text in shown))


def _command(values: JsonObject) -> str:
    """The command as one would type it: the program's path is that of one machine only."""
    words = values.texts("command") if "command" in values.values else []
    return shlex.join(["elcrec", *words[1:]]) if words else "not recorded"


def _text_or(values: JsonObject, key: str, without: str) -> str:
    return values.text(key) if key in values.values else without


def commit_text(values: JsonObject) -> str:
    """Commit of a record, shortened, with a mark when the tree was not clean."""
    commit = values.optional_text("commit")
    if commit is None:
        return "unknown"
    return commit[:SHORT] + (" + changes" if values.values.get("dirty") else "")
