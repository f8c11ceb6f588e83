import numpy as np
import pytest
import torch
from scipy.stats import chisquare

import baselines.cl4srec
from baselines.cl4srec import Hyperparameters, Model
from elcrec.data.augmentation import Augmenter
from tests.contract.contract import LENGTH, ModelContract, cycle_data

SMALL = {"dimension": 16, "blocks": 1, "hidden_dropout": 0.1, "attention_dropout": 0.1}
LAST = {"form": "last", "crop": 0.6, "mask": 0.3, "reorder": 0.6}


class TestCL4SRec(ModelContract):
    module = baselines.cl4srec
    parameters = SMALL


class TestCL4SRecLast(ModelContract):
    module = baselines.cl4srec
    parameters = SMALL | LAST


def test_parameters_on_beauty_are_those_of_the_encoder():
    model = Model(Hyperparameters(), n_users=1, item_size=12103)
    assert sum(p.numel() for p in model.parameters()) == 877_888


def test_making_batches_leaves_the_histories_as_they_were():
    data = cycle_data()
    before = data.items.clone()
    for form in (TestCL4SRec(), TestCL4SRecLast()):
        model, context = form.ready(data)
        for _ in range(20):
            model.batch(torch.arange(data.n_users), context)
    assert torch.equal(data.items, before)


def views_of(user: int, times: int, **shares: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Views of one user's training input with an own mask token; that input; the token."""
    data = cycle_data()
    token = data.item_size - 1
    generator = torch.Generator().manual_seed(0)
    augmenter = Augmenter(data, LENGTH, mask_id=token, **shares)
    views = augmenter.views(torch.full((times,), user), generator)
    whole = data.training_inputs(torch.tensor([user]), LENGTH)[0]
    return views.numpy(), whole[whole > 0].numpy(), token


def user_of_length(n: int) -> int:
    data = cycle_data()
    return int(((data.stops - data.starts - 3) == n).nonzero()[0])


def test_masked_items_become_the_token_uniformly_and_nothing_else_changes():
    views, whole, token = views_of(user_of_length(10), 9000, crop=0.6, mask=0.3, reorder=0.6)
    masked = views[(views == token).any(1)][:, -10:]
    assert len(masked) == pytest.approx(3000, rel=0.07)  # a third of all views
    assert ((masked == token).sum(1) == 3).all()  # floor(0.3 * 10)
    assert ((masked == token) | (masked == whole)).all()
    assert chisquare((masked == token).sum(0)).pvalue > 1e-4


def test_the_token_never_stands_at_padding_and_crops_keep_six_tenths():
    views, whole, token = views_of(user_of_length(10), 3000, crop=0.6, mask=0.3, reorder=0.6)
    assert (views[:, :-10] == 0).all()
    sizes = (views > 0).sum(1)
    assert set(sizes) == {6, 10}
    assert not (views[sizes == 6] == token).any()
    assert (np.diff(views[sizes == 6][:, -6:]) % 40 == 1).all()  # consecutive on the cycle
    reordered = views[(sizes == 10) & ~(views == token).any(1)][:, -10:]
    assert (np.sort(reordered) == np.sort(whole)).all()


def test_padding_as_mask_draws_the_same_views():
    views, _, token = views_of(user_of_length(10), 500)
    generator = torch.Generator().manual_seed(0)
    plain = Augmenter(cycle_data(), LENGTH).views(torch.full((500,), user_of_length(10)), generator)
    np.testing.assert_array_equal(np.where(views == token, 0, views), plain.numpy())


def test_the_mask_token_is_not_recommended_where_it_is_an_input():
    data = cycle_data()
    model, _ = TestCL4SRecLast().ready(data)
    users = torch.arange(5)
    scores = model.score(users, data.histories(users, "test", LENGTH))
    assert (scores[:, -1] == float("-inf")).all()
