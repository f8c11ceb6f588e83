"""Predictions of any framework: files of recommended items, and the rank of every user's target.

A file is a CSV or Parquet table with the columns user, item and score or rank (more are allowed), a
TREC run (`user Q0 item rank score tag`), or a table of ranks (user, rank: 0-based, of the test
item). If there are scores, they decide, as in trec_eval. A list may be truncated to its best
items: ranks beyond its end are unknown, and `Ranked.known_to` is the largest k whose metrics can be
computed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from elcrec.data.rawfile import read_bytes
from elcrec.data.sequences import Sequences
from elcrec.data.table import BLANKS, EXACT, NAMES, column_name, first_line, numbers, parsed, refuse
from elcrec.errors import InputError, shown

TREC = ("user", "q0", "item", "rank", "score", "tag")
TABLES, RUNS, PARQUET = (".csv", ".tsv"), (".trec", ".run", ".txt"), ".parquet"
COLUMNS = {key: NAMES.get(key, (key,)) for key in ("user", "item", "score", "rank")}
"""What is read, and the names that its column may have."""
ENDLESS = np.iinfo(np.int64).max
"""`Ranked.known_to` where every rank is known."""
MISSED = ENDLESS - 1
"""Rank of a test item that is in no list."""
NAMED = 3
"""Users that a message names."""


@dataclass(frozen=True)
class Ranked:
    """The rank of every user's test item under predictions from elsewhere."""

    ranks: NDArray[np.int64]
    """(users,) 0-based; `MISSED` if the item is beyond the end of a list."""
    ends: NDArray[np.int64]
    """(users,) competing items in a list that ends before the test item; else `ENDLESS`."""
    shortest: str
    """Id of the first user whose list ends there."""
    excluded: int
    """Predicted items that were removed, because the protocol does not let them compete."""
    missed: int
    """Users without a prediction, counted as misses."""
    hidden: int
    """Users who had their test item before, so that it does not compete: a miss."""

    @property
    def known_to(self) -> int:
        """Largest k whose metrics these ranks give exactly; `ENDLESS` if all are known."""
        return int(self.ends.min())


def rank_targets(
    path: Path, sequences: Sequences, protocol: str, *, missing: bool = False
) -> Ranked:
    """The ranks of all users' test items under the predictions of a file.

    Ties count against the model, as they do everywhere here. Under every protocol but `repeats` the
    items before the test item in a user's history do not compete; later ranks move up. So a test
    item that also occurs among them is a miss for any model.

    Args:
        path: The file.
        sequences: The histories; its ids are those of the file.
        protocol: `paper`, `strict` or `repeats`.
        missing: Count users without a prediction as misses instead of refusing the file.

    Raises:
        InputError: The file is invalid; a user or item does not exist; a line is repeated; users
            are missing.
    """
    frame, start = read_predictions(path)
    user = _places(path, frame["user"], start, sequences.users)
    listed = "item" in frame
    if listed:
        item = _places(path, frame["item"], start, sequences.item_ids) + 1
    else:
        item, given = 0 * user, _given(path, frame["rank"], start, sequences.n_items)
    _refuse_doubled(path, frame, start, user, item)
    there = np.bincount(user, minlength=sequences.n_users) > 0
    if not missing:
        _refuse_missing(path, there, sequences.users)
    missed = int((~there).sum())
    if not listed:
        ranks, ends = np.full(sequences.n_users, MISSED), np.full(sequences.n_users, ENDLESS)
        ranks[user] = given
        return Ranked(ranks, ends, "", 0, missed, 0)
    # Places among all values, best first: integers that a float cannot hold stay apart.
    value = np.unique(frame["score" if "score" in frame else "rank"], return_inverse=True)[1]
    value = -value if "score" in frame else value
    targets = sequences.items[sequences.offsets[1:] - 1]
    everyone = np.arange(sequences.n_users)
    if protocol == "repeats":
        competes, hidden = np.ones(len(user), dtype=bool), np.zeros(len(everyone), dtype=bool)
    else:
        seen, hidden = _seen(sequences, (user, item), (everyone, targets))
        competes = ~seen
    user, item, value = user[competes], item[competes], value[competes]
    own = item == targets[user]
    best = np.full(sequences.n_users, np.nan)
    best[user[own]] = value[own]
    ahead = (value <= best[user]) & ~own  # nan: no target in the list, nothing is ahead of it
    before, length = (np.bincount(u, minlength=sequences.n_users) for u in (user[ahead], user))
    absent = np.isnan(best)
    ends = np.where(absent & there & ~hidden, length, ENDLESS)
    ranks, shortest = np.where(absent, MISSED, before), ends.argmin()
    whose = sequences.users[shortest] if ends[shortest] < ENDLESS else ""
    return Ranked(ranks, ends, whose, int((~competes).sum()), missed, int(hidden.sum()))


