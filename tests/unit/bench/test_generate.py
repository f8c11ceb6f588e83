"""Generated histories, and real ones in another order."""

import numpy as np
import pytest

from elcrec.bench.generate import SHORTEST, generate, shuffled
from elcrec.data.histories import InteractionData


def test_generated_histories_are_like_beautys():
    data = generate(20_000, 3_000, seed=3)
    lengths = data.lengths
    assert lengths.min() == SHORTEST
    assert np.median(lengths) == 6
    assert lengths.mean() == pytest.approx(8.9, abs=0.3)
    assert np.percentile(lengths, 99) == pytest.approx(43, abs=4)
    assert (data.items.min(), data.items.max()) == (1, 3_000)
    counts = np.sort(np.bincount(data.items)[1:])[::-1]
    ranks = np.arange(10, 1000)
    slope = np.polyfit(np.log(ranks), np.log(counts[ranks - 1]), 1)[0]
    assert slope == pytest.approx(-0.68, abs=0.05)


def test_generated_data_depend_on_the_seed_only():
    a, b, c = (generate(50, 30, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a.items, b.items)
    assert len(a.items) != len(c.items) or (a.items != c.items).any()


@pytest.mark.parametrize(("users", "items"), [(1, 1), (1, 100_000), (300, 1)])
def test_any_size_can_be_generated(users, items):
    data = generate(users, items)
    assert InteractionData(data).n_items == items
    assert len(data.offsets) == users + 1


def test_shuffling_keeps_every_history():
    data = generate(40, 30)
    named = type(data)(data.items, data.offsets, tuple(f"u{i}" for i in range(40)))
    moved = shuffled(named, seed=1)
    before = dict(zip(named.users, np.split(named.items, named.offsets[1:-1]), strict=True))
    after = dict(zip(moved.users, np.split(moved.items, moved.offsets[1:-1]), strict=True))
    assert moved.users != named.users
    assert before.keys() == after.keys()
    assert all((before[user] == after[user]).all() for user in before)
