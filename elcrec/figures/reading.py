"""Runs as the figures need them: what is not there yet is None, what other code made is refused."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from elcrec.config import Config
from elcrec.data.sequences import read_sequences
from elcrec.errors import InputError
from elcrec.figures.plan import Point, overrides
from elcrec.tables.present import other_than, present_hashes
from elcrec.tables.runs import RunRecord, load_run


@dataclass(frozen=True)
class Snapshots:
    """`intents.npz` of a run: users and intents at some epochs."""

    epochs: NDArray[np.integer]
    """(S,) epochs; 0 is before training, the last one is the tested one."""
    users: NDArray[np.integer]
    """(n,) numbers of the sampled users."""
    embeddings: NDArray[np.floating]
    """(S, n, d) vectors of the sampled users."""
    assigned: NDArray[np.integer]
    """(S, n) nearest intent of each."""
    all_assigned: NDArray[np.integer]
    """(users,) intent of every user, with the tested weights."""
    intents: int
    """Number K of centers."""


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

    def lengths(self, dataset: str) -> NDArray[np.int64]:
        """Items in each user's history: (users,)."""
        return read_sequences(self.config.prepared_file(dataset)).lengths

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
    path = record.folder / "history.csv"
    try:
        table = pd.read_csv(path)
    except ValueError as error:  # pandas' own errors are among these
        raise InputError(f"{path}: cannot be read ({error})") from None
    if "epoch" not in table:
        raise InputError(f"{path}: the column 'epoch' is missing; it has {list(table)}")
    return table


def snapshots(record: RunRecord) -> Snapshots | None:
    """`intents.npz` of a run, None for one that has none.

    Raises:
        InputError: An array is missing or has another shape than the others.
    """
    path = record.folder / "intents.npz"
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            found = Snapshots(
                epochs=archive["epochs"],
                users=archive["users"],
                embeddings=archive["embeddings"].astype(np.float32),
                assigned=archive["assigned"],
                all_assigned=archive["all_assigned"],
                intents=archive["centers"].shape[1],
            )
    except (KeyError, IndexError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: is not a file of intents ({error})") from None
    shapes = (found.embeddings.shape[:2], found.assigned.shape, found.all_assigned.shape)
    sampled = (len(found.epochs), len(found.users))
    if shapes != (sampled, sampled, (record.users,)) or not len(found.epochs):
        raise InputError(f"{path}: arrays of shapes {shapes} do not belong together")
    return found
