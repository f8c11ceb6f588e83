"""Which id of the raw data has which number: `users.csv` and `items.csv` beside `sequences.txt`."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from elcrec.data.sequences import Sequences
from elcrec.errors import InputError
from elcrec.files.atomic import write_text
from elcrec.files.csvfile import csv_text

FILES = ("users.csv", "items.csv")
HEADER = ["id", "number"]


@dataclass(frozen=True)
class Ids:
    """The raw ids of a prepared data set; that of number 1 comes first."""

    users: Sequence[str]
    items: Sequence[str]

    def user(self, number: int) -> str:
        """The raw id of the user on a line of `sequences.txt`, counted from 0 as in batches."""
        return self.users[number]

    def item(self, number: int) -> str:
        """The raw id of an item, counted from 1."""
        return self.items[number - 1]


def write_ids(folder: Path, sequences: Sequences) -> None:
    """Write both files."""
    for name, ids in zip(FILES, (sequences.users, sequences.item_ids), strict=True):
        rows = [{"id": id, "number": number} for number, id in enumerate(ids, 1)]
        write_text(folder / name, csv_text(rows, HEADER))


def read_ids(folder: Path) -> Ids:
    """Read both files.

    Raises:
        InputError: One is missing, or is not as `write_ids` writes it.
    """
    return Ids(*(_read(folder / name) for name in FILES))


def _read(path: Path) -> list[str]:
    try:  # not by `read_csv`, which takes an id that begins with # for a comment
        header, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
        numbers = [int(number) for _, number in rows]
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); `elcrec data prepare` writes it"
        ) from None
    except (ValueError, csv.Error):
        header, rows, numbers = [], [], []
    if header != HEADER or numbers != list(range(1, len(rows) + 1)):
        raise InputError(f"{path}: must have the columns id and number, the numbers 1, 2, 3, ...")
    return [id for id, _ in rows]
