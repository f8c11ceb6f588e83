"""Negatives: real ids that are not the user's, each as likely as the others."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from baselines import bprmf, gru4rec
from elcrec.data.histories import HELD_OUT, NegativeSampler
from elcrec.errors import InputError
from elcrec.training.loop import train
from elcrec.training.settings import TrainingSettings
from tests.properties.strategies import SEEDS, cases, data_of, histories

ROWS = histories(most_items=9, longest=14, most_users=8)


def allowed(row: list[int], highest: int, held_out: int = 0) -> set[int]:
    return set(range(1, highest + 1)) - set(row[: len(row) - held_out])


@cases(120)
@given(ROWS, st.integers(1, 60), SEEDS)
def test_the_protocol_draws_from_all_ids_and_the_mask_but_never_an_own_item(rows, length, seed):
    data = data_of(rows)
    users = torch.randint(len(rows), (5,), generator=torch.Generator().manual_seed(seed))
    drawn = data.negatives(users, length, torch.Generator().manual_seed(seed))
    assert drawn.shape == (5, length)
    for user, negatives in zip(users.tolist(), drawn.tolist(), strict=True):
        assert set(negatives) <= allowed(rows[user], data.item_size - 1)
    again = data.negatives(users, length, torch.Generator().manual_seed(seed))
    assert torch.equal(again, drawn)


@cases(120)
@given(ROWS, st.sampled_from([0, HELD_OUT]), st.integers(0, 3), SEEDS)
def test_every_range_draws_only_what_it_allows_or_refuses(rows, held_out, beyond, seed):
    data = data_of(rows)
    highest = data.n_items + beyond
    pools = [allowed(row, highest, held_out) for row in rows]
    if not all(pools):
        first = next(number for number, pool in enumerate(pools, 1) if not pool)
        with pytest.raises(InputError, match=rf"^the user on line {first} [^\n]*$"):
            NegativeSampler(data, highest, held_out)
        return
    sampler = NegativeSampler(data, highest, held_out)
    drawn = sampler.draw(torch.arange(len(rows)), 40, torch.Generator().manual_seed(seed))
    for pool, negatives in zip(pools, drawn.tolist(), strict=True):
        assert set(negatives) <= pool


@cases(30)
@given(st.integers(5, 12), st.data(), SEEDS)
def test_one_allowed_item_is_always_drawn(items, data, seed):
    missing = data.draw(st.integers(1, items))
    own = [item for item in range(1, items + 1) if item != missing]
    others = [*own[:3], missing]
    sampler = NegativeSampler(data_of([own + own[:1], others]), highest=items)
    drawn = sampler.draw(torch.tensor([0]), 50, torch.Generator().manual_seed(seed))
    assert set(drawn[0].tolist()) == {missing}


@pytest.mark.parametrize("held_out", [0, HELD_OUT])
@pytest.mark.parametrize("mask", [False, True])
def test_draws_are_uniform_in_every_range(held_out, mask):
    """Chi-square with a fixed seed; users with own items first, last, in between and repeated."""
    rows = [[1, 2, 5, 5, 9], [12, 3, 11, 1, 2], [4, 6, 6, 7, 8], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]
    data = data_of(rows)
    highest = data.n_items + mask
    sampler = NegativeSampler(data, highest, held_out)
    drawn = sampler.draw(torch.arange(4), 20_000, torch.Generator().manual_seed(5))
    for row, negatives in zip(rows, drawn.numpy(), strict=True):
        counts = np.bincount(negatives, minlength=highest + 1)
        pool = sorted(allowed(row, highest, held_out))
        assert counts.sum() == counts[pool].sum()
        assert chisquare(counts[pool]).pvalue > 1e-4


@pytest.mark.parametrize("module", [bprmf, gru4rec])
def test_training_where_a_user_has_every_item_is_refused_in_one_line(module):
    """There is nothing to draw; the protocol's own range still has the mask."""
    data = data_of([[1, 2, 3, 4, 1, 2], [1, 2, 3, 4]])
    torch.manual_seed(0)
    model = module.Model(module.Hyperparameters(dimension=2), data.n_users, data.item_size)
    with pytest.raises(InputError, match=r"^the user on line 1 has interacted with [^\n]*$"):
        train(model, data, TrainingSettings(max_epochs=1), seed=1)
    drawn = data.negatives(torch.tensor([0]), 20, torch.Generator().manual_seed(1))
    assert set(drawn[0].tolist()) == {data.item_size - 1}
