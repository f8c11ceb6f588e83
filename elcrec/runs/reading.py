"""The runs of a configuration, as tables and figures need them.

What is not there yet is a gap or None; what other code or other settings made is refused, for its
numbers may differ now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from elcrec.config.config import Config
from elcrec.data.sequences import read_sequences
from elcrec.errors import InputError
from elcrec.files.lock import LOCK
from elcrec.runs.fingerprint import fingerprint
from elcrec.runs.history import read_history
from elcrec.runs.plan import Point, overrides
from elcrec.runs.record import FAILED, Made, RunRecord, load_run
from elcrec.runs.settings import module_reference, resolve

Hashes = tuple[str, str]
"""Fingerprint of the code and digest of the settings that make a run."""
Wanted = tuple[str | None, str]
"""The same of what is asked for; None: any code."""

NOT_YET_RUN = "not yet run"
BEGUN = "begun, but not ended: it was killed or interrupted, or is still running"
LEFT_BEHIND = (LOCK, "checkpoints")
"""What a training has in its folder until it ends: see also elcrec/jobs/folder.py."""


FEWEST_USERS = 5
"""Who can be put into groups: as many as the figure with most groups has."""

Found = dict[tuple[str, str], list[RunRecord]]
"""Finished runs by data set and model; an empty list where there is none."""


class Runs:
    """The run folders of a configuration."""

    def __init__(self, config: Config, any_code: bool = False) -> None:
        """Read below `config.output`; `any_code` takes runs of other code and settings, too."""
        self.config = config
        self.any_code = any_code

    def find(self, datasets: Iterable[str], models: Sequence[str]) -> Found:
        """The finished runs of every model on every data set, of all `seeds` in their order."""
        found = {
            (d, m): [self.run(d, m, s) for s in self.config.seeds] for d in datasets for m in models
        }
        return {key: [r for r in records if r is not None] for key, records in found.items()}

    def run(self, dataset: str, model: str, seed: int) -> RunRecord | None:
        """A finished run, None if there is none.

        Raises:
            InputError: It is not whole, or other code or settings made it.
        """
        return self._read(self.config.run_folder(dataset, model, seed), dataset, model, seed, {})

    def point(self, point: Point) -> RunRecord | None:
        """The run of a point of the sensitivity figure; as `run`."""
        model = self.config.figures.sensitivity.model
        changes = overrides(self.config, point.parameter, point.value)
        return self._read(point.folder, point.dataset, model, point.seed, changes)

    def lengths(self, dataset: str, records: Iterable[RunRecord] = ()) -> NDArray[np.int64]:
        """Items in each user's history: (users,).

        Raises:
            InputError: The data set is not prepared, too small to make groups of its users, or of
                other users than the runs.
        """
        path = self.config.prepared_file(dataset)
        lengths = read_sequences(path).lengths
        if len(lengths) < FEWEST_USERS:
            raise InputError(f"{path}: has {len(lengths)} users; groups need {FEWEST_USERS}")
        for record in records:
            if len(lengths) != record.users:
                raise InputError(
                    f"{path}: has {len(lengths)} users, the run in {record.folder} {record.users}"
                )
        return lengths

    def _read(
        self, folder: Path, dataset: str, model: str, seed: int, changes: Mapping[str, Any]
    ) -> RunRecord | None:
        if not (folder / "metrics.json").exists():
            return None
        record = load_run(folder)
        if (record.dataset, record.model, record.seed) != (dataset, model, seed):
            raise InputError(
                f"{folder / 'metrics.json'}: is of {record.dataset}/{record.model}/{record.seed}; "
                f"in this folder it must be of {dataset}/{model}/{seed}"
            )
        present = present_hashes(self.config, model, dataset, changes)
        other = other_than((record.fingerprint, record.settings), present)
        if other and not self.any_code:
            raise InputError(
                f"{folder}: other {other} than the present made this run; run it again "
                "(snakemake --forcerun train sensitivity), or allow it with --any-code"
            )
        return record


def history(record: RunRecord) -> pd.DataFrame:
    """`history.csv` of a run, one row per epoch.

    Raises:
        InputError: It is no such table.
    """
    return pd.DataFrame(read_history(record.folder / "history.csv", record.epochs))


def present_hashes(
    config: Config, model: str, dataset: str, changes: Mapping[str, Any] | None = None
) -> Wanted:
    """What the present code and settings, with `changes`, would record.

    A recorded run may be of any code: it was of the present one when it was recorded, and names its
    commit.
    """
    settings = resolve(config, model, dataset, changes)
    if config.runs == "recorded":
        return None, settings.digest()
    return fingerprint(module_reference(settings)), settings.digest()


def other_than(made: Hashes, present: Wanted) -> Literal["code", "settings"] | None:
    """What made a run differently; None if nothing did."""
    if present[0] not in (None, made[0]):
        return "code"
    return None if made[1] == present[1] else "settings"


def refuse_other_code(config: Config, records: Sequence[Made], models: Iterable[str] = ()) -> None:
    """Refuse runs that the present code or settings did not make.

    Args:
        config: Says what the settings are.
        records: Runs or measurements of it.
        models: More models than the configuration's own that are judged.

    Raises:
        InputError: One of them is of other code or settings; the message says what to do.
    """
    expected = {}
    for dataset, model in dict.fromkeys((r.dataset, r.model) for r in records):
        if model in {*config.models, *config.efficiency.models, *models}:
            expected[dataset, model] = present_hashes(config, model, dataset)
    stale = stale_runs(records, expected)
    if stale:
        first = stale[0]
        present = expected[first.dataset, first.model]
        other = other_than((first.fingerprint, first.settings), present)
        raise InputError(
            f"{first.dataset}/{first.model}: one of {len(stale)} runs that other {other} made than "
            "the present; run them again (snakemake --forcerun train), or allow them with "
            "--any-code"
        )


@dataclass(frozen=True)
class Gap:
    """A run that was asked for and is not there."""

    dataset: str
    model: str
    seed: int
    reason: str = NOT_YET_RUN
    """Why it is not there, in one line."""

    @property
    def failed(self) -> bool:
        """Whether it was tried."""
        return self.reason != NOT_YET_RUN


def load_runs(
    output: Path | str, datasets: Iterable[str], models: Iterable[str], seeds: Iterable[int]
) -> tuple[list[RunRecord], list[Gap]]:
    """Read the runs asked for below `output`.

    A folder without `metrics.json`, which is written last, is a run that has not finished.

    Returns:
        The runs that are present, and the gaps, both in the order asked for.

    Raises:
        InputError: A run is present but not whole, or its record is of another run.
    """
    records, gaps = [], []
    models, seeds = list(models), list(seeds)
    for gap in (Gap(d, m, s) for d in datasets for m in models for s in seeds):
        folder = Path(output) / "runs" / gap.dataset / gap.model / str(gap.seed)
        if not (folder / "metrics.json").exists():
            gaps.append(replace(gap, reason=failure(folder)))
            continue
        record = load_run(folder)
        for key in ("dataset", "model", "seed"):
            if getattr(record, key) != getattr(gap, key):
                raise InputError(
                    f"{folder / 'metrics.json'}: {key} is {getattr(record, key)!r}; "
                    f"in this folder it must be {getattr(gap, key)!r}"
                )
        records.append(record)
    return records, gaps


def failure(folder: Path) -> str:
    """Why the run of a folder is not there: `not yet run`, or what became of it."""
    try:
        lines = (folder / FAILED).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        begun = any((folder / name).exists() for name in LEFT_BEHIND)
        return BEGUN if begun else NOT_YET_RUN
    return f"failed: {lines[0]}" if lines else "failed, no reason given"


def stale_runs(
    records: Iterable[Made], expected: Mapping[tuple[str, str], tuple[str | None, str]]
) -> list[Made]:
    """Return the runs that other code or other settings made than `expected` says.

    Args:
        records: The runs.
        expected: Fingerprint (None: any) and settings by (data set, model); what it does not name
            is not judged.
    """
    stale = []
    for record in records:
        code, settings = expected.get((record.dataset, record.model), (None, record.settings))
        if code not in (None, record.fingerprint) or settings != record.settings:
            stale.append(record)
    return stale
