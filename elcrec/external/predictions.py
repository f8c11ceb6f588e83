"""Predictions of any framework: files of recommended items, and the rank of every user's target.

A file is a CSV or Parquet table with the columns user, item and score or rank (more are allowed), a
TREC run (`user Q0 item rank score tag`), or a table of ranks (user, rank: 0-based, of the test
item). A list may be cut off after its best items: ranks behind its end are not known, and
`Ranked.known_to` says up to which k metrics can be had.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from elcrec.data.sequences import Sequences
from elcrec.errors import InputError, shown

TREC = ("user", "q0", "item", "rank", "score", "tag")
ENDINGS = (".csv", ".tsv", ".parquet", ".trec", ".run", ".txt")
ENDLESS = np.iinfo(np.int64).max
"""`Ranked.known_to` where every rank is known."""
FEWEST_MISSING = 3  # users that a message names


@dataclass(frozen=True)
class Ranked:
    """The rank of every user's test item under predictions from elsewhere."""

    ranks: NDArray[np.int64]
    """(users,) 0-based; where it lies behind the end of a list, the length of that list."""
    known_to: int
    """Largest k whose metrics these ranks give exactly; `ENDLESS` if all are known."""
    excluded: int
    """Predicted items that were taken out, because the protocol does not let them compete."""
    missed: int
    """Users without a prediction, counted as misses."""


