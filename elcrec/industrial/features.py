"""From a log to a table of features: split by time, history from the training period only.

What a user or an item has done is counted in the training period. A row of the training period sees
only strictly earlier rows, so that no label is among its own features; every later row sees the
counts at the end of the period. A user without a row in the period is purely new: no history.
"""

import dataclasses
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from elcrec.errors import InputError
from elcrec.files.npzfile import read_arrays, write_arrays
from elcrec.industrial.readers import Log
from elcrec.statistics.groups import activity_groups

SPLITS = ("train", "valid", "test")
GROUPS = ("pure new", "new", "low activity", "medium activity", "high activity")
"""User groups, as the paper names them; the bounds are ours: users with a history, in quarters."""
SMOOTHING = 10.0
"""Pseudo-interactions at the mean rate that are added to a user's or item's own."""


@dataclass(frozen=True)
class Table:
    """A prepared data set: N interactions, T tasks, U users (none where users are unknown).

    Codes number categories from 1; 0 stands for those that the training period lacks.
    """

    tasks: NDArray[Any]
    """(T,) names."""
    labels: NDArray[np.float32]
    """(N, T) 0 or 1."""
    split: NDArray[np.int8]
    """(N,) index into `SPLITS`."""
    user: NDArray[np.int32]
    """(N,) user, from 0; -1 where users are unknown."""
    activity: NDArray[np.int64]
    """(U,) interactions of each user in the training period."""
    user_codes: NDArray[np.int32]
    """(N, F) categories of the user."""
    user_sizes: NDArray[np.int64]
    """(F,) number of codes of each, 0 included."""
    user_numbers: NDArray[np.float32]
    """(N, G) numbers of the user, standardised."""
    codes: NDArray[np.int32]
    """(N, F') categories of the item and the context; likewise the next two."""
    sizes: NDArray[np.int64]
    numbers: NDArray[np.float32]
    state_codes: NDArray[np.int32]
    """(U, F) categories of each user at the end of the training period."""
    state_numbers: NDArray[np.float32]
    """(U, G)."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote; a damaged file is refused."""
        return cls(**read_arrays(path, [field.name for field in dataclasses.fields(cls)]))

    def write(self, path: Path) -> None:
        """Write all arrays."""
        write_arrays(path, vars(self))

    def rows(self, split: str) -> NDArray[np.intp]:
        """Indices of the rows of a split."""
        return np.flatnonzero(self.split == SPLITS.index(split))

    def digest(self) -> str:
        """Hash of everything: 16 hexadecimal digits."""
        found = hashlib.sha256()
        for field in dataclasses.fields(self):
            array = getattr(self, field.name)
            found.update(f"{array.dtype} {array.shape}".encode() + array.tobytes())
        return found.hexdigest()[:16]

    @cached_property
    def group(self) -> NDArray[np.int8]:
        """(U,) index into `GROUPS` of each user."""
        groups = np.zeros(len(self.activity), dtype=np.int8)
        if known := np.flatnonzero(self.activity).size:
            parts = min(len(GROUPS) - 1, known)
            groups[self.activity > 0] = 1 + activity_groups(self.activity[self.activity > 0], parts)
        return groups


def build(name: str, log: Log, train: float, valid: float) -> Table:
    """Make the features.

    Args:
        name: Name of the data set, for messages.
        log: The data; a separate test file is halved at random into validation and test.
        train: Share of the interactions, by time, that is the training period.
        valid: Share after it that is the validation period.

    Raises:
        InputError: In some split a label is never or always 1.
    """
    rows, tasks = log.rows, list(log.tasks)
    split = _halved(log.test) if log.test is not None else _by_time(rows["time"], train, valid)
    _check(name, rows[tasks], split)
    learn = split == SPLITS.index("train")
    context = rows[list(log.context)]
    user, ends = np.full(len(rows), -1), pd.DataFrame(index=[])
    activity, of_user = np.zeros(0, dtype=np.int64), pd.DataFrame(index=rows.index)
    if "user" in rows:
        user, ids = pd.factorize(rows["user"])
        before, total = _history(rows, "user", tasks, learn)
        total = total.reindex(ids, fill_value=0.0)
        activity = total["shown"].to_numpy(np.int64)
        rates = rows.loc[learn, tasks].mean()
        of_user, ends = (
            _features("user", counts, rates).join(log.users, on="user")
            for counts in (before, total.rename_axis("user"))
        )
        of_item = _features("item", _history(rows, "item", tasks, learn)[0], rates)
        of_item = of_item.join(log.items, on="item").reset_index(drop=True)
        context = pd.concat([of_item, context], axis=1)
    people, others = _Coding(of_user[learn]), _Coding(context[learn])
    return Table(
        tasks=np.array(tasks),
        labels=rows[tasks].to_numpy(np.float32),
        split=split,
        user=user.astype(np.int32),
        activity=activity,
        **people.arrays(of_user, "user_"),
        **others.arrays(context, ""),
        **{k: v for k, v in people.arrays(ends, "state_").items() if k != "state_sizes"},
    )


