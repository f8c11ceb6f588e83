"""Readers of the raw formats: each gives user, item and time of every interaction, in file order.

A reader takes the lines of a file and yields (user, item, time): two texts, as in the file, and a
number that orders a user's interactions; what it counts differs with the format. A ValueError says
what is wrong with the line that it took last.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import itemgetter
from pathlib import Path

import pandas as pd

from elcrec.data.mind import read_behaviors
from elcrec.data.rawfile import numbered_lines
from elcrec.data.sources import Format
from elcrec.errors import InputError, in_line, shown

Lines = Iterator[bytes]
Rows = Iterator[tuple[str, str, float]]

# Yelp's data set is cut to one year; both bounds are compared with the date as text, as the
# released preprocessing does, so that of 31 December only a review at midnight stays.
YELP_FROM = "2019-01-01"
YELP_TO = "2019-12-31 00:00:00"
_YELP_DATE = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?")
_LARGEST_TIME = 2**53  # exact in every type that a time passes through


def read_interactions(path: Path, format: Format, member: str | None = None) -> pd.DataFrame:
    """Read a raw file.

    Args:
        path: The file: plain, gzip-compressed, or a zip archive that holds `member`.
        format: That of the file, not the prepared one.
        member: File inside the zip archive.

    Returns:
        Columns user, item, time; one row per interaction, in the order of the file.

    Raises:
        InputError: The first wrong line, with what is expected there; or no interaction at all.
    """
    number = 1

    def lines() -> Lines:
        nonlocal number
        for number, line in numbered_lines(path, member):  # noqa: B007 (of a message)
            yield line

    try:
        frame = pd.DataFrame(_READERS[format](lines()), columns=["user", "item", "time"])
    except UnicodeDecodeError:
        raise InputError(f"{path}, line {number}: not UTF-8 text") from None
    except ValueError as error:
        raise InputError(f"{path}, line {number}: {error}") from None
    if frame.empty:
        raise InputError(f"{path}: holds no interaction; expected the format {format}")
    return frame


def _reviews(fields: Sequence[str], time: Callable[[object], int | None], lines: Lines) -> Rows:
    """One JSON object per line with user, item and time in `fields`; those without `time` go."""
    take = itemgetter(*fields)
    for line in lines:
        try:
            user, item, given = take(json.loads(line))
        except (ValueError, RecursionError):
            expected = f"expected an object with {', '.join(fields)}"
            raise ValueError(f"not valid JSON; {expected}") from None
        except (KeyError, TypeError):
            raise ValueError(f"expected an object with the fields {', '.join(fields)}") from None
        for field, value in zip(fields, (user, item), strict=False):
            if type(value) is not str or not value:
                raise ValueError(f"{field} must be text, not {shown(value)}")
        at = time(given)
        if at is not None:
            yield user, item, at


def _amazon_time(given: object) -> int:
    """Seconds since 1970."""
    if type(given) is not int or abs(given) >= _LARGEST_TIME:
        raise ValueError(f"unixReviewTime must be a whole number of seconds, not {shown(given)}")
    return given


def _yelp_time(given: object) -> int | None:
    """The date's digits, YYYYMMDDhhmmss; None outside of the year 2019."""
    if type(given) is not str or not _YELP_DATE.fullmatch(given):
        raise ValueError(f"date must be YYYY-MM-DD hh:mm:ss, not {shown(given)}")
    inside = YELP_FROM <= given <= YELP_TO
    return int(re.sub(r"\D", "", given).ljust(14, "0")) if inside else None


def _movielens(lines: Lines) -> Rows:
    """`u.data` (tabs) or `ratings.dat` (`::`): user, item, rating, time in seconds since 1970."""
    for line in lines:
        separator = "::" if b"::" in line else "\t"
        yield _columns(line, ("user", "item", "rating", "time"), separator)


def _recbole(lines: Lines) -> Rows:
    """RecBole's atomic file: a header of `name:type`, tab-separated, then one line each."""
    header = next(lines, b"").decode(errors="replace").strip()
    wanted = {"user_id": "user", "item_id": "item", "timestamp": "time"}
    names = [field.partition(":")[0] for field in header.split("\t")]
    if any(names.count(name) != 1 for name in wanted):
        raise ValueError(f"expected a header with {', '.join(wanted)}, not {shown(header)}")
    for line in lines:
        yield _columns(line, [wanted.get(name, name) for name in names], "\t")


def _sasrec(lines: Lines) -> Rows:
    """SASRec's text: `user item` on each line, a user's items oldest first; no times."""
    for number, line in enumerate(lines):
        # SASRec's own reader passes over spaces at the end too.
        user, item, _ = _columns(line.rstrip(b" \t\r\n"), ("user", "item"), " ")
        yield user, item, number


def _columns(line: bytes, names: Sequence[str], separator: str) -> tuple[str, str, float]:
    """User, item and, where there is one, time of a line of separated columns."""
    text = line.decode().rstrip("\r\n")
    values = text.split(separator)
    if len(values) != len(names):
        wrong = f"{len(values) if text else 0} columns"
    else:
        row = dict(zip(names, values, strict=True))
        time = _number(row.get("time", "0"))
        if "\0" in text:
            wrong = "a binary file, not text"
        elif not row["user"] or not row["item"]:
            wrong = "an empty user or item"
        elif math.isfinite(time):
            return row["user"], row["item"], time
        else:
            wrong = f"time {shown(row['time'])} is not a number"
    spaced = {"\t": "tabs", " ": "a space"}.get(separator, f"'{separator}'")
    expected = f"{len(names)} columns ({in_line(', '.join(names))}) separated by {spaced}"
    raise ValueError(f"{wrong}; expected {expected}")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


_READERS: dict[str, Callable[[Lines], Rows]] = {
    "amazon-reviews": partial(_reviews, ("reviewerID", "asin", "unixReviewTime"), _amazon_time),
    "yelp-reviews": partial(_reviews, ("user_id", "business_id", "date"), _yelp_time),
    "movielens": _movielens,
    "recbole-inter": _recbole,
    "sasrec-text": _sasrec,
    "mind-behaviors": read_behaviors,
}
