"""The folder of a machine: `runs.csv` and the files beside it, read and written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from elcrec.data.sequences import SPLITS
from elcrec.errors import InputError, shown
from elcrec.files.atomic import replaced, write_text
from elcrec.files.csvfile import csv_text, read_csv
from elcrec.files.npzfile import read_arrays
from elcrec.recorded.columns import COMPUTED, HEADER, IDENTITY
from elcrec.recorded.row import RecordedRun, from_csv
from elcrec.runs.record import read_ranks

RUNS = "runs.csv"
PARTS = {"ranks": "npz", "history": "csv", "intents": "npz"}
"""Folder to suffix of the files that each run may have."""
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")


class Machine:
    """What is recorded of one machine."""

    def __init__(self, record: Path, name: str) -> None:
        """Name a folder of the record, which need not be there yet.

        Raises:
            InputError: A name that is none for a machine.
        """
        if not _NAME.fullmatch(name):
            raise InputError(
                f"{shown(name)}: must be small letters, digits, dots and dashes, such as gpu-h200"
            )
        self.folder = record / name

    def runs(self) -> dict[tuple[str, str, str, int], RecordedRun]:
        """The recorded runs by data set, model, variant and seed; none before there are any.

        Raises:
            InputError: The file has other columns, a field of another kind, or a run twice; or
                lacks a metric, and the ranks that it is computed from are not whole.
        """
        path = self.folder / RUNS
        if not path.exists():
            return {}
        header, rows = read_csv(path)
        needed = [name for name in HEADER if name in header or name not in COMPUTED]
        if header != needed:
            wrong = [n for n in header if n not in needed] or [n for n in needed if n not in header]
            raise InputError(
                f"{path}: the columns must be those of elcrec/recorded/columns.py in their order; "
                f"look at {', '.join(wrong[:3]) or 'the order'}"
            )
        found: dict[tuple[str, str, str, int], RecordedRun] = {}
        for row in rows:
            values = dict(zip(header, row, strict=True))
            where = f"{path}: row {'/'.join(filter(None, (values[k] for k in IDENTITY)))}"
            run = from_csv(values, where)
            if run.key in found:
                raise InputError(f"{where}: stands twice")
            if not run.has_all_metrics:
                ranks = read_ranks(self.part("ranks", run), run.metrics["users"])
                run = run.completed(ranks)
            found[run.key] = run
        return found

    def write_runs(self, runs: Iterable[RecordedRun]) -> None:
        """Write `runs.csv`."""
        write_text(self.folder / RUNS, csv_text([run.as_csv() for run in runs], HEADER))

    def part(self, name: str, run: RecordedRun) -> Path:
        """The file of a run in one of `PARTS`."""
        return self.folder / name / f"{run.id}.{PARTS[name]}"

    def files(self) -> list[Path]:
        """All files, those of editors and systems left out, in a fixed order."""
        found = (p for p in self.folder.rglob("*") if p.is_file() and p.name[0] != ".")
        return sorted(found)

    def bytes(self) -> int:
        """Size of all files."""
        return sum(path.stat().st_size for path in self.files())


def machines(folder: Path) -> list[Machine]:
    """The machines below the folder of the records, by name."""
    return [Machine(folder, path.parent.name) for path in sorted(folder.glob(f"*/{RUNS}"))]


def write_ranks(path: Path, ranks: Mapping[str, NDArray[np.integer]]) -> None:
    """Write the ranks of a run, (users,) for each split, in as few bytes as they fit into.

    A file of the same ranks is left as it is, so that a repository has nothing to store again.
    """
    largest = max(int(ranks[split].max()) for split in SPLITS)
    kind = np.min_scalar_type(largest)
    small: dict[str, NDArray[np.integer]] = {s: ranks[s].astype(kind) for s in SPLITS}
    if path.exists() and _same(path, small):
        return
    with replaced(path) as temporary:
        np.savez_compressed(temporary, **small)  # type: ignore[arg-type]


def _same(path: Path, ranks: Mapping[str, NDArray[np.integer]]) -> bool:
    try:
        there = read_arrays(path, SPLITS)
    except InputError:
        return False
    return all(
        there[s].dtype == ranks[s].dtype and np.array_equal(there[s], ranks[s]) for s in SPLITS
    )
