"""Where each number comes from: commit, device, command of every run, measurement and check."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from elcrec.files.checked import Line, Record
from elcrec.files.jsonfile import read_json
from elcrec.files.paths import shared_words
from elcrec.report.evidence import Evidence
from elcrec.runs.efficiency import EfficiencyRecord
from elcrec.runs.places import json_files
from elcrec.runs.plan import variant_text
from elcrec.runs.record import RunRecord

RUN, SENSITIVITY, MEASUREMENT, RELEASED = "run", "sensitivity", "measurement", "released weights"
KINDS = (RUN, SENSITIVITY, MEASUREMENT, RELEASED)
SHORT = 10  # digits of a commit that are shown

Links = Mapping[tuple[str, str, str], tuple[str, str]]
"""(kind, data set, model) to the anchor of its sources and their description."""


class Environment(Record):
    """`environment.json` of a run; any part of it may not have been recorded."""

    command: list[str] = []
    python: Line | None = None
    versions: dict[str, Line] = {}


class Measurement(EfficiencyRecord):
    """An efficiency file with its command, which older files lack."""

    command: list[str] = []


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
    """As one would type it, without the program's path, which is that of one machine only."""
    detail: str
    """Epochs, versions: what else a reader may want to know."""

    @property
    def anchor(self) -> str:
        """Id of the group of sources that a number of the page points to."""
        return "-".join(["source", self.kind.split()[0], self.dataset, self.model])


def sources(evidence: Evidence) -> list[Source]:
    """Return the sources of all numbers, those of one anchor together.

    Raises:
        InputError: A record is incomplete.
    """
    result = [*_of_runs(RUN, evidence.runs), *_of_runs(SENSITIVITY, evidence.sensitivity)]
    for path in json_files(evidence.config, "efficiency"):
        record = read_json(path, Measurement)
        detail = f"{record.epochs_measured} measured epochs"
        result.append(_source(MEASUREMENT, record, f"seed {record.seed}", record.command, detail))
    result += [_source(RELEASED, r, r.file, r.command) for r in evidence.released]
    config = evidence.config
    order = {name: i for i, name in enumerate([*config.use, *config.models, *KINDS])}

    def sort_key(source: Source) -> tuple[list[int], str]:
        keys = source.dataset, source.kind, source.model
        return [order.get(key, len(order)) for key in keys], source.anchor

    return sorted(result, key=sort_key)


def links(all_sources: Sequence[Source]) -> Links:
    """Where the numbers of each model lead, with one line on what made them."""
    groups = groupby(all_sources, key=lambda source: (source.kind, source.dataset, source.model))
    return {key: _link(list(group)) for key, group in groups}


def _link(group: Sequence[Source]) -> tuple[str, str]:
    """Anchor of a group of sources; how many, their commits and devices, the first command."""
    first = group[0]
    commits = ", ".join(dict.fromkeys(source.commit for source in group))
    devices = ", ".join(dict.fromkeys(source.device for source in group))
    kind = first.kind if first.kind in (RUN, MEASUREMENT) else "record"
    count = f"{len(group)} {kind}{'s' * (len(group) > 1)}"
    return first.anchor, f"{count}; commit {commits}; {devices}; {first.command}"


def _of_runs(kind: str, runs: Iterable[RunRecord]) -> Iterator[Source]:
    for run in runs:
        env = read_json(run.folder / "environment.json", Environment)
        detail = [f"{run.epochs} epochs", f"tested epoch {run.best_epoch}"]
        detail += [f"Python {env.python}"] if env.python else []
        detail += [f"{n} {env.versions[n]}" for n in ("torch", "numpy") if n in env.versions]
        variant = f"{variant_text(run.folder.parent.name)}, " if kind == SENSITIVITY else ""
        yield _source(kind, run, f"{variant}seed {run.seed}", env.command, ", ".join(detail))


def _source(
    kind: str, record: Any, variant: str, command: Sequence[str], detail: str = ""
) -> Source:
    """A source from a record, which has its data set, model, commit and device."""
    commit = record.commit[:SHORT] + " + changes" * record.dirty if record.commit else "unknown"
    line = shlex.join(["elcrec", *shared_words(command[1:])]) if command else "not recorded"
    return Source(kind, record.dataset, record.model, variant, commit, record.device, line, detail)
