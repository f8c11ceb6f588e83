"""CSV files, read strictly."""

import csv
import math
from pathlib import Path

from elcrec.errors import InputError, in_line, shown


def read_csv(path: Path) -> tuple[list[str], list[list[str]]]:
    """Read the header and the rows; each row has as many fields as the header.

    Raises:
        InputError: The file is missing or not UTF-8 text, a column appears twice, or a row has
            more or fewer fields than the header.
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


def as_number(text: str, where: str) -> float:
    """A field as a number; nan if it is empty.

    Args:
        text: The field as written.
        where: Words for its place, which the message begins with.

    Raises:
        InputError: It is not a number, infinite, or the text `nan`.
    """
    try:
        value = float(text) if text else math.nan
    except ValueError:
        value = math.inf
    if text and not math.isfinite(value):
        raise InputError(f"{where} is {shown(text)}; allowed: a number or nothing")
    return value
