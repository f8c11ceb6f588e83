"""The prepared format: one line per user, `user item item …`, oldest item first, ids from 1."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

import numpy as np
import numpy.typing as npt

from elcrec.data.rawfile import read_bytes
from elcrec.errors import InputError

MIN_ITEMS = 4  # one training input, its target, one item to validate and one to test
_EXPECTED = "expected `user item item …` with whole item ids from 1"
_UNUSUAL_SPACE = re.compile(rb"[\t\r\v\f]|  |^ | $")
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
    lines = data.removeprefix(_BOM).removesuffix(b"\n").split(b"\n")
    sequences = _parse(lines)
    if sequences is None:
        _refuse(path, lines)
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


def _parse(lines: list[bytes]) -> Sequences | None:
    """Parse all lines at once, or return None if any is wrong."""
    # Tabs, carriage returns and double spaces are tolerated, at the price of one more pass.
    if any(_UNUSUAL_SPACE.search(line) for line in lines):
        lines = [b" ".join(line.split()) for line in lines]
    pairs = [line.partition(b" ") for line in lines]
    tails = [tail for _, _, tail in pairs]
    flat = b" ".join(tails)
    # numpy's parser takes signs and stops quietly at a NUL: only digits may reach it.
    if flat.translate(None, b"0123456789 ") or not all(tails):
        return None
    counts = np.fromiter((tail.count(b" ") for tail in tails), np.int64, len(tails)) + 1
    items = np.fromstring(flat, dtype=np.int64, sep=" ")
    offsets = np.concatenate(([0], np.cumsum(counts)))
    if len(items) != offsets[-1] or counts.min() < MIN_ITEMS or items.min() < 1:
        return None
    try:
        users = tuple(b"\n".join(user for user, _, _ in pairs).decode("utf-8").split("\n"))
    except UnicodeDecodeError:
        return None
    if len(set(users)) < len(users) or any("\0" in user for user in users):
        return None
    return Sequences(items, offsets, users)


def _refuse(path: Path | str, lines: list[bytes]) -> NoReturn:
    """Go through the lines one by one for the first wrong one."""
    if lines == [b""]:
        raise InputError(f"{path}: is empty; {_EXPECTED}")
    seen: dict[bytes, int] = {}
    for number, line in enumerate(lines, 1):
        if wrong := _problem(line, seen):
            raise InputError(f"{path}, line {number}: {wrong}; {_EXPECTED}")
        seen[line.split()[0]] = number
    raise InputError(f"{path}: cannot be read; {_EXPECTED} on every line")


def _problem(line: bytes, seen: dict[bytes, int]) -> str | None:
    try:
        words = line.decode("utf-8").encode().split()
    except UnicodeDecodeError:
        return "not UTF-8 text"
    if b"\0" in line:
        return "a binary file, not text"
    if not words:
        return "an empty line"
    for item in words[1:]:
        if not item.isdigit() or not item.strip(b"0"):
            return f"item {item.decode()[:40]!r} is not a whole number from 1"
    if len(words) - 1 < MIN_ITEMS:
        return f"user {words[0].decode()[:40]!r} has fewer than {MIN_ITEMS} items"
    if words[0] in seen:
        return f"user {words[0].decode()[:40]!r} is already on line {seen[words[0]]}"
    return None


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
