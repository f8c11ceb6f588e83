"""Runs as the figures need them: what is not there yet is None, what other code made is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from elcrec.arrays import is_finite, read_arrays
from elcrec.config import Config
from elcrec.data.sequences import read_sequences
from elcrec.errors import InputError
from elcrec.figures.plan import Point, overrides
from elcrec.tables.history import read_history
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


def snapshots(record: RunRecord) -> Snapshots | None:
    """`intents.npz` of a run, None for one that has none.

    Raises:
        InputError: An array is missing or has another shape than the others.
    """
    path = record.folder / "intents.npz"
    if not path.exists():
        return None
    arrays = read_arrays(path, DIMENSIONS)
    sizes: dict[str, int] = {"all users": record.users}
    for name, dimensions in DIMENSIONS.items():
        array = arrays[name]
        _check_shape(f"{path}: {name}", array.shape, dimensions, sizes)
        if not is_finite(array):
            raise InputError(f"{path}: {name} must be finite numbers")
        below = BELOW.get(name)
        if below and not _are_numbers_below(array, sizes.get(below, record.epochs + 1)):
            raise InputError(f"{path}: {name} must be whole numbers from 0, less than {below}")
    return Snapshots(
        epochs=arrays["epochs"],
        users=arrays["users"],
        embeddings=arrays["embeddings"].astype(np.float32),
        assigned=arrays["assigned"],
        all_assigned=arrays["all_assigned"],
        intents=sizes["intents"],
    )


DIMENSIONS = {
    "epochs": ("snapshots",),
    "users": ("sampled users",),
    "centers": ("snapshots", "intents", "width"),
    "embeddings": ("snapshots", "sampled users", "width"),
    "assigned": ("snapshots", "sampled users"),
    "all_assigned": ("all users",),
}
"""Arrays of `intents.npz` and what each of their dimensions counts."""
BELOW = {
    "epochs": "the epochs trained and one",
    "users": "all users",
    "assigned": "intents",
    "all_assigned": "intents",
}
"""What the numbers in an array of whole numbers are less than."""


def _check_shape(
    where: str, shape: tuple[int, ...], dimensions: tuple[str, ...], sizes: dict[str, int]
) -> None:
    """Compare a shape with the sizes known so far, and add to them."""
    right = len(shape) == len(dimensions) and all(shape)
    if right:
        right = all(sizes.setdefault(d, n) == n for d, n in zip(dimensions, shape, strict=True))
    if not right:
        known = ", ".join(f"{d} ({sizes[d]})" if d in sizes else d for d in dimensions)
        raise InputError(f"{where} has shape {shape}, needed: {known}")


def _are_numbers_below(array: NDArray[Any], limit: int) -> bool:
    return array.dtype.kind in "iu" and int(array.min()) >= 0 and int(array.max()) < limit
