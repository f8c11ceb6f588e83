"""From any interactions to `sequences.txt`: the 5-core, ids, order, statistics."""

import itertools
import json
import tempfile
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from elcrec.data.core import k_core, to_sequences
from elcrec.data.fetched import Fetched
from elcrec.data.prepare import prepare
from elcrec.data.sequences import format_sequences, parse_sequences
from elcrec.data.sources import Dataset, DataSource
from elcrec.data.statistics import statistics
from elcrec.errors import InputError
from tests.properties.strategies import cases, histories, sequences_of

Row = tuple[str, str, int]


def interactions(users: str, items: str, most: int) -> st.SearchStrategy[list[Row]]:
    """Lines of a raw file: few users, items and times, so that lines and times repeat."""
    line = st.tuples(st.sampled_from(users), st.sampled_from(items), st.integers(-2, 3))
    return st.one_of(st.lists(line, max_size=most), st.lists(line, min_size=most, max_size=most))


# Fewer items than users and the reverse; the second is dense enough for a 5-core of several users.
ANY = interactions("abcdef", "uvwxyz", 60)
DENSE = st.builds(
    lambda full, more, order: order.sample(full + more, len(full) + len(more)),
    st.integers(2, 5).map(
        lambda users: [(u, i, n % 3) for u in "abcde"[:users] for n, i in enumerate("vwxyz")]
    ),
    interactions("abcdefg", "tuvwxyz", 40),
    st.randoms(use_true_random=False),
)
RAW = st.one_of(ANY, DENSE)


def frame_of(rows: list[Row]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["user", "item", "time"])
    return frame.astype({"user": "str", "item": "str", "time": "int64"})


def rows_of(frame: pd.DataFrame) -> list[Row]:
    return list(frame.itertuples(index=False, name=None))


def naive_core(rows: list[Row], k: int) -> list[Row]:
    """Drop one user or item after the other, and start again."""
    while True:
        for column in (0, 1):
            counts = Counter(row[column] for row in rows)
            few = next((name for name, count in counts.items() if count < k), None)
            if few is not None:
                rows = [row for row in rows if row[column] != few]
                break
        else:
            return rows


def naive_lines(rows: list[Row], k: int) -> list[list[int]]:
    """The item ids of each line of the prepared file, as the protocol describes them."""
    core = naive_core(rows, k)
    lines = []
    ids: dict[str, int] = {}
    for user in dict.fromkeys(row[0] for row in rows):  # also by lines that the core drops
        own = sorted((row for row in core if row[0] == user), key=lambda row: row[2])  # stable
        if own:
            lines.append([ids.setdefault(item, len(ids) + 1) for _, item, _ in own])
    return lines


def lines_of(sequences) -> list[list[int]]:
    bounds = itertools.pairwise(sequences.offsets.tolist())
    return [sequences.items[start:stop].tolist() for start, stop in bounds]


@cases(150)
@given(RAW, st.integers(1, 6))
def test_the_core_is_a_fixed_point_and_what_dropping_one_by_one_leaves(rows, k):
    core = rows_of(k_core(frame_of(rows), k))
    for column in (0, 1):
        assert all(count >= k for count in Counter(row[column] for row in core).values())
    assert core == naive_core(rows, k)  # so no line is invented, doubled or moved
    assert rows_of(k_core(frame_of(core), k)) == core


@cases(60)
@given(interactions("abcd", "wxyz", 24), st.integers(1, 3))
def test_no_larger_set_of_users_and_items_would_do(rows, k):
    """The definition: the union of all sets of users and items in which everyone has k."""
    everyone = sorted({row[0] for row in rows}), sorted({row[1] for row in rows})
    largest: set[str] = set()
    subsets = (
        list(itertools.chain.from_iterable(itertools.combinations(s, n) for n in range(len(s) + 1)))
        for s in everyone
    )
    for users, items in itertools.product(*subsets):
        inside = [row for row in rows if row[0] in users and row[1] in items]
        counts = Counter(row[0] for row in inside) + Counter(row[1] for row in inside)
        if all(counts[name] >= k for name in (*users, *items)):
            largest |= {*users, *items}
    core = k_core(frame_of(rows), k)
    assert {*core["user"].astype(str), *core["item"]} == largest


@cases(120)
@given(RAW, st.integers(1, 5))
def test_ids_order_and_interactions_are_those_of_the_protocol(rows, k):
    core = k_core(frame_of(rows), k)
    assume(not core.empty)
    sequences = to_sequences(core)
    assert lines_of(sequences) == naive_lines(rows, k)
    in_order = dict.fromkeys(row[0] for row in rows)  # also by lines that the core drops
    left = {row[0] for row in rows_of(core)}
    assert sequences.users == tuple(user for user in in_order if user in left)
    assert len(sequences.item_ids) == sequences.n_items


@cases(80)
@given(RAW)
def test_a_raw_file_is_prepared_as_the_protocol_says_or_refused(rows):
    lines = naive_lines(rows, 5)
    # Times are written as fractions, too, which MovieLens' format allows.
    content = "".join(f"{user}\t{item}\t3\t{time / 2}\n" for user, item, time in rows)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "raw").write_text(content)
        fetched = Fetched(folder / "raw", DataSource(format="movielens", file="raw"), "here")
        dataset = Dataset(name="Any", path=Path("unused"))
        if not lines:
            with pytest.raises(InputError, match=r"^[^\n]*raw[^\n]*$"):
                prepare("small", dataset, fetched, folder / "out")
            assert not list(folder.glob("out/*"))
            return
        written = prepare("small", dataset, fetched, folder / "out").read_text()
        record = json.loads((folder / "out" / "statistics.json").read_text())
    expected = [f"{n} {' '.join(map(str, line))}\n" for n, line in enumerate(lines, 1)]
    assert written == "".join(expected)
    before = [len(set(column)) for column in list(zip(*rows, strict=True))[:2]]
    assert record["before_core"] == dict(
        zip(("users", "items", "actions"), (*before, len(rows)), strict=True)
    )


@cases(100)
@given(histories(most_items=300, longest=20))
def test_writing_and_reading_numbers_in_order_of_appearance_and_is_then_the_identity(rows):
    sequences = sequences_of(rows)
    again = parse_sequences(format_sequences(sequences), "any")
    ids: dict[int, int] = {}
    assert lines_of(again) == [[ids.setdefault(i, len(ids) + 1) for i in row] for row in rows]
    assert again.n_users == sequences.n_users
    assert again.items.dtype == sequences.items.dtype
    third = parse_sequences(format_sequences(again), "any")
    assert format_sequences(third) == format_sequences(again)


@cases(100)
@given(histories())
def test_statistics_are_those_of_a_count(rows):
    found = statistics(sequences_of(rows))
    items = {item for row in rows for item in row}
    actions = sum(len(row) for row in rows)
    assert (found.users, found.items, found.actions) == (len(rows), len(items), actions)
    assert found.mean_length == pytest.approx(actions / len(rows))
    empty = len(rows) * len(items) - actions
    assert found.sparsity_percent == pytest.approx(100 * empty / (len(rows) * len(items)))