def read_predictions(path: Path) -> pd.DataFrame:
    """Read a file into columns user, item (both text), score or rank, and `line`, where it stood.

    A table of ranks has no item.

    Raises:
        InputError: Not one of the formats, or a field that is not right, with its line.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise InputError(f"{path}: its name must end in {', '.join(ENDINGS)}")
    try:
        frame, first = _read(path, ending)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, ValueError, ImportError, Warning) as error:
        line = str(error).splitlines()[0]
        raise InputError(f"{path}: is not a table ({line})") from None
    frame.columns = [str(name).strip().lower() for name in frame.columns]
    frame = frame.reset_index(drop=True)
    frame["line"] = np.arange(len(frame)) + first
    _check_columns(path, frame)
    for column in {"user", "item"} & set(frame.columns):
        frame[column] = _texts(frame[column])
    for column in {"score", "rank"} & set(frame.columns):
        frame[column] = _numbers(path, frame, column)
    return frame


def _read(path: Path, ending: str) -> tuple[pd.DataFrame, int]:
    """The table, and the line of its first row."""
    if ending == ".parquet":
        return pd.read_parquet(path), 1
    if ending in (".csv", ".tsv"):
        separator = "\t" if ending == ".tsv" else ","
        with warnings.catch_warnings():
            # More fields than columns: pandas would drop them with a warning
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                path,
                sep=separator,
                dtype=str,
                index_col=False,
                skip_blank_lines=False,
                keep_default_na=False,
                encoding="utf-8-sig",
            )
        return frame, 2
    frame = pd.read_csv(
        path, sep=r"\s+", header=None, dtype=str, keep_default_na=False, encoding="utf-8-sig"
    )
    if frame.shape[1] != len(TREC):
        raise ValueError(f"{frame.shape[1]} fields in a line; a TREC run has {len(TREC)}")
    frame.columns = pd.Index(TREC)
    return frame, 1


def _check_columns(path: Path, frame: pd.DataFrame) -> None:
    found = set(frame.columns)
    if frame.columns.duplicated().any() or not (
        {"user", "item", "score"} <= found or {"user", "rank"} <= found
    ):
        columns = ", ".join(frame.columns[:-1][:8])
        raise InputError(
            f"{path}: has the columns {columns}; needed: user, item and score; user, item and "
            "rank; or user and rank"
        )
    if frame.empty:
        raise InputError(f"{path}: has no line besides its header")


def _texts(column: pd.Series) -> pd.Series:
    """Ids as text; whole numbers that a framework kept as floats lose their `.0`."""
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    return column.astype(str).str.strip()


def _numbers(path: Path, frame: pd.DataFrame, column: str) -> pd.Series:
    numbers = pd.to_numeric(frame[column], errors="coerce")
    wrong = ~np.isfinite(numbers.to_numpy(dtype=np.float64, na_value=np.nan))
    if wrong.any():
        _refuse(path, frame, wrong, column, "a finite number")
    return numbers.astype(np.float64)


def _refuse(
    path: Path, frame: pd.DataFrame, wrong: NDArray[np.bool_], column: str, allowed: str
) -> None:
    """Raise for the first wrong row."""
    row = frame.iloc[int(np.argmax(wrong))]
    raise InputError(
        f"{path}, line {row['line']}: {column} is {shown(str(row[column]))}; allowed: {allowed}"
    )


def rank_targets(
    path: Path,
    sequences: Sequences,
    protocol: str,
    *,
    users: Mapping[str, int],
    items: Mapping[str, int],
    missing: bool = False,
) -> Ranked:
    """The ranks of all users' test items under the predictions of a file.

    Ties count against the model, as they do everywhere here. Under every protocol but `repeats` the
    items before the test item in a user's history do not compete; the ranks behind them close up.

    Args:
        path: The file.
        sequences: The prepared histories.
        protocol: `paper`, `strict` or `repeats`.
        users: A user's id as text to the number of the line, from 0.
        items: An item's id as text to its number, from 1.
        missing: Count users without a prediction as misses instead of refusing the file.

    Raises:
        InputError: The file is not right; a user or item does not exist; a line stands twice; users
            are missing.
    """
    frame = read_predictions(path)
    user = _numbered(path, frame, "user", users)
    if "item" not in frame:
        return _of_ranks(path, frame, user, users, missing)
    item = _numbered(path, frame, "item", items)
    _refuse_doubled(path, frame, user, item, sequences.n_items)
    value = -frame["score"].to_numpy() if "score" in frame else frame["rank"].to_numpy()
    targets = sequences.items[sequences.offsets[1:] - 1]
    there = np.bincount(user, minlength=sequences.n_users) > 0
    _refuse_missing(path, there, users, missing)
    competes = np.ones(len(user), dtype=bool)
    if protocol != "repeats":
        competes = ~_seen(sequences, user, item) | (item == targets[user])
    excluded = int((~competes).sum())
    user, item, value = user[competes], item[competes], value[competes]
    n = sequences.n_users
    length = np.bincount(user, minlength=n)
    own = item == targets[user]
    best = np.full(n, np.nan)
    best[user[own]] = value[own]
    ahead = (value <= best[user]) & ~own  # nan: no target in the list, nothing is ahead of it
    before = np.bincount(user[ahead], minlength=n).astype(np.int64)
    ranks = np.where(np.isnan(best), length, before)
    unknown = np.isnan(best) & there
    known_to = int(length[unknown].min()) if unknown.any() else ENDLESS
    ranks[~there] = ENDLESS - 1
    return Ranked(ranks, known_to, excluded, int((~there).sum()))


def _of_ranks(
    path: Path,
    frame: pd.DataFrame,
    user: NDArray[np.int64],
    users: Mapping[str, int],
    missing: bool,
) -> Ranked:
    """The same of a table of ranks."""
    value = frame["rank"].to_numpy()
    wrong = (value < 0) | (value % 1 != 0)
    if wrong.any():
        _refuse(path, frame, wrong, "rank", "a whole number from 0, how many items stand before")
    doubled = pd.Series(user).duplicated().to_numpy()
    if doubled.any():
        _refuse(path, frame, doubled, "user", "each user once")
    there = np.bincount(user, minlength=len(users)) > 0
    _refuse_missing(path, there, users, missing)
    ranks = np.full(len(users), ENDLESS - 1, dtype=np.int64)
    ranks[user] = value.astype(np.int64)
    return Ranked(ranks, ENDLESS, 0, int((~there).sum()))


def _numbered(
    path: Path, frame: pd.DataFrame, column: str, known: Mapping[str, int]
) -> NDArray[np.int64]:
    numbers = frame[column].map(known)
    wrong = numbers.isna().to_numpy()
    if wrong.any():
        examples = ", ".join(list(known)[:3])
        _refuse(path, frame, wrong, column, f"the {column}s of the data set, such as {examples}")
    return np.asarray(numbers, dtype=np.int64)


def _refuse_doubled(
    path: Path,
    frame: pd.DataFrame,
    user: NDArray[np.int64],
    item: NDArray[np.int64],
    n_items: int,
) -> None:
    doubled = pd.Series(user * (n_items + 1) + item).duplicated().to_numpy()
    if doubled.any():
        who = frame["user"].iloc[int(np.argmax(doubled))]
        _refuse(path, frame, doubled, "item", f"each item once for user {shown(who)}")


def _refuse_missing(
    path: Path, there: NDArray[np.bool_], users: Mapping[str, int], allowed: bool
) -> None:
    absent = np.flatnonzero(~there)
    if len(absent) and not allowed:
        names = {number: name for name, number in users.items()}
        some = ", ".join(names.get(int(n), str(n)) for n in absent[:FEWEST_MISSING])
        more = ", …" if len(absent) > FEWEST_MISSING else ""
        raise InputError(
            f"{path}: has no line for {len(absent)} of {len(there)} users ({some}{more}); predict "
            "for them too, or count them as misses with --missing miss"
        )


def _seen(
    sequences: Sequences, user: NDArray[np.int64], item: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether each pair of user and item stands in the user's history before the test item."""
    width = sequences.n_items + 1
    owner = np.repeat(np.arange(sequences.n_users), sequences.lengths)
    before = np.ones(len(owner), dtype=bool)
    before[sequences.offsets[1:] - 1] = False
    history = np.unique(owner[before] * width + sequences.items[before])
    return np.asarray(np.isin(user * width + item, history), dtype=np.bool_)
