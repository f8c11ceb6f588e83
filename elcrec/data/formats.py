"""Readers of the raw formats: user, item, time and rating of every interaction, in file order.

A reader takes the lines of a file and yields (user, item, time, rating): user and item as text, as
in the file; a number that orders a user's interactions, whose meaning depends on the format; and
the rating, or nan. A ValueError says what is wrong with the last line read. Tables with a header
have their own reader, `elcrec.data.table`.
"""

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
from elcrec.data.sources import Columns, Format
from elcrec.data.table import EXACT, read_table
from elcrec.errors import InputError, in_line, shown

Lines = Iterator[bytes]
Rows = Iterator[tuple[str, str, float, float]]

# Yelp's data set is cut to one year; both bounds are compared with the date as text, as the
# released preprocessing does, so of 31 December only reviews at midnight are kept.
YELP_FROM = "2019-01-01"
YELP_TO = "2019-12-31 00:00:00"
_YELP_DATE = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?")
TABLES = ("csv", "recbole-inter")
LARGEST = 2**63  # whole numbers below it are kept exactly


def read_interactions(
    path: Path, format: Format, member: str | None = None, columns: Columns | None = None
) -> pd.DataFrame:
    """Read a raw file.

    Args:
        path: The file: plain, gzip-compressed, or a zip archive that holds `member`.
        format: Format of the raw file; not the prepared format.
        member: File inside the zip archive.
        columns: Which column is which, for tables.

    Returns:
        Columns user, item, time, rating; one row per interaction, in the order of the file.

    Raises:
        InputError: Names the first wrong line and what is expected there; or the file has no
            interactions.
    """
    if format in TABLES:
        return _some(path, format, read_table(path, member, columns))
    number = 0

    def lines() -> Lines:
        nonlocal number
        for number, line in numbered_lines(path, member):  # noqa: B007 (for messages)
            yield line

    try:
        frame = pd.DataFrame(_READERS[format](lines()), columns=["user", "item", "time", "rating"])
    except UnicodeDecodeError:
        raise InputError(f"{path}, line {number}: not UTF-8 text") from None
    except ValueError as error:
        raise InputError(f"{path}, line {number}: {error}") from None
    if number and frame.empty and format == "yelp-reviews":
        raise InputError(
            f"{path}: none of its {number:,} reviews is from {YELP_FROM} to {YELP_TO}, the year "
            "that the paper's data set covers; for another year use the format csv, "
            "with numeric times"
        )
    return _some(path, format, frame)


def _some(path: Path, format: Format, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame, if it is not empty and its times are exact."""
    if frame.empty:
        raise InputError(f"{path}: has no interactions; expected the format {format}")
    time = frame["time"]
    if time.dtype.kind == "f" and time.abs().max() >= EXACT:
        raise InputError(
            f"{path}: has times of {EXACT} or more as well as fractional times, which cannot both "
            "be kept exactly"
        )
    return frame


def _reviews(
    fields: Sequence[str], stars: str, time: Callable[[object], int | None], lines: Lines
) -> Rows:
    """One JSON object per line with user, item and time in `fields`; skipped if `time` is None."""
    take = itemgetter(*fields)
    for line in lines:
        try:
            review = json.loads(line)
            user, item, given = take(review)
        except (ValueError, RecursionError):
            expected = f"expected an object with {', '.join(fields)}"
            raise ValueError(f"not valid JSON; {expected}") from None
        except (KeyError, TypeError):
            raise ValueError(f"expected an object with the fields {', '.join(fields)}") from None
        for field, value in zip(fields, (user, item), strict=False):
            if type(value) is not str or not value:
                raise ValueError(f"{field} must be text, not {shown(value)}")
        at, rating = time(given), review.get(stars)
        if at is not None:
            yield user, item, at, rating if type(rating) in (int, float) else math.nan


def _amazon_time(given: object) -> int:
    """Seconds since 1970."""
    if type(given) is not int or abs(given) >= LARGEST:
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


def _sasrec(lines: Lines) -> Rows:
    """SASRec's text: `user item` on each line, a user's items oldest first; no times."""
    for number, line in enumerate(lines):
        # SASRec's own reader ignores trailing spaces too.
        user, item, *_ = _columns(line.rstrip(b" \t\r\n"), ("user", "item"), " ")
        yield user, item, number, math.nan


def _columns(line: bytes, names: Sequence[str], separator: str) -> tuple[str, str, float, float]:
    """User, item and, where there are any, time and rating of a line of separated columns."""
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
            return row["user"], row["item"], time, _number(row.get("rating", "nan"))
        else:
            wrong = f"time {shown(row['time'])} is not a number"
    spaced = {"\t": "tabs", " ": "a space"}.get(separator, f"'{separator}'")
    expected = f"{len(names)} columns ({in_line(', '.join(names))}) separated by {spaced}"
    raise ValueError(f"{wrong}; expected {expected}")


def _number(text: str) -> float:
    """The number in a text, an exact integer if it is one; nan if it is not a number."""
    if "_" in text or not text.isascii():  # Python reads 1_000 and other scripts' digits
        return math.nan
    try:
        whole = int(text)
    except ValueError:
        pass
    else:
        return whole if abs(whole) < LARGEST else math.nan
    try:
        return float(text)
    except ValueError:
        return math.nan


def _clicks(lines: Lines) -> Rows:
    """MIND's clicks, which have no rating."""
    for user, item, place in read_behaviors(lines):
        yield user, item, place, math.nan


_READERS: dict[str, Callable[[Lines], Rows]] = {
    "amazon-reviews": partial(
        _reviews, ("reviewerID", "asin", "unixReviewTime"), "overall", _amazon_time
    ),
    "yelp-reviews": partial(_reviews, ("user_id", "business_id", "date"), "stars", _yelp_time),
    "movielens": _movielens,
    "sasrec-text": _sasrec,
    "mind-behaviors": _clicks,
}
