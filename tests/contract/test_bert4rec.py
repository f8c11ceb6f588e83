import pytest
import torch
from torch.nn import functional as F

import baselines.bert4rec
from baselines.bert4rec import Hyperparameters, Model
from elcrec.models.padding import gather_chosen
from tests.contract.contract import LENGTH, ModelContract, cycle_data

SMALL = {"dimension": 16, "blocks": 1, "hidden_dropout": 0.1, "attention_dropout": 0.1}


class TestBERT4Rec(ModelContract):
    module = baselines.bert4rec
    parameters = SMALL
    protocol = "strict"


def with_settings(**settings):
    case = TestBERT4Rec()
    case.parameters = SMALL | settings
    return case


def test_parameters_on_beauty():
    items, d = 12103, 64
    encoder = items * d + 50 * d + 2 * d + 2 * (12 * d**2 + 13 * d)
    model = Model(Hyperparameters(), n_users=1, item_size=items)
    count = sum(p.numel() for p in model.parameters())
    assert count == encoder + d**2 + 3 * d + items == 894_279


def windows(*sizes: int) -> torch.Tensor:
    """Left-padded windows of width LENGTH with these numbers of items."""
    columns = torch.arange(LENGTH)
    return torch.where(columns >= LENGTH - torch.tensor(sizes)[:, None], columns + 1, 0)


@pytest.mark.parametrize("ratio", [0.2, 0.4, 0.6, 1.0])
def test_masks_never_fall_on_padding_and_have_the_right_number(ratio):
    model = Model(Hyperparameters(max_length=LENGTH, mask_ratio=ratio), 1, 42)
    sequences = windows(*[1, 2, 5, 9, 12] * 200)
    generator = torch.Generator().manual_seed(0)
    last_only = torch.zeros(len(sequences), dtype=torch.bool)
    masked = model.draw_masks(sequences, last_only, generator)
    assert not (masked & (sequences == 0)).any()
    expected = [max(1, round(n * ratio)) for n in [1, 2, 5, 9, 12]] * 200
    assert masked.sum(1).tolist() == expected
    rows = (sequences > 0).sum(1) == 12
    share = masked[rows].float().mean(0)
    assert (share - share.mean()).abs().max() < 0.15  # all positions alike


@pytest.mark.parametrize("share", [0.0, 0.091, 0.5])
def test_a_share_of_the_windows_hides_the_last_item_only(share):
    data = cycle_data()
    model, context = with_settings(last_only=share, mask_ratio=1.0).ready(data)
    assert model.n_samples(data) == 2 * data.n_users
    users = torch.arange(2 * data.n_users).repeat(20)
    masked = (model.batch(users, context).inputs == model.mask_id).sum(1)
    found = float((masked == 1).float().mean())  # otherwise all items are masked
    assert found == pytest.approx(share, abs=4 * (share / len(users)) ** 0.5)


def test_windows_that_hide_the_last_item_only():
    data = cycle_data()
    model, context = with_settings(last_only=1.0).ready(data)
    users = torch.arange(data.n_users)
    batch = model.batch(users, context)
    assert ((batch.inputs == model.mask_id).sum(1) == 1).all()
    assert (batch.inputs[:, -1] == model.mask_id).all()
    last_known = data.items[data.stops - 3]  # item n - 2: nothing of validation or test
    assert torch.equal(batch.targets[:, -1], last_known)
    assert ((batch.targets > 0).sum(1) == 1).all()
    restored = torch.where(batch.inputs == model.mask_id, batch.targets, batch.inputs)
    assert torch.equal(restored, data.histories(users, "valid", LENGTH))


def test_scoring_appends_the_mask_token_and_keeps_the_last_items():
    model = Model(Hyperparameters(max_length=LENGTH), 1, 42)
    short = torch.tensor([[0, 3, 4]])
    assert model.with_mask(short).tolist() == [[0, 3, 4, 41]]
    full = windows(12)
    assert model.with_mask(full).tolist() == [[*range(2, 13), 41]]


def test_the_fixed_shapes_of_a_gpu_give_the_same_loss():
    data = cycle_data()
    model, context = TestBERT4Rec().ready(data)
    model.eval()
    batch = model.batch(torch.arange(data.n_users - 20, data.n_users + 20), context)
    hidden, targets = gather_chosen(model.encoder(batch.inputs), batch.targets, most=2)
    assert hidden.shape[:2] == targets.shape == (40, 2)
    assert ((targets > 0).sum(1) == (batch.targets > 0).sum(1)).all()
    logits = F.linear(model.features(hidden), model.encoder.items.weight, model.bias).flatten(0, 1)
    loss = F.cross_entropy(logits, targets.flatten(), ignore_index=0)
    torch.testing.assert_close(loss, model.loss(batch)["total"])


def test_padding_and_mask_score_below_every_item():
    data = cycle_data()
    model, _ = TestBERT4Rec().ready(data)
    users = torch.arange(5)
    scores = model.score(users, data.histories(users, "test", LENGTH))
    assert (scores[:, [0, -1]] == float("-inf")).all()
    assert torch.isfinite(scores[:, 1:-1]).all()
