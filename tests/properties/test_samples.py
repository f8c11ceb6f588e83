"""Windows, targets and prefixes of any histories, against slices of lists."""

from math import ceil

import torch
from hypothesis import given
from hypothesis import strategies as st

from elcrec.data.histories import HELD_OUT
from elcrec.data.samples import Prefixes, choose_samples, count_prefixes
from tests.properties.strategies import SEEDS, cases, data_of, histories, padded

LENGTHS = st.integers(1, 18)


@cases(120)
@given(histories(), LENGTHS, SEEDS)
def test_windows_are_the_last_items_of_each_part(rows, length, seed):
    data = data_of(rows)
    users = torch.randint(len(rows), (7,), generator=torch.Generator().manual_seed(seed))
    chosen = [rows[user] for user in users.tolist()]
    expected = {
        "inputs": [padded(row[:-3], length) for row in chosen],
        "targets": [padded(row[1:-2], length) for row in chosen],
        "valid": [padded(row[:-2], length) for row in chosen],
        "test": [padded(row[:-1], length) for row in chosen],
    }
    assert data.training_inputs(users, length).tolist() == expected["inputs"]
    assert data.training_targets(users, length).tolist() == expected["targets"]
    for split, held_out in (("valid", 2), ("test", 1)):
        assert data.histories(users, split, length).tolist() == expected[split]
        assert data.targets(users, split).tolist() == [row[-held_out] for row in chosen]


@cases(100)
@given(histories())
def test_training_counts_leave_out_what_is_held_out(rows):
    data = data_of(rows)
    training = [row[:-HELD_OUT] for row in rows]
    counts = [sum(row.count(item) for row in training) for item in range(data.item_size)]
    assert data.training_counts().tolist() == counts
    assert data.training_lengths().tolist() == [len(row) for row in training]
    assert data.item_size == max(max(row) for row in rows) + 2


@cases(60)
@given(histories(most_users=3), histories(most_users=3))
def test_the_digest_tells_histories_apart(some, others):
    assert data_of(some).digest() == data_of([list(row) for row in some]).digest()
    assert (data_of(some).digest() == data_of(others).digest()) == (some == others)


@cases(100)
@given(histories(), LENGTHS, st.floats(0.01, 1.0), SEEDS)
def test_an_epoch_s_prefixes_are_different_ones_of_all(rows, length, share, seed):
    data = data_of(rows)
    every = [
        (user, row[:-HELD_OUT][:end])
        for user, row in enumerate(rows)
        for end in range(len(row) - HELD_OUT, max(0, len(row) - HELD_OUT - length), -1)
    ]
    prefixes = Prefixes(data, length, share)
    assert prefixes.count == count_prefixes(data, length, share) == ceil(share * len(every))
    seen = []
    for epoch in range(2):
        prefixes.shuffle(torch.Generator().manual_seed(seed + epoch))
        users, ends = prefixes.take(torch.arange(prefixes.count))
        found = [
            (user, data.items[data.starts[user] : end].tolist())
            for user, end in zip(users.tolist(), ends.tolist(), strict=True)
        ]
        left = list(every)
        for prefix in found:
            left.remove(prefix)  # each at most once
        seen.append(found)
    if prefixes.count == len(every):
        assert seen == [every, every]


@cases(60)
@given(st.integers(1, 40), st.data(), SEEDS)
def test_chosen_samples_are_different_and_decided_by_the_seed(total, data, seed):
    count = data.draw(st.integers(0, total))
    chosen = choose_samples(total, count, torch.Generator().manual_seed(seed)).tolist()
    assert len(chosen) == len(set(chosen)) == count
    assert set(chosen) <= set(range(total))
    assert choose_samples(total, count, torch.Generator().manual_seed(seed)).tolist() == chosen
