"""Histories as tensors: leave-one-out windows and exact negatives."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from elcrec.data.histories import InteractionData, NegativeSampler
from elcrec.data.samples import choose_samples
from elcrec.data.sequences import Sequences


def data_of(*rows: list[int]) -> InteractionData:
    offsets = np.concatenate([[0], np.cumsum([len(r) for r in rows])])
    items = np.concatenate(rows).astype(np.int64)
    return InteractionData(Sequences(items, offsets, tuple(map(str, range(len(rows))))))


def test_split_by_hand():
    data = data_of([1, 2, 3, 4, 5, 6, 7], [8, 9, 2, 3])
    users = torch.tensor([0, 1])
    assert data.training_inputs(users, 6).tolist() == [[0, 0, 1, 2, 3, 4], [0, 0, 0, 0, 0, 8]]
    assert data.training_targets(users, 6).tolist() == [[0, 0, 2, 3, 4, 5], [0, 0, 0, 0, 0, 9]]
    assert data.histories(users, "valid", 3).tolist() == [[3, 4, 5], [0, 8, 9]]
    assert data.targets(users, "valid").tolist() == [6, 2]
    assert data.histories(users, "test", 3).tolist() == [[4, 5, 6], [8, 9, 2]]
    assert data.targets(users, "test").tolist() == [7, 3]


def test_training_items_by_hand():
    data = data_of([1, 2, 3, 2, 5, 6, 2], [8, 9, 2, 3])
    assert data.training_lengths().tolist() == [5, 2]
    counts = data.training_counts()
    assert counts.tolist() == [0, 1, 2, 1, 0, 1, 0, 0, 1, 1, 0]
    assert len(counts) == data.item_size


def test_chosen_samples_are_all_different():
    generator = torch.Generator().manual_seed(1)
    chosen = choose_samples(50, 20, generator)
    assert chosen.shape == chosen.unique().shape == (20,)
    assert sorted(choose_samples(50, 50, generator).tolist()) == list(range(50))


def test_longer_histories_keep_their_last_items():
    data = data_of(list(range(1, 21)))
    assert data.training_inputs(torch.tensor([0]), 5).tolist() == [[13, 14, 15, 16, 17]]
    assert data.training_targets(torch.tensor([0]), 5).tolist() == [[14, 15, 16, 17, 18]]


rows = st.lists(st.lists(st.integers(1, 12), min_size=4, max_size=15), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(rows, st.integers(0, 2**31))
def test_a_negative_is_never_an_item_of_the_user(rows, seed):
    data = data_of(*rows)
    users = torch.arange(data.n_users)
    drawn = data.negatives(users, 40, torch.Generator().manual_seed(seed))
    for row, negatives in zip(rows, drawn.tolist(), strict=True):
        assert not set(row) & set(negatives)
        assert min(negatives) >= 1
        assert max(negatives) <= data.item_size - 1


@settings(max_examples=60, deadline=None)
@given(rows, st.integers(0, 2), st.integers(1, 7), st.integers(0, 2**31))
def test_a_draw_is_an_entry_of_the_list_of_allowed_ids(rows, held_out, block, seed):
    data = data_of(*rows)

    class Sampler(NegativeSampler):
        BLOCK_USERS = block  # smaller and larger than the number of users

    sampler = Sampler(data, highest=data.n_items + 1, held_out=held_out)
    users = torch.randperm(data.n_users, generator=torch.Generator().manual_seed(seed))
    drawn = sampler.draw(users, 30, torch.Generator().manual_seed(seed))
    uniform = torch.rand(drawn.shape, generator=torch.Generator().manual_seed(seed), dtype=float)
    for user, negatives, shares in zip(users.tolist(), drawn.tolist(), uniform, strict=True):
        own = rows[user][: len(rows[user]) - held_out]
        allowed = sorted(set(range(1, data.n_items + 2)) - set(own))
        assert negatives == [allowed[int(share * len(allowed))] for share in shares]


def test_negatives_are_uniform_over_what_is_allowed_the_mask_id_included():
    data = data_of([2, 3, 3, 7, 9], [1, 4, 5, 10])
    drawn = data.negatives(torch.tensor([0]), 30000, torch.Generator().manual_seed(1))[0]
    allowed = [1, 4, 5, 6, 8, 10, 11]
    counts = torch.bincount(drawn, minlength=12)
    assert counts.sum() == counts[allowed].sum()
    assert chisquare(counts[allowed].numpy()).pvalue > 1e-4
