"""The prepared format: one line per user, `user item item …`, oldest item first, ids from 1."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from elcrec.data.rawfile import read_bytes
from elcrec.errors import InputError

MIN_ITEMS = 4  # one training input, its target, one item to validate and one to test
_EXPECTED = "expected `user item item …` with whole item ids from 1"
_SPACE = " \t\r\v\f"  # single spaces are usual, the others tolerated
_SPACES = f"[{_SPACE}]+"
_NO_TEXT = r"\0\udc80-\udcff"  # NUL, and bytes that are no UTF-8
_ITEM = "0*[1-9][0-9]*"
_LINE = re.compile(
    rf"[{_SPACE}]*([^{_NO_TEXT}{_SPACE}]+)((?:{_SPACES}{_ITEM}){{{MIN_ITEMS},}})[{_SPACE}]*"
)
_BOM = b"\xef\xbb\xbf"

Split = Literal["valid", "test"]
SPLITS: tuple[Split, ...] = ("valid", "test")


@dataclass(frozen=True, eq=False)
class Sequences:
    """All users' items in one flat array."""

    items: npt.NDArray[np.int64]
    """(actions,) item ids from 1, user after user, oldest first."""
    offsets: npt.NDArray[np.int64]
    """(users + 1,) start of each user's items; the last one is their number."""
    users: tuple[str, ...]
    """Each user's token in the file."""

    @property
    def n_users(self) -> int:
        """Number of users."""
        return len(self.users)

    @property
    def n_items(self) -> int:
        """Largest item id: ids need not be dense in a user's own file."""
        return int(self.items.max())

    @property
    def n_actions(self) -> int:
        """Number of interactions."""
        return len(self.items)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """(users,) number of items of each user."""
        return np.diff(self.offsets)

    def digest(self) -> str:
        """Hash of all histories: 16 hexadecimal digits."""
        whole = hashlib.sha256(np.asarray(self.offsets, dtype=np.int64).tobytes())
        whole.update(np.asarray(self.items, dtype=np.int64).tobytes())
        return whole.hexdigest()[:16]


def read_sequences(path: Path | str) -> Sequences:
    """Read a file of the prepared format.

    Raises:
        InputError: The first wrong line and why: an item that is no whole number from 1, fewer
            than 4 items, a user who was there before, an empty line; or an item id so large that
            its table could not be held.
    """
    return parse_sequences(read_bytes(Path(path)), path)


def parse_sequences(data: bytes, path: Path | str) -> Sequences:
    """Parse the content of a file of the prepared format; `path` is for messages only.

    Raises:
        InputError: As `read_sequences`.
    """
    text = data.removeprefix(_BOM).removesuffix(b"\n").decode(errors="surrogateescape")
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
    lengths = [len(history.split()) for history in histories]
    items = np.fromstring(" ".join(histories), dtype=np.int64, sep=" ")
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    sequences = Sequences(items, offsets, tuple(users))
    _refuse_large_ids(path, sequences)
    return sequences


def format_sequences(sequences: Sequences) -> bytes:
    """The content of a file of the prepared format, every line ended by a newline."""
    items = [str(item) for item in sequences.items.tolist()]
    offsets = sequences.offsets.tolist()
    lines = [
        f"{user} {' '.join(items[start:stop])}\n"
        for user, start, stop in zip(sequences.users, offsets[:-1], offsets[1:], strict=True)
    ]
    return "".join(lines).encode()


def _problem(line: str, users: Mapping[str, int]) -> str:
    """What is wrong with a line that is not as it should be, or has one of the users before it."""
    user, *items = re.split(_SPACES, line.strip(_SPACE))
    if re.search(f"[{_NO_TEXT}]", line):
        return "a binary file, not text" if "\0" in line else "not UTF-8 text"
    if not user:
        return "an empty line"
    for item in items:
        if not re.fullmatch(_ITEM, item):
            return f"item {item[:40]!r} is not a whole number from 1"
    if len(items) < MIN_ITEMS:
        return f"user {user[:40]!r} has fewer than {MIN_ITEMS} items"
    return f"user {user[:40]!r} is already on line {users[user]}"


def _refuse_large_ids(path: Path | str, sequences: Sequences) -> None:
    """A row of the item table is allocated for every id up to the largest."""
    distinct = len(np.unique(sequences.items))
    limit = 100 * distinct + 1000
    if sequences.n_items > limit:
        first = int(np.argmax(sequences.items > limit))
        line = int(np.searchsorted(sequences.offsets, first, side="right"))
        raise InputError(
            f"{path}, line {line}: item id {sequences.items[first]} is too large; with {distinct} "
            f"different items the largest id allowed is {limit}, better number them from 1"
        )