def read_predictions(path: Path) -> tuple[pd.DataFrame, int]:
    """Read those of `COLUMNS` that a file has, and the line of its first row.

    Ids are text, score and rank numbers. A table of ranks has no item; in Parquet rows are counted.

    Raises:
        InputError: Not one of the formats, or a field is invalid; names its line.
    """
    texts, start = _read(path)
    spelled = [column_name(str(name)).lower() for name in texts.columns]
    places = {
        key: spelled.index(name)
        for key, names in COLUMNS.items()
        for name in reversed(names)
        if name in spelled
    }
    enough = {"user", "item", "score"} <= places.keys() or {"user", "rank"} <= places.keys()
    if not enough or len(set(spelled)) < len(spelled):
        raise InputError(
            f"{path}: has the columns {shown(', '.join(spelled))}; needed: user, item and score; "
            "user, item and rank; or user and rank; each once"
        )
    if texts.empty:
        raise InputError(f"{path}: has no line below its header")
    found = {key: texts.iloc[:, place] for key, place in places.items()}
    for key in {"score", "rank"} & found.keys():
        found[key] = numbers(path, found[key], key, start)
    return pd.DataFrame(found), start


def _read(path: Path) -> tuple[pd.DataFrame, int]:
    """The whole file as text, and the line of its first row."""
    ending = Path(path.name.lower().removesuffix(".gz")).suffix
    if ending == PARQUET:
        return _parquet(path), 1
    if ending not in (*TABLES, *RUNS):
        raise InputError(f"{path}: its name must end in {', '.join([*TABLES, *RUNS, PARQUET])}")
    content = read_bytes(path)
    if not content.strip():
        raise InputError(f"{path}: is empty")
    if ending in RUNS:
        return parsed(path, content, BLANKS, len(TREC), False).set_axis(TREC, axis=1), 1
    separator, names = first_line(path, content)
    return parsed(path, content, separator, len(names), True).set_axis(names, axis=1), 2


def _parquet(path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(path)
    except ImportError:
        raise InputError(f"{path}: reading Parquet needs pyarrow; pip install pyarrow") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise InputError(f"{path}: cannot be read ({reason})") from None
    return frame.apply(_texts)


def _texts(column: pd.Series) -> pd.Series:
    """A column as text; whole numbers that a framework kept as floats lose their `.0`."""
    if pd.api.types.is_float_dtype(column):
        known = column.dropna()
        if (known % 1 == 0).all() and (known.abs() < EXACT).all():
            column = column.astype("Int64")
    return column.astype(str)


def _given(path: Path, column: pd.Series, start: int, n_items: int) -> NDArray[np.int64]:
    """The ranks of a table of ranks."""
    value = column.to_numpy()
    wrong = (value < 0) | (value % 1 != 0) | (value >= n_items)
    most = f"a whole number from 0 to {n_items - 1}"
    allowed = f"rank {{}}; allowed: {most}, the number of items ahead"
    refuse(path, wrong, column.astype(str), start, allowed)
    return value.astype(np.int64)


def _places(path: Path, column: pd.Series, start: int, ids: Sequence[str]) -> NDArray[np.intp]:
    """The place in `ids` of each value of a column."""
    index = pd.Index(ids)
    places = index.get_indexer(pd.Index(column))
    if (places < 0).any():  # perhaps only blanks around an id
        places = np.where(places < 0, index.get_indexer(pd.Index(column.str.strip())), places)
    some = ", ".join(ids[:3])
    unknown = f"{column.name} {{}} is not in the data set, whose {column.name}s are {some}, ..."
    refuse(path, places < 0, column, start, unknown)
    return places


def _refuse_doubled(
    path: Path, frame: pd.DataFrame, start: int, user: NDArray[np.intp], item: NDArray[np.intp]
) -> None:
    doubled = pd.DataFrame({"user": user, "item": item}).duplicated().to_numpy()
    last = "item" if "item" in frame else "user"
    whose = f" for user {shown(frame['user'].iloc[doubled.argmax()])}" if last == "item" else ""
    refuse(path, doubled, frame[last], start, f"{last} {{}} appears a second time{whose}")


def _refuse_missing(path: Path, there: NDArray[np.bool_], ids: Sequence[str]) -> None:
    absent = np.flatnonzero(~there)
    if len(absent):
        some = ", ".join(ids[n] for n in absent[:NAMED])
        more = ", ..." if len(absent) > NAMED else ""
        raise InputError(
            f"{path}: has no line for {len(absent)} of {len(there)} users ({some}{more}); predict "
            "for them too, or count them as misses: --missing miss, or missing: miss in `external`"
        )


def _seen(
    sequences: Sequences, *pairs: tuple[NDArray[np.intp], NDArray[np.integer]]
) -> list[NDArray[np.bool_]]:
    """Whether the item of each pair is in the user's history before the test item."""
    width = sequences.n_items + 1
    owner = np.repeat(np.arange(sequences.n_users), sequences.lengths)
    before = np.ones(len(owner), dtype=bool)
    before[sequences.offsets[1:] - 1] = False
    history = np.unique(owner[before] * width + sequences.items[before])
    return [np.isin(user * width + item, history) for user, item in pairs]
