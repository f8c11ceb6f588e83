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
    user = _indices(path, frame["user"], start, sequences.users)
    listed = "item" in frame
    if listed:
        item = _indices(path, frame["item"], start, sequences.item_ids) + 1
    else:
        item, given_ranks = 0 * user, _as_ranks(path, frame["rank"], start, sequences.n_items)
    _refuse_duplicates(path, frame, start, user, item)
    has_prediction = np.bincount(user, minlength=sequences.n_users) > 0
    if not missing:
        _refuse_missing(path, has_prediction, sequences.users)
    n_missing = int((~has_prediction).sum())
    if not listed:
        ranks, ends = np.full(sequences.n_users, MISSED), np.full(sequences.n_users, ENDLESS)
        ranks[user] = given_ranks
        return Ranked(ranks, ends, "", 0, n_missing, 0)
    # Places among all values, best first: integers that a float cannot hold stay apart.
    value = np.unique(frame["score" if "score" in frame else "rank"], return_inverse=True)[1]
    value = -value if "score" in frame else value
    targets = sequences.items[sequences.offsets[1:] - 1]
    all_users = np.arange(sequences.n_users)
    if protocol == "repeats":
        competes, hidden = np.ones(len(user), dtype=bool), np.zeros(len(all_users), dtype=bool)
    else:
        seen, hidden = _in_history(sequences, (user, item), (all_users, targets))
        competes = ~seen
    user, item, value = user[competes], item[competes], value[competes]
    is_target = item == targets[user]
    best = np.full(sequences.n_users, np.nan)
    best[user[is_target]] = value[is_target]
    ahead = (value <= best[user]) & ~is_target  # nan: no target in the list, nothing is ahead of it
    n_ahead, length = (np.bincount(u, minlength=sequences.n_users) for u in (user[ahead], user))
    unranked = np.isnan(best)
    ends = np.where(unranked & has_prediction & ~hidden, length, ENDLESS)
    ranks, shortest = np.where(unranked, MISSED, n_ahead), ends.argmin()
    shortest_user = sequences.users[shortest] if ends[shortest] < ENDLESS else ""
    return Ranked(ranks, ends, shortest_user, int((~competes).sum()), n_missing, int(hidden.sum()))


def read_predictions(path: Path) -> tuple[pd.DataFrame, int]:
    """Read those of `COLUMNS` that a file has, and the line of its first row.

    Ids are text, score and rank numbers. A table of ranks has no item; in Parquet rows are counted.

    Raises:
        InputError: Not one of the formats, or a field is invalid; names its line.
    """
    texts, start = _read(path)
    lowered = [column_name(str(name)).lower() for name in texts.columns]
    columns = {
        key: lowered.index(name)
        for key, names in COLUMNS.items()
        for name in reversed(names)
        if name in lowered
    }
    complete = {"user", "item", "score"} <= columns.keys() or {"user", "rank"} <= columns.keys()
    if not complete or len(set(lowered)) < len(lowered):
        raise InputError(
            f"{path}: has the columns {shown(', '.join(lowered))}; needed: user, item and score; "
            "user, item and rank; or user and rank; each once"
        )
    if texts.empty:
        raise InputError(f"{path}: has no line below its header")
    fields = {key: texts.iloc[:, index] for key, index in columns.items()}
    for key in {"score", "rank"} & fields.keys():
        fields[key] = numbers(path, fields[key], key, start)
    return pd.DataFrame(fields), start


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
        values = column.dropna()
        if (values % 1 == 0).all() and (values.abs() < EXACT).all():
            column = column.astype("Int64")
    return column.astype(str)


def _as_ranks(path: Path, column: pd.Series, start: int, n_items: int) -> NDArray[np.int64]:
    """The ranks of a table of ranks."""
    value = column.to_numpy()
    invalid = (value < 0) | (value % 1 != 0) | (value >= n_items)
    allowed = f"a whole number from 0 to {n_items - 1}"
    message = f"rank {{}}; allowed: {allowed}, the number of items ahead"
    refuse(path, invalid, column.astype(str), start, message)
    return value.astype(np.int64)


def _indices(path: Path, column: pd.Series, start: int, ids: Sequence[str]) -> NDArray[np.intp]:
    """The place in `ids` of each value of a column."""
    index = pd.Index(ids)
    indices = index.get_indexer(pd.Index(column))
    if (indices < 0).any():  # perhaps only blanks around an id
        indices = np.where(indices < 0, index.get_indexer(pd.Index(column.str.strip())), indices)
    examples = ", ".join(ids[:3])
    unknown = f"{column.name} {{}} is not in the data set, whose {column.name}s are {examples}, ..."
    refuse(path, indices < 0, column, start, unknown)
    return indices


def _refuse_duplicates(
    path: Path, frame: pd.DataFrame, start: int, user: NDArray[np.intp], item: NDArray[np.intp]
) -> None:
    duplicated = pd.DataFrame({"user": user, "item": item}).duplicated().to_numpy()
    key = "item" if "item" in frame else "user"
    suffix = f" for user {shown(frame['user'].iloc[duplicated.argmax()])}" if key == "item" else ""
    refuse(path, duplicated, frame[key], start, f"{key} {{}} appears a second time{suffix}")


def _refuse_missing(path: Path, has_prediction: NDArray[np.bool_], ids: Sequence[str]) -> None:
    missing = np.flatnonzero(~has_prediction)
    if len(missing):
        examples = ", ".join(ids[n] for n in missing[:NAMED])
        more = ", ..." if len(missing) > NAMED else ""
        raise InputError(
            f"{path}: has no line for {len(missing)} of {len(has_prediction)} users "
            f"({examples}{more}); predict for them too, or count them as misses: --missing miss, "
            "or missing: miss in `external`"
        )


def _in_history(
    sequences: Sequences, *pairs: tuple[NDArray[np.intp], NDArray[np.integer]]
) -> list[NDArray[np.bool_]]:
    """Whether the item of each pair is in the user's history before the test item."""
    width = sequences.n_items + 1
    user_index = np.repeat(np.arange(sequences.n_users), sequences.lengths)
    earlier = np.ones(len(user_index), dtype=bool)
    earlier[sequences.offsets[1:] - 1] = False
    history = np.unique(user_index[earlier] * width + sequences.items[earlier])
    return [np.isin(user * width + item, history) for user, item in pairs]
