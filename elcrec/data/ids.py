"""Which raw id has which number: `users.csv` and `items.csv` next to `sequences.txt`."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from elcrec.data.sequences import Sequences
from elcrec.data.sources import PREPARED
from elcrec.errors import InputError, shown
from elcrec.files.atomic import write_text

FILES = PREPARED[2:]
HEADER = ["id", "number"]


class Ids(NamedTuple):
    """The raw ids of a prepared data set; that of number 1 comes first."""

    users: Sequence[str]
    items: Sequence[str]


def write_ids(folder: Path, sequences: Sequences) -> None:
    """Write both files."""
    for name, ids in zip(FILES, (sequences.users, sequences.item_ids), strict=True):
        rows = [(id, number) for number, id in enumerate(ids, 1)]
        write_text(folder / name, pd.DataFrame(rows, columns=HEADER).to_csv(index=False))


def read_ids(folder: Path) -> Ids:
    """Read both files.

    Raises:
        InputError: A file is missing, or is not in the form that `write_ids` writes.
    """
    return Ids(*(_read(folder / name) for name in FILES))


def with_raw_ids(sequences: Sequences, folder: Path) -> Sequences:
    """The same histories with raw ids instead of numbers.

    Raises:
        InputError: As for `read_ids`, or the files belong to other histories.
    """
    ids = read_ids(folder)
    counts = zip(FILES, (ids.users, ids.items), (sequences.n_users, sequences.n_items), strict=True)
    for name, known, count in counts:
        if len(known) != count:
            raise InputError(
                f"{folder / name}: has {len(known)} ids, but sequences.txt next to it has {count}; "
                "prepare the data set again"
            )
    return replace(sequences, users=tuple(ids.users), item_ids=tuple(ids.items))


def _read(path: Path) -> list[str]:
    try:  # not `read_csv`: it treats an id that begins with # as a comment
        header, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
        numbers = [int(number) for _, number in rows]
    except OSError as error:
        reason = f"cannot be read ({error.strerror}); prepare the data set again"
        raise InputError(f"{path}: {reason}") from None
    except (ValueError, csv.Error):
        header, rows, numbers = [], [], []
    if header != HEADER or numbers != list(range(1, len(rows) + 1)):
        raise InputError(f"{path}: must have the columns id and number, numbered 1, 2, 3, ...")
    return list(index_of([id for id, _ in rows], path))


def index_of(ids: Sequence[str], path: Path) -> pd.Index:
    """An index for looking up raw ids.

    Raises:
        InputError: An id occurs twice in the file `path`.
    """
    index = pd.Index(np.array(ids, dtype=object), dtype=object)
    if not index.is_unique:
        twice = index[index.duplicated()][0]
        raise InputError(f"{path}: the id {shown(twice)} occurs twice")
    return index
