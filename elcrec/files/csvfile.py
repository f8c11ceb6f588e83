"""CSV files, read strictly, and rows as their text."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from elcrec.errors import InputError, in_line


def read_csv(path: Path) -> tuple[list[str], list[list[str]]]:
    """Read the header and the rows, each with as many fields.

    Raises:
        InputError: The file is missing or no UTF-8 text, a column stands twice, or a row has more
            or fewer fields than the header.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        lines = [line for line in text.split("\n") if line[:1] != "#"]
        header, *rows = [row for row in csv.reader(lines) if row] or [[]]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: is not a CSV file in UTF-8 ({error})") from None
    if len(set(header)) < len(header):
        raise InputError(f"{path}: the columns must have different names")
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            where = f"{path}: row {in_line(', '.join(row[:2])) or number}"
            raise InputError(f"{where}: has {len(row)} fields; allowed: {len(header)}")
    return header, rows


def csv_text(rows: Sequence[Mapping[str, object]], header: Sequence[str] = ()) -> str:
    """Return rows as CSV in full precision; None and nan are empty fields.

    Args:
        rows: Column to value, the columns in order.
        header: Columns of a table that may have no row.

    Raises:
        ValueError: A row with keys that the header, or without one the first row, lacks.
    """
    stream = io.StringIO()
    columns = header or (list(rows[0]) if rows else [])
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _field(value) for key, value in row.items()})
    return stream.getvalue()


def _field(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return repr(float(value)) if isinstance(value, float) else str(value)
