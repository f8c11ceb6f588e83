"""Readers of the raw formats: each gives user, item and time of every interaction, in file order.

A frame has the columns `user` and `item` (text, as in the file) and `time` (numbers that order a
user's interactions; what they count differs with the format).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd

from elcrec.data.delimited import Layout, read_delimited
from elcrec.data.mind import read_behaviors
from elcrec.data.rawfile import numbered_lines, read_bytes
from elcrec.errors import InputError, shown

# Yelp's data set is cut to one year; both bounds are compared with the date as text, as the
# released preprocessing does, so that of 31 December only a review at midnight stays.
YELP_FROM = "2019-01-01"
YELP_TO = "2019-12-31 00:00:00"

_AMAZON = ("reviewerID", "asin", "unixReviewTime")
_YELP = ("user_id", "business_id", "date")
_YELP_DATE = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?")
_TRAILING_SPACE = re.compile(rb"[ \t\r]+$", re.MULTILINE)
_LARGEST_TIME = 2**53  # exact in every type that a time passes through


def read_interactions(path: Path, format: str, member: str | None = None) -> pd.DataFrame:
    """Read a raw file.

    Args:
        path: The file: plain, gzip-compressed, or a zip archive that holds `member`.
        format: One of `RAW_FORMATS` of `elcrec.data.sources`.
        member: File inside the zip archive.

    Returns:
        Columns user, item, time; one row per interaction, in the order of the file.

    Raises:
        InputError: The first wrong line, with what is expected there; or no interaction at all.
    """
    frame = _READERS[format](path, member)
    if frame.empty:
        raise InputError(f"{path}: holds no interaction; expected the format {format}")
    return frame


def _amazon(path: Path, member: str | None) -> pd.DataFrame:
    """Reviews of Amazon 2014, any rating; time in seconds since 1970."""
    users, items, times = [], [], []
    for number, (user, item, time) in _json_fields(path, member, _AMAZON):
        if type(time) is not int or abs(time) >= _LARGEST_TIME:
            wanted = "unixReviewTime must be a whole number of seconds"
            _wrong(path, number, f"{wanted}, not {shown(time)}")
        users.append(user)
        items.append(item)
        times.append(time)
    return pd.DataFrame({"user": users, "item": items, "time": np.array(times, dtype=np.int64)})


def _yelp(path: Path, member: str | None) -> pd.DataFrame:
    """Reviews of Yelp of the year 2019; time is the date's digits, YYYYMMDDhhmmss."""
    users, items, dates = [], [], []
    for number, (user, item, date) in _json_fields(path, member, _YELP):
        if type(date) is not str or not _YELP_DATE.fullmatch(date):
            _wrong(path, number, f"date must be YYYY-MM-DD hh:mm:ss, not {shown(date)}")
        if YELP_FROM <= date <= YELP_TO:
            users.append(user)
            items.append(item)
            dates.append(date)
    digits = pd.Series(dates, dtype=str).str.replace(r"\D", "", regex=True).str.ljust(14, "0")
    return pd.DataFrame({"user": users, "item": items, "time": digits.astype("int64")})


def _json_fields(
    path: Path, member: str | None, fields: tuple[str, str, str]
) -> Iterator[tuple[int, tuple]]:
    """Yield (line number, (user, item, time)) of a file with one JSON object per line."""
    take = itemgetter(*fields)
    for number, line in numbered_lines(path, member):
        try:
            values = take(json.loads(line))
        except (ValueError, RecursionError):
            _wrong(path, number, f"not valid JSON; expected an object with {', '.join(fields)}")
        except (KeyError, TypeError):
            _wrong(path, number, f"expected an object with the fields {', '.join(fields)}")
        for field, value in zip(fields[:2], values, strict=False):
            if type(value) is not str or not value:
                _wrong(path, number, f"{field} must be text, not {shown(value)}")
        yield number, values


def _movielens(path: Path, member: str | None) -> pd.DataFrame:
    """`u.data` (tabs) or `ratings.dat` (`::`): user, item, rating, time in seconds since 1970."""
    data = read_bytes(path, member)
    separator = "::" if b"::" in data.partition(b"\n")[0] else "\t"
    layout = Layout(("user", "item", "rating", "time"), separator, first_line=1)
    return read_delimited(path, data, layout)


def _recbole(path: Path, member: str | None) -> pd.DataFrame:
    """RecBole's atomic file: a header of `name:type`, tab-separated, then one line each."""
    header, _, data = read_bytes(path, member).partition(b"\n")
    text = header.decode("utf-8", errors="replace").strip()
    names = [field.partition(":")[0] for field in text.split("\t")]
    wanted = {"user_id": "user", "item_id": "item", "timestamp": "time"}
    for name in wanted:
        if names.count(name) != 1:
            wanted_header = "expected a header with user_id, item_id, timestamp"
            _wrong(path, 1, f"{wanted_header}, not {shown(text)}")
    layout = Layout(tuple(wanted.get(name, name) for name in names), "\t", first_line=2)
    return read_delimited(path, data, layout)


def _sasrec(path: Path, member: str | None) -> pd.DataFrame:
    """SASRec's text: `user item` on each line, a user's items oldest first; no times."""
    data = read_bytes(path, member)
    data = _TRAILING_SPACE.sub(b"", data)  # SASRec's own reader passes over it too
    return read_delimited(path, data, Layout(("user", "item"), " ", first_line=1))


def _wrong(path: Path, number: int, what: str) -> NoReturn:
    raise InputError(f"{path}, line {number}: {what}")


_READERS = {
    "amazon-reviews": _amazon,
    "yelp-reviews": _yelp,
    "movielens": _movielens,
    "recbole-inter": _recbole,
    "sasrec-text": _sasrec,
    "mind-behaviors": read_behaviors,
}