def _by_time(time: pd.Series, train: float, valid: float) -> NDArray[np.int8]:
    """Indices into `SPLITS`; rows with the same time stay together."""
    moments = np.sort(time.to_numpy())
    bounds = [moments[int(len(moments) * share)] for share in (train, train + valid)]
    return np.searchsorted(bounds, time.to_numpy(), side="right").astype(np.int8)


def _halved(test: NDArray[np.bool_]) -> NDArray[np.int8]:
    """The rows of a test file halved at random, always in the same way, as in the MMoE paper."""
    split = np.zeros(len(test), dtype=np.int8)
    places = np.random.default_rng(0).permutation(np.flatnonzero(test))
    split[places[: len(places) // 2]], split[places[len(places) // 2 :]] = 1, 2
    return split


def _check(name: str, labels: pd.DataFrame, split: NDArray[np.int8]) -> None:
    for number, part in enumerate(SPLITS):
        shares = labels[split == number].mean()
        for task in labels.columns:
            if not 0 < shares[task] < 1:  # nan: an empty split
                raise InputError(
                    f"data set {name}: of the {(split == number).sum()} interactions in its {part} "
                    f"period none or all are '{task}'; change industrial.train or valid"
                )


def _history(
    rows: pd.DataFrame, key: str, tasks: list[str], learn: NDArray[np.bool_]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Interactions and labels of each user or item in the training period.

    Returns:
        Counts, in columns `shown` and the tasks: before each row, or at the end of the period for
        later rows, (N,) with the key as index; and at the end of the period, by key.
    """
    seen = rows[learn].assign(shown=1.0)
    moments = seen.groupby([key, "time"])[["shown", *tasks]].sum()
    total = moments.groupby(level=0).sum()
    earlier = moments.groupby(level=0).cumsum() - moments
    before = total.reindex(rows[key], fill_value=0.0)
    before[learn] = earlier.reindex(pd.MultiIndex.from_frame(seen[[key, "time"]])).to_numpy()
    return before, total


def _features(prefix: str, counts: pd.DataFrame, rates: pd.Series) -> pd.DataFrame:
    """Logarithm of the count, and the smoothed share of each label."""
    found = pd.DataFrame({f"{prefix} shown": np.log1p(counts["shown"])})
    for task, rate in rates.items():
        share = (counts[task] + SMOOTHING * rate) / (counts["shown"] + SMOOTHING)
        found[f"{prefix} {task}"] = share
    return found


class _Coding:
    """Categories and scales of the training period, applied to any rows."""

    def __init__(self, frame: pd.DataFrame) -> None:
        numeric = frame.select_dtypes("number")
        self.mean, self.std = numeric.mean(), numeric.std(ddof=0).replace(0.0, 1.0)
        texts: Iterable[str] = frame.columns.difference(numeric.columns, sort=False)
        self.words = {name: pd.Index(frame[name].dropna().unique()) for name in texts}

    def arrays(self, frame: pd.DataFrame, prefix: str) -> dict[str, NDArray[Any]]:
        """Codes (n, F), their sizes (F,) and numbers (n, G); unknown values are 0, the mean."""
        codes = [words.get_indexer(frame[name]) + 1 for name, words in self.words.items()]
        numbers = ((frame[list(self.mean.index)] - self.mean) / self.std).fillna(0.0)
        return {
            f"{prefix}codes": np.array(codes, np.int32).reshape(len(codes), len(frame)).T,
            f"{prefix}sizes": np.array([len(words) + 1 for words in self.words.values()], np.int64),
            f"{prefix}numbers": numbers.to_numpy(np.float32),
        }
