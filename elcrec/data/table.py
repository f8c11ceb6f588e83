"""Tables with named columns: CSV as MovieLens and Amazon publish it, RecBole's atomic files.

Columns are identified by their names, by `columns` in the configuration, or, in a file without a
header, by their positions.
"""

import csv
import io
import re
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd

from elcrec.data.rawfile import read_bytes
from elcrec.data.sources import Columns
from elcrec.errors import InputError, shown

NAMES = {
    "user": ("user", "user_id", "userid", "reviewerid", "uid"),
    "item": ("item", "item_id", "itemid", "movieid", "asin", "parent_asin", "product_id", "iid"),
    "time": ("time", "timestamp", "unixreviewtime"),
    "rating": ("rating", "overall", "stars"),
}
"""Column names that are recognised without configuration, in lower case; the first match counts."""
BLANKS = r"\s+"
"""Separates the columns of a file without a header."""
EXACT = 2**53  # integers below it stay exact in a column with fractions


def read_table(
    path: Path, member: str | None = None, columns: Columns | None = None
) -> pd.DataFrame:
    """Read user and item as text, time and, where there is one, rating as numbers.

    Args:
        path: The file: plain, gzip-compressed, or a zip archive.
        member: File inside the archive.
        columns: Names or positions of columns; those not given are found by `NAMES`.

    Returns:
        Columns user, item, time, rating (nan without one), in the order of the file.

    Raises:
        InputError: A column is missing, or a line is wrong; names the first one.
    """
    content = read_bytes(path, member)
    separator, fields = first_line(path, content)
    places, headed = _places(path, fields, columns or Columns())
    frame = parsed(path, content, separator, len(fields), headed)
    start = 2 if headed else 1
    found = {key: frame.iloc[:, place] for key, place in places.items()}
    for key in ("user", "item"):
        refuse(path, (found[key] == "").to_numpy(), found[key], start, f"an empty {key}")
    result = pd.DataFrame({"user": found["user"], "item": found["item"]})
    result["time"] = numbers(path, found["time"], "time", start)
    rated = "rating" in found
    result["rating"] = numbers(path, found["rating"], "rating", start) if rated else np.nan
    return result


def first_line(path: Path, content: bytes) -> tuple[str, list[str]]:
    """What separates the columns, and the fields of the first line of what `read_bytes` gives.

    Raises:
        InputError: It is not UTF-8 text; names `path`.
    """
    try:
        first = re.split(b"[\r\n]", content, maxsplit=1)[0].decode()
    except UnicodeDecodeError:
        raise InputError(f"{path}, line 1: not UTF-8 text") from None
    separator = next((mark for mark in "\t;" if mark in first), ",")
    return separator, _split(first, separator)


def read_columns(
    path: Path,
    columns: Sequence[str],
    member: str | None = None,
    header: Sequence[str] = (),
) -> pd.DataFrame:
    """Read some columns of a table as text, without surrounding spaces.

    Args:
        path: The file: plain, gzip-compressed, or an archive.
        columns: Their names; for RecBole's `name:type` the name only.
        member: File inside the archive.
        header: Names of all columns, for a file that has no header.

    Raises:
        InputError: A column is missing, or a line has more or fewer columns than the first.
    """
    content = read_bytes(path, member)
    separator, fields = first_line(path, content)
    names = list(header) or list(map(column_name, fields))
    absent = [column for column in columns if column not in names]
    if absent or len(names) != len(fields):
        wrong = f"no column {absent[0]}" if absent else f"{len(fields)} columns"
        raise InputError(f"{path}, line 1: {wrong}; expected {len(names)}: {', '.join(names)}")
    frame = parsed(path, content, separator, len(names), not header)
    frame = frame.iloc[:, [names.index(column) for column in columns]].set_axis(
        list(columns), axis=1
    )
    return frame.apply(lambda texts: texts.str.strip())


def _places(path: Path, fields: Sequence[str], columns: Columns) -> tuple[dict[str, int], bool]:
    """Position of each column, from 0, and whether the first line is a header."""
    told = {key: name for key, name in columns.model_dump().items() if name is not None}
    if any(isinstance(name, int) for name in told.values()):
        for key, place in told.items():
            if not isinstance(place, int) or place > len(fields):
                raise InputError(
                    f"{path}: columns.{key} is {shown(place)}; allowed: 1 to {len(fields)} "
                    "(for a file without a header, all columns are given by position)"
                )
        for key in ("user", "item", "time"):
            if key not in told:
                raise InputError(f"{path}: columns.{key} is missing; allowed: 1 to {len(fields)}")
        return {key: place - 1 for key, place in told.items()}, False
    names = list(map(column_name, fields))
    found = {}
    for key, known in NAMES.items():
        wanted = [told[key]] if key in told else known
        spelled = names if key in told else [name.lower() for name in names]
        place = next((spelled.index(name) for name in wanted if name in spelled), None)
        if place is not None:
            if spelled.count(spelled[place]) > 1:
                twice = f"the column {shown(names[place])} occurs twice"
                raise InputError(f"{path}, line 1: {twice}; rename one of them")
            found[key] = place
        elif key != "rating" or key in told:
            raise InputError(
                f"{path}, line 1: no column {told.get(key, f'for the {key}')} among "
                f"{shown(', '.join(names))}; name it with `columns: {{{key}: NAME}}`, or by its "
                "position from 1 if the file has no header"
            )
    return found, True


