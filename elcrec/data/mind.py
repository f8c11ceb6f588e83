"""Microsoft's news data set (MIND): click sequences from `behaviors.tsv`.

Each line is one impression: its number, the user, its time, the news that the user had clicked
before (oldest first, without times) and the news shown, each with -1 (clicked) or -0.
Source: Wu et al., "MIND: A Large-scale Dataset for News Recommendation", ACL 2020.

The paper's Table 9 does not say how it made sequences of them. Here a user's sequence is the
longest history on any of the user's lines, of equally long ones the earliest, and then the clicks
of that impression and of the later ones, in order of time. So it is right whether the histories
grow from line to line or, as in the published files, are the same on all of a user's lines. Clicks
within one impression have no order; that of the line is kept. News clicked twice stand twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from elcrec.data.rawfile import numbered_lines
from elcrec.errors import InputError, shown

_COLUMNS = ("impression", "user", "time", "history", "impressions")
_TIME = "%m/%d/%Y %I:%M:%S %p"


class _Impression(NamedTuple):
    time: datetime
    line: int
    """Number in the file: decides between impressions of the same second."""
    history: list[str]
    clicked: list[str]


def read_behaviors(path: Path, member: str | None = None) -> pd.DataFrame:
    """Read `behaviors.tsv`.

    Args:
        path: The file: plain, gzip-compressed, or a zip archive that holds `member`.
        member: File inside the zip archive.

    Returns:
        Columns user, item (text) and time (int64), one row per click, user after user; time counts
        the rows, for the clicks of a history have no other.

    Raises:
        InputError: The first wrong line, with what is expected there.
    """
    impressions: dict[str, list[_Impression]] = {}
    for number, line in numbered_lines(path, member):
        try:
            user, impression = _parse(number, line)
        except ValueError as error:  # UnicodeDecodeError is one, too
            raise InputError(f"{path}, line {number}: {_reason(error)}") from None
        impressions.setdefault(user, []).append(impression)
    users: list[str] = []
    items: list[str] = []
    for user, own in impressions.items():
        before = len(items)
        items.extend(_clicks(own))
        users.extend([user] * (len(items) - before))
    return pd.DataFrame(
        {
            "user": pd.Series(users, dtype=object),
            "item": pd.Series(items, dtype=object),
            "time": np.arange(len(items), dtype=np.int64),
        }
    )


def _clicks(impressions: list[_Impression]) -> Iterator[str]:
    """One user's news, oldest first."""
    ordered = sorted(impressions, key=lambda i: (i.time, i.line))
    lengths = [len(impression.history) for impression in ordered]
    first = lengths.index(max(lengths))
    yield from ordered[first].history
    for impression in ordered[first:]:
        yield from impression.clicked


def _parse(number: int, line: bytes) -> tuple[str, _Impression]:
    """User and impression of a line; ValueError says what is wrong with it."""
    values = line.decode("utf-8").rstrip("\r\n").split("\t")
    if len(values) != len(_COLUMNS):
        raise ValueError(
            f"{len(values) if any(values) else 0} columns; expected {len(_COLUMNS)} "
            f"({', '.join(_COLUMNS)}) separated by tabs"
        )
    _, user, time, history, impressions = values
    if not user:
        raise ValueError(f"an empty user; expected {', '.join(_COLUMNS)} separated by tabs")
    return user, _Impression(_time(time), number, history.split(), _clicked(impressions))


def _time(text: str) -> datetime:
    try:
        return datetime.strptime(text, _TIME)
    except ValueError:
        raise ValueError(f"time must be MM/DD/YYYY hh:mm:ss AM or PM, not {shown(text)}") from None


def _clicked(impressions: str) -> list[str]:
    clicked = []
    for entry in impressions.split():
        news, _, label = entry.rpartition("-")
        if not news or label not in ("0", "1"):
            raise ValueError(
                f"impressions must be news with -1 (clicked) or -0, not {entry[:40]!r}"
            )
        if label == "1":
            clicked.append(news)
    return clicked


def _reason(error: ValueError) -> str:
    return "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)
