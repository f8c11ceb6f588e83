"""The prepared format: a line for each user, `user item item ...`, oldest item first.

Ids may be anything without blanks. Items are numbered from 1 in order of first appearance and users
from 1 in the order of their lines, whatever their ids are, so that results do not depend on ids.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from elcrec.data.rawfile import read_bytes
from elcrec.errors import InputError

MIN_ITEMS = 4  # one training input, its target, one item to validate and one to test
_EXPECTED = "expected `user item item ...` with at least 4 items, separated by blanks"
_SPACE = " \t\r\v\f"  # single spaces are usual, the others are tolerated
_SPACES = f"[{_SPACE}]+"
_NO_TEXT = r"\0\udc80-\udcff"  # NUL, and bytes that are not UTF-8
_ID = rf"[^{_NO_TEXT}{_SPACE}]+"
_LINE = re.compile(rf"[{_SPACE}]*({_ID})((?:{_SPACES}{_ID}){{{MIN_ITEMS},}})[{_SPACE}]*")

Split = Literal["valid", "test"]
HISTORY_END: dict[Split, int] = {"valid": 2, "test": 1}
"""How many items at the end of a line are not part of a split's input history; the first of them is
its target."""
SPLITS: tuple[Split, ...] = tuple(HISTORY_END)


@dataclass(frozen=True, eq=False)
class Sequences:
    """All users' items in one flat array."""

    items: npt.NDArray[np.int64]
    """(actions,) numbers of the items from 1, user after user, oldest first."""
    offsets: npt.NDArray[np.int64]
    """(users + 1,) start of each user's items; the last entry is the number of interactions."""
    users: tuple[str, ...]
    """Each user's id in the file."""
    item_ids: Sequence[str] = ()
    """Each item's id in the file, that of item 1 first; empty where there are numbers only."""

    @property
    def n_users(self) -> int:
        """Number of users."""
        return len(self.users)

    @property
    def n_items(self) -> int:
        """Number of items, which is the largest of their numbers."""
        return int(self.items.max())

    @property
    def n_actions(self) -> int:
        """Number of interactions."""
        return len(self.items)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """(users,) number of items of each user."""
        return np.diff(self.offsets)

    def repeated(self) -> dict[Split, int]:
        """How many targets of each split already occur in the user's own history."""
        place, found = np.arange(len(self.items)), {}
        for split, end in HISTORY_END.items():
            target = np.repeat(self.offsets[1:] - end, self.lengths)
            same = (self.items == self.items[target]) & (place < target)
            found[split] = int(np.logical_or.reduceat(same, self.offsets[:-1]).sum())
        return found

    def digest(self) -> str:
        """Hash of all histories: 16 hexadecimal digits."""
        whole = hashlib.sha256(np.asarray(self.offsets, dtype=np.int64).tobytes())
        whole.update(np.asarray(self.items, dtype=np.int64).tobytes())
        return whole.hexdigest()[:16]


def read_sequences(path: Path | str) -> Sequences:
    """Read a file of the prepared format.

    Raises:
        InputError: Names the first wrong line and why: fewer than 4 items, a user of an earlier
            line, an empty line, or not text.
    """
    return parse_sequences(read_bytes(Path(path)), path)


def parse_sequences(data: bytes, path: Path | str) -> Sequences:
    """Parse the content of a file of the prepared format; `path` is for messages only.

    Raises:
        InputError: As for `read_sequences`.
    """
    text = data.removesuffix(b"\n").decode(errors="surrogateescape")
    lines = text.split("\n")
    if lines == [""]:
        raise InputError(f"{path}: is empty; {_EXPECTED}")
    users: dict[str, int] = {}
    histories = []
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None or match[1] in users:
            wrong = _problem(line, users)
            raise InputError(f"{path}, line {number}: {wrong}; {_EXPECTED}")
        users[match[1]] = number
        histories.append(match[2])
    words = [_words(history) for history in histories]
    lengths = [len(items) for items in words]
    codes, ids = pd.factorize(np.array([item for items in words for item in items], dtype=object))
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    return Sequences(codes.astype(np.int64) + 1, offsets, tuple(users), tuple(ids))


def format_sequences(sequences: Sequences) -> bytes:
    """The content of a prepared file: numbers of users and items, every line ended by a newline."""
    items = [str(item) for item in sequences.items.tolist()]
    offsets = sequences.offsets.tolist()
    lines = [
        f"{user} {' '.join(items[start:stop])}\n"
        for user, (start, stop) in enumerate(pairwise(offsets), 1)
    ]
    return "".join(lines).encode()


def _words(text: str) -> list[str]:
    """The ids in a text. `str.split` would also split at spaces of Unicode, which ids may have."""
    return re.split(_SPACES, text.strip(_SPACE))


def _problem(line: str, users: Mapping[str, int]) -> str:
    """What is wrong with a malformed line, or with one that repeats the user of an earlier line."""
    user, *items = _words(line)
    if re.search(f"[{_NO_TEXT}]", line):
        return "a binary file, not text" if "\0" in line else "not UTF-8 text"
    if not user:
        return "an empty line"
    if len(items) < MIN_ITEMS:
        return f"user {user[:40]!r} has fewer than {MIN_ITEMS} items"
    return f"user {user[:40]!r} is already on line {users[user]}"
