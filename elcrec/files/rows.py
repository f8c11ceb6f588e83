"""Rows of CSV files by their columns; a missing field or one that is not a number is refused."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from elcrec.errors import InputError
from elcrec.files.csvfile import as_number, read_csv


@dataclass(frozen=True)
class Row:
    """A line of a CSV file."""

    path: Path
    values: Mapping[str, str]

    def text(self, key: str) -> str:
        """The field as written; empty for a gap.

        Raises:
            InputError: The file has no such column.
        """
        if key not in self.values:
            columns = ", ".join(self.values)
            raise InputError(f"{self.path}: has no column '{key}'; it has: {columns}")
        return self.values[key]

    def number(self, key: str) -> float:
        """The field as a number; nan for a gap.

        Raises:
            InputError: There is no such column, or the field is not a number.
        """
        return as_number(self.text(key), f"{self.path}: {key}")


def read_rows(path: Path) -> list[Row]:
    """Read a CSV file, in which lines that begin with `#` are comments; no file gives no rows.

    Raises:
        InputError: A line with more or fewer fields than the header.
    """
    if not path.is_file():
        return []
    header, body = read_csv(path)
    return [Row(path, dict(zip(header, fields, strict=True))) for fields in body]


def rows_of(frame: pd.DataFrame) -> list[Row]:
    """The rows of a frame, as they would be read from the CSV file written from it."""
    records = frame.astype(object).where(frame.notna(), "").to_dict("records")
    return [Row(Path(), {str(k): str(v) for k, v in record.items()}) for record in records]


def filled(rows: Iterable[Row], *keys: str) -> list[Row]:
    """The rows that have something in one of these columns; errors as for `Row`."""
    return [row for row in rows if any(map(row.text, keys))]


def frame_of(rows: Iterable[Row], texts: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
    """Columns of some rows, those of numbers with nan for gaps; errors as for `Row`."""
    values = [[*map(row.text, texts), *map(row.number, numbers)] for row in rows]
    return pd.DataFrame(values, columns=[*texts, *numbers])
