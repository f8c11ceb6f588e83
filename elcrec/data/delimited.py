"""Read lines of separated columns at full speed, and find the wrong one only if there is one."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd

from elcrec.errors import InputError, in_line, shown


@dataclass(frozen=True)
class Layout:
    """Columns of a file; those named user, item and, if there is one, time are read."""

    columns: tuple[str, ...]
    separator: str
    first_line: int
    """Number of the first line of data in the file, for messages."""

    def expected(self) -> str:
        """Describe a right line."""
        separator = {"\t": "tabs", " ": "a space"}.get(self.separator, f"'{self.separator}'")
        names = in_line(", ".join(self.columns))
        return f"{len(self.columns)} columns ({names}) separated by {separator}"


def read_delimited(path: Path, data: bytes, layout: Layout) -> pd.DataFrame:
    """Parse `data`, the content of `path` without its header.

    Returns:
        Columns user, item (text) and time (float64), in the order of the file. Without a column of
        times, they count the lines: the file's order is then all that is known.

    Raises:
        InputError: The first line with a missing or extra column, an empty user or item, a time
            that is no number, or bytes that are no UTF-8 text.
    """
    data = data.replace(b"\r\n", b"\n")
    if layout.separator != "\t":  # pandas is fast with separators of one character only
        data = data.replace(layout.separator.encode(), b"\t")
    frame = _parse(data, layout)
    if frame is None:
        _refuse(path, data, layout)
    return frame


def _parse(data: bytes, layout: Layout) -> pd.DataFrame | None:
    """Return the frame, or None if any line is wrong."""
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    # pandas drops surplus columns in silence. A line that lacks one has an empty last column
    # (time, or else item), so with the right number of separators in all and none of those empty,
    # every line has its columns.
    if not data or b"\0" in data or data.count(b"\t") != lines * (len(layout.columns) - 1):
        return None
    try:
        frame = pd.read_csv(
            io.BytesIO(data),
            sep="\t",
            lineterminator="\n",
            header=None,
            names=list(range(len(layout.columns))),
            index_col=False,
            dtype=str,
            na_filter=False,
            quoting=csv.QUOTE_NONE,
            skip_blank_lines=False,
        )
        position = layout.columns.index
        times = frame[position("time")] if "time" in layout.columns else np.arange(len(frame))
        frame = frame[[position("user"), position("item")]].assign(time=times)
        frame.columns = pd.Index(["user", "item", "time"])
        frame = frame.assign(time=frame["time"].astype("float64"))
    except ValueError:  # pandas' parser errors and UnicodeDecodeError are ValueErrors
        return None
    empty = (frame["user"] == "") | (frame["item"] == "")
    return None if empty.any() or not np.isfinite(frame["time"]).all() else frame


def _refuse(path: Path, data: bytes, layout: Layout) -> NoReturn:
    """Go through the lines one by one for the first wrong one."""
    if not data:
        raise InputError(f"{path}: holds no data; expected {layout.expected()}")
    lines = data.removesuffix(b"\n").split(b"\n")
    for number, line in enumerate(lines, layout.first_line):
        if wrong := _problem(line, layout):
            raise InputError(f"{path}, line {number}: {wrong}; expected {layout.expected()}")
    raise InputError(f"{path}: cannot be read; expected {layout.expected()} on every line")


def _problem(line: bytes, layout: Layout) -> str | None:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return "not UTF-8 text"
    if "\0" in text:
        return "a binary file, not text"
    values = text.split("\t")
    if len(values) != len(layout.columns):
        return f"{len(values) if text else 0} columns"
    row = dict(zip(layout.columns, values, strict=True))
    if not row["user"] or not row["item"]:
        return "an empty user or item"
    if not _is_number(row.get("time", "0")):
        return f"time {shown(row['time'])} is not a number"
    return None


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
