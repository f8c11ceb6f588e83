"""The runs of a configuration, read for tables, figures, report, the nightly check and the record.

A missing run is a gap. A run made with other code or settings might have other results now, so it
is refused, left out or taken, as the caller chooses.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from elcrec.config.config import Config
from elcrec.data.sequences import read_sequences
from elcrec.errors import InputError, shown
from elcrec.files.jsonfile import read_json
from elcrec.files.lock import LOCK
from elcrec.runs.efficiency import EfficiencyRecord
from elcrec.runs.fingerprint import fingerprint
from elcrec.runs.history import read_history
from elcrec.runs.places import run_folder, source
from elcrec.runs.plan import PlannedRun, runs_of, variant_text
from elcrec.runs.record import FAILED, FAILED_BY, RunRecord, load_run
from elcrec.runs.settings import module_reference, resolve

Stale = Literal["refuse", "leave out", "take"]
"""What to do with a run that was not made with the current code and settings."""

NOT_YET_RUN = "not yet run"
BEGUN = "started, but not finished: it was killed or interrupted, or is still running"
LEFT_BEHIND = (LOCK, "checkpoints")
"""What a training keeps in its folder until it ends: see also elcrec/jobs/folder.py."""
OTHER = {"code": "made with other code, left out", "settings": "made with other settings, left out"}

Found = dict[tuple[str, str], list[RunRecord]]
"""Finished runs by data set and model; an empty list where there is none."""
Judged = TypeVar("Judged", RunRecord, EfficiencyRecord)


@dataclass(frozen=True)
class Gap:
    """A requested run that is missing, or is left out."""

    dataset: str
    model: str
    seed: int
    reason: str = NOT_YET_RUN
    """Why, in one line."""

    @property
    def failed(self) -> bool:
        """Whether it was tried."""
        return self.reason != NOT_YET_RUN


class Runs:
    """The run folders of a configuration: its own, or with `runs: recorded` those of the record.

    A recorded run may be of any code, as it names its commit; its settings must be current.
    """

    def __init__(self, config: Config, stale: Stale = "refuse", trusted: bool = False) -> None:
        """Read what `config` asks for.

        Args:
            config: Says which runs, and what their settings are. Models that it does not name are
                not judged: their current settings are unknown.
            stale: What to do with a run that was not made with the current code and settings.
            trusted: Use metrics as recorded, even if they differ from those of the ranks now.
        """
        self.config = config
        self.stale = stale
        self.trusted = trusted
        self.left_out: list[Gap] = []
        """What was read and left out so far."""
        self._named = {*config.models, *config.figures.models()}
        self._named |= {*config.efficiency.models, *config.nightly.models}
        self._present: dict[tuple[Any, ...], tuple[str, str]] = {}

    def read(self, planned: Iterable[PlannedRun]) -> tuple[list[RunRecord], list[Gap]]:
        """Read those of the runs that exist.

        A folder without `metrics.json`, which is written last, is a run that has not finished.

        Returns:
            The runs, and the gaps, both in the requested order.

        Raises:
            InputError: A run is incomplete or does not belong in its folder, or was not made with
                the current code and settings and is to be refused.
        """
        records, gaps = [], []
        for run in planned:
            path = run.folder / "metrics.json"
            if not path.exists():
                gaps.append(Gap(run.dataset, run.model, run.seed, failure(run.folder)))
                continue
            record = load_run(run.folder, self.trusted)
            for key in ("dataset", "model", "seed"):
                if getattr(record, key) != getattr(run, key):
                    raise InputError(
                        f"{path}: {key} is {shown(getattr(record, key))}; "
                        f"in this folder it must be {shown(getattr(run, key))}"
                    )
            records.append((record, run))
        return self._judge(records), gaps

    def find(self, datasets: Iterable[str], models: Sequence[str]) -> Found:
        """The finished runs of every model on every data set, for all `seeds` in their order."""
        return {
            (d, m): self.read(runs_of(self.config, [d], [m]))[0] for d in datasets for m in models
        }

    def run(self, dataset: str, model: str, seed: int) -> RunRecord | None:
        """A finished run, None if there is none; errors as for `read`."""
        planned = PlannedRun(run_folder(self.config, dataset, model, seed), dataset, model, seed)
        records, _ = self.read([planned])
        return records[0] if records else None

    def measurements(
        self, datasets: Iterable[str], models: Sequence[str]
    ) -> tuple[list[EfficiencyRecord], list[tuple[str, str]]]:
        """The measurements of the data sets, of any model.

        Returns:
            The measurements, and (data set, model) for each of `models` without one.

        Raises:
            InputError: One is incomplete or of another data set or model than its path says, or was
                not made with the current code and settings and is to be refused.
        """
        records, gaps = [], []
        for dataset in datasets:
            folder = source(self.config, "efficiency", dataset) / "efficiency" / dataset
            paths = sorted(folder.glob("[!.]*.json"))
            for path in paths:
                record = read_json(path, EfficiencyRecord)
                if (record.dataset, record.model) != (dataset, path.stem):
                    raise InputError(
                        f"{path}: is for {record.model} on {record.dataset}; "
                        f"in this place it must be for {path.stem} on {dataset}"
                    )
                records.append((record, PlannedRun(path, dataset, path.stem, record.seed)))
            measured = {path.stem for path in paths}
            gaps += [(dataset, model) for model in models if model not in measured]
        return self._judge(records), gaps

    def lengths(self, dataset: str, records: Iterable[RunRecord] = ()) -> NDArray[np.int64]:
        """Items in each user's history: (users,).

        Raises:
            InputError: The data set is not prepared, or has other users than the runs.
        """
        path = self.config.prepared_file(dataset)
        lengths = read_sequences(path).lengths
        for record in records:
            if len(lengths) != record.users:
                raise InputError(
                    f"{path}: has {len(lengths)} users, but {record.folder} has {record.users}"
                )
        return lengths

    def _judge(self, records: Iterable[tuple[Judged, PlannedRun]]) -> list[Judged]:
        """Those that are kept; refuses the others or notes that they are left out."""
        kept, stale = [], []
        for record, run in records:
            difference = None if self.stale == "take" else self._difference(record, run)
            if difference is None:
                kept.append(record)
            else:
                stale.append((run, difference))
        if stale and self.stale == "refuse":
            run, difference = stale[0]
            command = self.config.snakemake("--forcerun", "train", "sensitivity", "measure")
            raise InputError(
                f"{run.folder}: one of {len(stale)} runs not made with the current {difference}; "
                f"allow them with --any-code, or run them again with: {command}"
            )
        for run, difference in stale:
            prefix = f"{variant_text(run.variant)}: " if run.variant else ""
            self.left_out.append(Gap(run.dataset, run.model, run.seed, prefix + OTHER[difference]))
        return kept

    def _difference(
        self, record: RunRecord | EfficiencyRecord, run: PlannedRun
    ) -> Literal["code", "settings"] | None:
        """What differs from the current code and settings; None if neither does."""
        if run.model not in self._named:
            return None
        key = (run.dataset, run.model, *run.changes.items())
        if key not in self._present:
            settings = resolve(self.config, run.model, run.dataset, run.changes)
            code = fingerprint(module_reference(settings))
            self._present[key] = (code, settings.digest())
        code, digest = self._present[key]
        if self.config.runs == "trained" and record.fingerprint != code:
            return "code"
        return None if record.settings == digest else "settings"


def history(record: RunRecord) -> pd.DataFrame:
    """`history.csv` of a run, one row per epoch.

    Raises:
        InputError: It is not such a table.
    """
    return pd.DataFrame(read_history(record.folder / "history.csv", record.epochs))


def failure(folder: Path) -> str:
    """Why the run of a folder is missing: `not yet run`, or what happened to it."""
    try:
        lines = (folder / FAILED).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        begun = any((folder / name).exists() for name in LEFT_BEHIND)
        return BEGUN if begun else NOT_YET_RUN
    return f"failed: {lines[0].removeprefix(FAILED_BY)}" if lines else "failed, no reason given"
