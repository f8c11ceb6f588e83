"""Histories to recommend for, a few thousand at a time, and the numbers of their items."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elcrec.data.core import to_sequences
from elcrec.data.formats import read_interactions
from elcrec.data.histories import InteractionData
from elcrec.data.ids import index_of
from elcrec.data.rawfile import numbered_lines
from elcrec.data.sequences import Sequences
from elcrec.errors import InputError, brief, shown

PART = 8192
"""Histories in memory at a time."""
TABLES = (".csv", ".tsv", ".inter")
"""Endings of files with a line for each interaction; others have one for each user."""
NAMED = 3
"""Items and users that a message names."""


class Known(InteractionData):
    """Histories from which nothing is held out."""

    def training_inputs(self, users: Tensor, length: int) -> Tensor:
        """All items of each user: (B,) users to (B, L) ids."""
        return self.windows(self.starts[users], self.stops[users], length)


@dataclass(frozen=True)
class Written:
    """Histories of n users as they were given."""

    users: Sequence[str]
    items: NDArray[Any]
    """(actions,) raw ids or numbers, user after user, oldest first."""
    lengths: NDArray[np.int64]
    """(n,) items of each user."""
    where: str = ""
    """Comes before the user in a message."""


@dataclass(frozen=True)
class Part:
    """Histories of n users that a model can read."""

    names: NDArray[np.object_]
    """(n,) what the users are called."""
    data: Known
    rows: NDArray[np.int64]
    """(n,) places of their histories in `data`."""
    users: NDArray[np.int64] | None = None
    """(n,) their numbers in the training data; None: they may be new users."""


@dataclass
class LeftOut:
    """What is left out because the run does not know it."""

    actions: int = 0
    users: int = 0
    """Users who have no other item."""
    names: list[str] = field(default_factory=list)
    """The first few items."""

    def __str__(self) -> str:
        items = ", ".join(map(brief, self.names))
        return (
            f"left out: {self.actions:,} interactions with items that the run does not know, such "
            f"as {items}; users left without any item: {self.users:,}"
        )


def of_words(ids: Sequence[str]) -> Written:
    """A single history, of user 1.

    Raises:
        InputError: It is empty.
    """
    if not ids:
        raise InputError("--history: is empty; allowed: a file, or item ids in quotes")
    where = "--history, which is not a file but ids: user "
    return Written(["1"], np.array(ids, dtype=object), np.array([len(ids)]), where)


def read_users(path: Path) -> list[str]:
    """Read ids of users, one per line.

    Raises:
        InputError: A line is invalid (names the first), or there is none.
    """
    users = []
    for number, line in numbered_lines(path):
        words = _decoded(path, number, line)
        if len(words) != 1:
            raise InputError(f"{path}, line {number}: {len(words)} words; expected one id")
        users += words
    if not users:
        raise InputError(f"{path}: is empty; expected ids of users, one per line")
    return list(index_of(users, path))


def read_histories(path: Path) -> tuple[int, Iterator[Written]]:
    """Read a file of histories, only a part of it at a time unless it is a table.

    Args:
        path: One line per user, `user item item ...`, oldest item first; or, with an ending of
            `TABLES`, one per interaction, with the columns of a raw data set.

    Returns:
        The number of users, and their histories in the order of the file.

    Raises:
        InputError: A line is invalid (names the first), or a user has two.
    """
    if Path(path.name.lower().removesuffix(".gz")).suffix in TABLES:
        sequences = to_sequences(read_interactions(path, "csv"))
        return sequences.n_users, _of_sequences(sequences, path)
    return _count_lines(path), _of_lines(path)


def _of_sequences(sequences: Sequences, path: Path) -> Iterator[Written]:
    ids = np.array(sequences.item_ids, dtype=object)
    for start in range(0, sequences.n_users, PART):
        offsets = sequences.offsets[start : start + PART + 1]
        items = ids[sequences.items[offsets[0] : offsets[-1]] - 1]
        users = sequences.users[start : start + PART]
        yield Written(users, items, np.diff(offsets), f"{path}, user ")


def _count_lines(path: Path) -> int:
    """Number of lines; refuses a user who has two. Keeps eight bytes of each in memory."""
    lines = (line for _, line in numbered_lines(path))
    hashes = np.fromiter((hash(_user(line)) for line in lines), dtype=np.int64)
    count = len(hashes)
    hashes.sort()
    repeated_hashes = set(hashes[1:][hashes[1:] == hashes[:-1]].tolist())
    first: dict[bytes, int] = {}
    for number, line in numbered_lines(path) if repeated_hashes else ():
        user = _user(line)
        if hash(user) in repeated_hashes and user and first.setdefault(user, number) != number:
            name = shown(user.decode(errors="replace"))
            raise InputError(f"{path}, line {number}: user {name} is already on line {first[user]}")
    if not count:
        raise InputError(f"{path}: is empty; expected lines `user item item ...`")
    return count


def _user(line: bytes) -> bytes:
    return b"".join(line.split(maxsplit=1)[:1])


def _of_lines(path: Path) -> Iterator[Written]:
    lines = numbered_lines(path)
    while part := list(islice(lines, PART)):
        words = [_words(path, *line) for line in part]
        items = np.array([item for _, *history in words for item in history], dtype=object)
        lengths = np.array([len(w) - 1 for w in words])
        yield Written([user for user, *_ in words], items, lengths, f"{path}, user ")


def _decoded(path: Path, number: int, line: bytes) -> list[str]:
    try:
        return [word.decode() for word in line.split()]
    except UnicodeDecodeError:
        raise InputError(f"{path}, line {number}: not UTF-8 text") from None


def _words(path: Path, number: int, line: bytes) -> list[str]:
    words = _decoded(path, number, line)
    if len(words) < 2:
        problem = f"user {shown(words[0])} has no item" if words else "an empty line"
        raise InputError(f"{path}, line {number}: {problem}; expected `user item item ...`")
    return words


def numbered(
    written: Written,
    numbers: NDArray[np.int64],
    device: torch.device,
    left_out: LeftOut | None = None,
) -> Part | None:
    """Histories as a model reads them.

    Args:
        written: The histories.
        numbers: (actions,) number of each item, 0 if it is unknown.
        device: Device of the model.
        left_out: Leave out unknown items, and count them here; None: refuse them.

    Returns:
        None if nothing is left.

    Raises:
        InputError: An unknown item, or a history without any item.
    """
    count = len(written.users)
    history_index = np.repeat(np.arange(count), written.lengths)
    is_known = numbers > 0
    if left_out is None:
        if not written.lengths.all():
            empty = written.users[int(written.lengths.argmin())]
            raise InputError(
                f"{written.where}{brief(empty)}: the history is empty; it must have an item"
            )
        if not is_known.all():
            first = int(is_known.argmin())
            user, item = brief(written.users[history_index[first]]), shown(written.items[first])
            raise InputError(f"{written.where}{user}: the run does not know the item {item}")
    lengths = np.bincount(history_index[is_known], minlength=count)
    rows = np.flatnonzero(lengths)
    if left_out is not None:
        left_out.actions += int((~is_known).sum())
        left_out.users += count - len(rows)
        names = map(str, written.items[~is_known][:NAMED])
        left_out.names = list(dict.fromkeys([*left_out.names, *names]))[:NAMED]
    if not len(rows):
        return None
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    data = Known(Sequences(numbers[is_known], offsets, ()), device)
    return Part(np.array(written.users, dtype=object)[rows], data, rows)
