"""Microsoft's news data set (MIND): click sequences from `behaviors.tsv`.

Each line is one impression: its number, the user, its time, the news that the user had clicked
before (oldest first, without times) and the news shown, each with -1 (clicked) or -0.
Source: Wu et al., "MIND: A Large-scale Dataset for News Recommendation", ACL 2020.

The paper's Table 9 does not say how sequences were made from them. Here a user's sequence is the
longest history on any of the user's lines (the earliest of equally long ones), followed by the
clicks of that impression and of the later ones, in order of time. This is right whether histories
grow from line to line or, as in the published files, are the same on all of a user's lines. Clicks
within one impression have no order; that of the line is kept. News clicked twice appears twice.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import count
from typing import NamedTuple

from elcrec.errors import shown

_COLUMNS = ("impression", "user", "time", "history", "impressions")
_TIME = "%m/%d/%Y %I:%M:%S %p"


class _Impression(NamedTuple):
    time: datetime
    history: list[str]
    clicked: list[str]


def read_behaviors(lines: Iterable[bytes]) -> Iterator[tuple[str, str, int]]:
    """Yield (user, item, number of the row) of every click, user after user.

    Args:
        lines: Lines of `behaviors.tsv`.

    Raises:
        ValueError: Says what is wrong with the last line read.
    """
    impressions: dict[str, list[_Impression]] = defaultdict(list)
    for line in lines:
        values = line.decode().rstrip("\r\n").split("\t")
        expected = f"expected {len(_COLUMNS)} ({', '.join(_COLUMNS)}) separated by tabs"
        if len(values) != len(_COLUMNS):
            raise ValueError(f"{len(values) if any(values) else 0} columns; {expected}")
        _, user, time, history, shown_news = values
        if not user:
            raise ValueError(f"an empty user; {expected}")
        impressions[user].append(_Impression(_time(time), history.split(), _clicked(shown_news)))
    rows = count()
    for user, own in impressions.items():
        for item in _clicks(own):
            yield user, item, next(rows)


def _clicks(impressions: list[_Impression]) -> Iterator[str]:
    """One user's news, oldest first."""
    ordered = sorted(impressions, key=lambda one: one.time)  # stable: by line in the same second
    first = max(range(len(ordered)), key=lambda number: len(ordered[number].history))
    yield from ordered[first].history
    for impression in ordered[first:]:
        yield from impression.clicked


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
            allowed = "news with -1 (clicked) or -0"
            raise ValueError(f"impressions must be {allowed}, not {entry[:40]!r}")
        if label == "1":
            clicked.append(news)
    return clicked
