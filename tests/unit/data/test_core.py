"""The k-core and the numbering, as properties of any interactions."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from elcrec.data.core import densest, k_core, to_sequences

INTERACTIONS = st.lists(
    st.tuples(st.sampled_from("abcdefg"), st.sampled_from("uvwxyz"), st.integers(0, 4)),
    max_size=80,
)
CORES = st.integers(1, 4)


def frame_of(rows: list[tuple]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["user", "item", "time"])
    return frame.astype({"user": "str", "item": "str", "time": "int64"})


def rows_of(frame: pd.DataFrame) -> list[tuple]:
    return list(frame.itertuples(index=False, name=None))


def brute_force_core(rows: list[tuple], k: int) -> list[tuple]:
    while True:
        users = Counter(user for user, _, _ in rows)
        items = Counter(item for _, item, _ in rows)
        kept = [row for row in rows if users[row[0]] >= k and items[row[1]] >= k]
        if len(kept) == len(rows):
            return kept
        rows = kept


def lists_of(sequences) -> list[list[int]]:
    return [sequences.items[a:b].tolist() for a, b in pairwise(sequences.offsets)]


@given(INTERACTIONS, CORES)
def test_core_is_the_largest_fixed_point_and_in_order(rows: list[tuple], k: int) -> None:
    core = rows_of(k_core(frame_of(rows), k))
    assert core == brute_force_core(rows, k)
    assert rows_of(k_core(frame_of(core), k)) == core


@given(INTERACTIONS, CORES)
def test_ids_are_dense_and_in_order_of_first_appearance(rows: list[tuple], k: int) -> None:
    core = k_core(frame_of(rows), k)
    if core.empty:
        return
    sequences = to_sequences(core)
    firsts = list(dict.fromkeys(sequences.items.tolist()))
    assert firsts == list(range(1, sequences.n_items + 1))
    assert sequences.users == tuple(
        map(str, core["user"].cat.remove_unused_categories().cat.categories)
    )
    assert len(sequences.item_ids) == sequences.n_items


@given(INTERACTIONS, CORES)
def test_no_interaction_is_lost_or_invented(rows: list[tuple], k: int) -> None:
    core = brute_force_core(rows, k)
    if not core:
        return
    sequences = to_sequences(k_core(frame_of(rows), k))
    # Users as in the raw rows, each user's items stably sorted by time.
    users = [
        user
        for user in dict.fromkeys(row[0] for row in rows)
        if user in dict.fromkeys(row[0] for row in core)
    ]
    expected = [
        [item for _, item, _ in sorted((r for r in core if r[0] == user), key=lambda r: r[2])]
        for user in users
    ]
    number = {
        item: n + 1 for n, item in enumerate(dict.fromkeys(i for items in expected for i in items))
    }
    assert lists_of(sequences) == [[number[item] for item in items] for items in expected]


def test_users_are_numbered_by_lines_that_the_core_drops() -> None:
    # b comes first in the file, but with an item that nobody else has.
    rows = [("b", "rare", 0), ("a", "x", 1), ("a", "y", 2), ("b", "y", 3), ("b", "y", 4)]
    rows += [("a", "x", 5)]
    sequences = to_sequences(k_core(frame_of(rows), 2))
    assert lists_of(sequences) == [[1, 1], [2, 1, 2]]  # b: y y, then a: x y x
    assert lists_of(to_sequences(frame_of(rows[1:]))) == [[1, 2, 1], [2, 2]]


def test_equal_times_keep_the_order_of_the_file() -> None:
    rows = [("a", "x", 5), ("a", "y", 5), ("a", "z", 1), ("a", "x", 5)]
    assert lists_of(to_sequences(frame_of(rows))) == [[1, 2, 3, 2]]


@given(INTERACTIONS, st.integers(1, 6), st.integers(1, 4))
def test_the_densest_part_is_that_of_the_most_popular_items(rows, count, least) -> None:
    if not rows:
        return
    sequences = to_sequences(frame_of(rows))
    named = [[sequences.item_ids[i - 1] for i in items] for items in lists_of(sequences)]
    sizes = Counter(item for items in named for item in items)  # in order of first appearance
    popular = {item for item, _ in sizes.most_common(count)}
    kept = [[item for item in items if item in popular] for items in named]
    found = densest(sequences, count, least)
    users = [user for user, items in zip(sequences.users, kept, strict=True) if len(items) >= least]
    assert list(found.users) == users
    assert [[found.item_ids[i - 1] for i in items] for items in lists_of(found)] == [
        items for items in kept if len(items) >= least
    ]


def test_equally_popular_items_stay_in_their_order() -> None:
    """Whatever the machine's sort does with ties."""
    rows = [(f"u{user}", f"i{item:03}", item) for user in range(6) for item in range(300)]
    found = densest(to_sequences(frame_of(rows)), 40)
    assert list(found.item_ids) == [f"i{item:03}" for item in range(40)]
    assert np.array_equal(found.lengths, [40] * 6)
