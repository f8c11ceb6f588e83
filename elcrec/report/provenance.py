"""Where each number comes from: commit, device, command of every run, measurement and check."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from elcrec.files.jsonfile import JsonObject
from elcrec.files.shared import without_folders
from elcrec.report.evidence import Evidence
from elcrec.runs.places import json_files
from elcrec.runs.plan import variant_text

RUN, SENSITIVITY, MEASUREMENT, RELEASED = "run", "sensitivity", "measurement", "released weights"
KINDS = (RUN, SENSITIVITY, MEASUREMENT, RELEASED)
NOT_RECORDED = "not recorded"
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
        return "-".join(["source", self.kind.split()[0], self.dataset, self.model])


def sources(evidence: Evidence) -> list[Source]:
    """Return the sources of all numbers, those of one anchor together.

    Raises:
        InputError: A record that is not whole.
    """
    found = [_run(RUN, values) for values in evidence.runs]
    found += [_run(SENSITIVITY, values) for values in evidence.sensitivity]
    measured = json_files(evidence.config, "efficiency")
    found += [_measurement(JsonObject.read(path)) for path in measured]
    found += [_released(values) for values in evidence.released]
    config = evidence.config
    order = {name: i for i, name in enumerate([*config.use, *config.models, *KINDS])}

    def place(source: Source) -> tuple[list[int], str]:
        keys = source.dataset, source.kind, source.model
        return [order.get(key, len(order)) for key in keys], source.anchor

    return sorted(found, key=place)


def links(found: Sequence[Source]) -> Links:
    """Where the numbers of each model lead, with one line on what made them."""
    groups: dict[tuple[str, str, str], list[Source]] = {}
    for source in found:
        groups.setdefault((source.kind, source.dataset, source.model), []).append(source)
    return {key: (group[0].anchor, _describe(group)) for key, group in groups.items()}


def _describe(found: Sequence[Source]) -> str:
    """One line for a group of sources: how many, their commits and devices."""
    commits = ", ".join(dict.fromkeys(s.commit for s in found))
    devices = ", ".join(dict.fromkeys(s.device for s in found))
    kind = found[0].kind if found[0].kind in (RUN, MEASUREMENT) else "record"
    count = f"{len(found)} {kind}{'s' if len(found) > 1 else ''}"
    return f"{count}; commit {commits}; {devices}; {found[0].command}"


def _run(kind: str, values: JsonObject) -> Source:
    folder = values.path.parent
    path = folder / "environment.json"
    made = JsonObject.read(path) if path.is_file() else JsonObject(path, {})
    variant = f"{variant_text(folder.parent.name)}, " if kind == SENSITIVITY else ""
    detail = [
        f"{values.integer('epochs')} epochs",
        f"tested epoch {values.integer('best_epoch')}",
        *_versions(made),
    ]
    return _source(kind, values, f"{variant}seed {values.integer('seed')}", made, ", ".join(detail))


def _measurement(values: JsonObject) -> Source:
    detail = f"{values.integer('epochs_measured')} measured epochs"
    return _source(MEASUREMENT, values, f"seed {values.integer('seed')}", values, detail)


def _released(values: JsonObject) -> Source:
    # Weights may have been looked at before commit and device were recorded.
    known = replace(values, values={"commit": None, "device": NOT_RECORDED, **values.values})
    return _source(RELEASED, known, values.text("file"), values)


def _source(
    kind: str, values: JsonObject, variant: str, made: JsonObject, detail: str = ""
) -> Source:
    """A source by its record; `made` is the record that says by which command."""
    return Source(
        kind,
        values.text("dataset"),
        values.text("model"),
        variant,
        _commit(values),
        values.text("device"),
        _command(made),
        detail,
    )


def _versions(made: JsonObject) -> list[str]:
    """Python and what decides its numbers, as far as it is recorded."""
    shown = [f"Python {made.text('python')}"] if "python" in made.values else []
    if "versions" in made.values:
        versions = made.section("versions")
        names = [name for name in ("torch", "numpy") if name in versions.values]
        shown += [f"{name} {versions.text(name)}" for name in names]
    return shown


def _command(values: JsonObject) -> str:
    """The command as one would type it; older records have paths of one machine in it."""
    words = values.texts("command") if "command" in values.values else []
    shown = ["elcrec", *map(without_folders, words[1:])]
    return shlex.join(shown) if words else NOT_RECORDED


def _commit(values: JsonObject) -> str:
    """Commit of a record, shortened, with a mark when the tree was not clean."""
    commit = values.optional_text("commit")
    if commit is None:
        return "unknown"
    return commit[:SHORT] + (" + changes" if values.values.get("dirty") else "")
