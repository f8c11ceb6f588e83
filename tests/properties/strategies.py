"""Shared by the property tests: how many cases, and what histories look like."""

from __future__ import annotations

import os

import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from elcrec.data.histories import InteractionData
from elcrec.data.sequences import Sequences
from tests.fuzzing import examples

SEEDS = st.integers(0, 2**31 - 1)


def cases(base: int, shrink: bool = True) -> settings:
    """`base` cases, the same ones in every ordinary run; others each time if ELCREC_FUZZ is set.

    Nothing is kept between runs: a case that failed is printed, to become a test by hand. `shrink`
    looks for a smaller one first, which takes hundreds of tries: not for cases of seconds.
    """
    return settings(
        max_examples=examples(base),
        deadline=None,
        derandomize="ELCREC_FUZZ" not in os.environ,
        database=None,
        phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if shrink else [])],
        suppress_health_check=[HealthCheck.too_slow],
    )


def histories(
    most_items: int = 12, longest: int = 16, most_users: int = 6
) -> st.SearchStrategy[list[list[int]]]:
    """Items of each user, oldest first, four or more, repeats allowed."""
    row = st.lists(st.integers(1, most_items), min_size=4, max_size=longest)
    return st.lists(row, min_size=1, max_size=most_users)


def sequences_of(rows: list[list[int]]) -> Sequences:
    """Histories in the prepared format, users called 1, 2 …"""
    offsets = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    users = tuple(str(n) for n in range(1, len(rows) + 1))
    return Sequences(np.concatenate(rows).astype(np.int64), offsets, users)


def data_of(rows: list[list[int]]) -> InteractionData:
    """Histories as tensors."""
    return InteractionData(sequences_of(rows))


def padded(items: list[int], length: int) -> list[int]:
    """The last `length` items, zeros before them if there are fewer."""
    kept = items[-length:]
    return [0] * (length - len(kept)) + kept