def column_name(field: str) -> str:
    """The name in a header's field; RecBole writes `name:type`."""
    return field.partition(":")[0].strip()


def _split(line: str, separator: str) -> list[str]:
    """The fields of a line."""
    if separator == BLANKS:
        return line.split()
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:  # a carriage return inside of the line, for example
        return line.split(separator)


def parsed(path: Path, content: bytes, separator: str, width: int, headed: bool) -> pd.DataFrame:
    """All fields as text, in `width` columns; with `headed` the first line is left out.

    Raises:
        InputError: The first line with more or fewer fields; names `path`.
    """
    start = 2 if headed else 1
    try:
        with warnings.catch_warnings():
            # A first line with more columns: pandas would drop them with a warning.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                io.BytesIO(content),
                sep=separator,
                header=None,
                names=range(width),
                skiprows=start - 1,
                index_col=False,
                dtype=str,
                keep_default_na=False,
                skip_blank_lines=False,
                encoding="utf-8",
                on_bad_lines="error",
                quoting=csv.QUOTE_NONE if separator in ("\t", BLANKS) else csv.QUOTE_MINIMAL,
            )
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text") from None
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=range(width), dtype=str)
    except pd.errors.ParserWarning:
        raise InputError(f"{path}, line {start}: too many columns; expected {width}") from None
    except pd.errors.ParserError as error:
        told = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        said = str(error).removeprefix("Error tokenizing data. C error: ")
        where, wrong = (f", line {told[2]}", f"{told[3]} columns") if told else ("", said)
        raise InputError(f"{path}{where}: {wrong}; expected {width}") from None
    short = np.flatnonzero(frame.iloc[:, -1] == "")  # empty, or missing in a line that is too short
    counts = _columns(content, separator) if len(short) else []
    for line, count in (counts[place + start - 1] for place in short):
        if count < width:
            raise InputError(f"{path}, line {line}: {count} columns; expected {width}")
    return frame


def _columns(content: bytes, separator: str) -> list[tuple[int, int]]:
    """Number of each row's last line, and how many columns the row has; quotes may span lines."""
    if b'"' in content and separator not in ("\t", BLANKS):
        rows = csv.reader(io.StringIO(content.decode(), newline=""), delimiter=separator)
        with suppress(csv.Error):  # a very long field, for example
            return [(rows.line_num, len(row)) for row in rows]
    lines = content.splitlines()
    return [(n, len(_split(line.decode(), separator))) for n, line in enumerate(lines, 1)]


def numbers(path: Path, texts: pd.Series, what: str, start: int) -> pd.Series:
    """Texts as numbers; integers stay exact integers.

    Args:
        path: For messages.
        texts: One for each line.
        what: The column's name, for messages.
        start: Line of the first text.

    Raises:
        InputError: A text is not a finite number, or is too large to be kept exactly.
    """
    try:
        found = pd.to_numeric(texts)
    except (ValueError, TypeError):
        found = pd.to_numeric(texts, errors="coerce")
    values = found.to_numpy(dtype=np.float64, na_value=np.nan)
    refuse(path, ~np.isfinite(values), texts, start, f"{what} {{}} is not a number")
    if found.dtype.kind != "i":
        large = np.abs(values) >= (EXACT if found.dtype.kind == "f" else 2.0**63)
        whole = texts.str.fullmatch(r"\s*[+-]?\d+\s*").to_numpy(dtype=bool)
        refuse(path, large & whole, texts, start, f"{what} {{}} is too large to be kept exactly")
    return found


def refuse(path: Path, wrong: np.ndarray, texts: pd.Series, start: int, problem: str) -> None:
    """Raise for the first wrong line; `{}` in `problem` is its text, `start` the first line."""
    if wrong.any():
        place = int(np.argmax(wrong))
        what = problem.replace("{}", shown(texts.iloc[place]), 1)  # ids in it may have braces
        raise InputError(f"{path}, line {place + start}: {what}")
