import numpy as np
import pytest
import torch

import baselines.dssrec
from baselines.dssrec import Hyperparameters, Model
from elcrec.data.histories import InteractionData
from elcrec.data.sequences import Sequences
from tests.contract.contract import LENGTH, ModelContract, cycle_data

SMALL = {
    "dimension": 16,
    "intents": 3,
    "positions": 6,
    "hidden_dropout": 0.1,
    "attention_dropout": 0.1,
}


class TestDSSRec(ModelContract):
    module = baselines.dssrec
    parameters = SMALL
    protocol = "strict"


class TestDSSRecUndivided(ModelContract):
    module = baselines.dssrec
    parameters = SMALL | {"divide_item_logits": False}
    protocol = "strict"


@pytest.mark.parametrize(("intents", "expected"), [(4, 836_736), (8, 837_504)])
def test_parameters_on_beauty(intents, expected):
    """B(1) + d² + (12 + L + 3K)d: key (d² + d), its bias b', L alphas, 3K vectors, 5 LayerNorms."""
    d, length = 64, 50
    model = Model(Hyperparameters(intents=intents), n_users=1, item_size=12103)
    count = sum(p.numel() for p in model.parameters())
    assert count == 827_904 + d**2 + (12 + length + 3 * intents) * d == expected


def test_a_batch_of_one_user_has_finite_losses_and_gradients():
    data = cycle_data()
    model, context = TestDSSRec().ready(data)
    terms = model.loss(model.batch(torch.tensor([3]), context))
    terms["total"].backward()
    assert all(torch.isfinite(value) for value in terms.values())
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


def test_histories_longer_than_the_window_keep_what_is_near():
    lengths = [130, 6]
    offsets = np.cumsum([0, *lengths])
    items = np.concatenate([np.arange(1, 131), np.arange(1, 7)])
    data = InteractionData(Sequences(items, offsets, ("0", "1")))
    model, context = TestDSSRec().ready(data)
    for _ in range(50):
        batch = model.batch(torch.tensor([0, 1]), context)
        assert torch.isfinite(model.loss(batch)["total"])
        inputs, futures = batch.inputs[0], batch.futures[0]
        assert inputs.tolist() == list(range(116, 128))  # items n - 14 … n - 3
        targets = batch.targets[0]
        assert torch.equal(targets, 128 - batch.distances[0])  # item i + 1 follows item i
        assert futures[-1] == targets[0]  # the next item is last
        count = min(LENGTH, 128 - int(targets[0]) + 1)  # the future ends with item n - 2
        assert futures[-count:].tolist() == list(
            range(int(targets[0]) + count - 1, targets[0] - 1, -1)
        )
        assert (futures[:-count] == 0).all()


def test_prefixes_are_distinct_and_padding_is_no_prefix():
    data = cycle_data()
    model, context = TestDSSRec().ready(data)
    users = torch.arange(data.n_users)
    batch = model.batch(users, context)
    sizes = (data.stops - data.starts - 3).clamp(max=LENGTH)
    assert torch.equal(batch.real.sum(1), sizes.clamp(max=6))
    for row in range(data.n_users):
        chosen = batch.distances[row][batch.real[row]].tolist()
        assert len(set(chosen)) == len(chosen)
        assert max(chosen) < sizes[row]
        ends = data.stops[row] - 3 - batch.distances[row]
        assert torch.equal(batch.targets[row], data.items[ends])


@torch.no_grad()
def test_padding_does_not_enter_the_weights():
    model = Model(Hyperparameters(max_length=LENGTH, dimension=16), 1, 42).eval()
    padded = torch.tensor([[0, 0, 0, 5, 6, 7]])
    zero = torch.zeros(1, 1, dtype=torch.long)
    placed = model.encoder(padded) + model.alphas[-6:]
    weights = model.position_weights(placed, placed[:, -1:], (padded == 0).unsqueeze(1))
    assert (weights[..., :3] == 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(1, 1))
    short = padded[:, 3:]
    torch.testing.assert_close(
        model.input_intentions(padded, zero), model.input_intentions(short, zero)
    )


@torch.no_grad()
def test_a_prefix_does_not_see_what_comes_after_it():
    model = Model(Hyperparameters(max_length=LENGTH, dimension=16), 1, 42).eval()
    distance = torch.tensor([[2]])
    one, other = torch.tensor([[1, 2, 3, 4, 5]]), torch.tensor([[1, 2, 3, 9, 8]])
    torch.testing.assert_close(
        model.input_intentions(one, distance), model.input_intentions(other, distance)
    )


@pytest.mark.parametrize(("divide", "scale"), [(True, 2), (False, 1)])
def test_losses_by_hand(divide, scale):
    settings = Hyperparameters(dimension=4, intents=2, heads=1, kept=0.5, divide_item_logits=divide)
    model = Model(settings, 1, 12)
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(3, 2, 4, generator=generator)
    labels = torch.randn(3, 2, 4, generator=generator)
    targets, real = torch.tensor([3, 5, 3]), torch.tensor([True, True, True])
    table = model.encoder.items.weight.detach()

    terms = []
    for n, others in enumerate(([0, 1], [0, 1, 2], [1, 2])):  # 0 and 2 have the same next item
        logits = torch.stack([vectors[n] @ table[targets[m]] / scale for m in others])
        best = (vectors[n] @ table[targets[n]] / scale).max()
        terms.append(logits.exp().sum().log() - best)
    expected = torch.stack(terms).mean()
    torch.testing.assert_close(model.item_loss(vectors, targets, real), expected)

    pairs = []
    for b in range(3):
        for k in range(2):
            logits = (labels.reshape(6, 4) @ vectors[b, k]) / 2
            pairs.append(logits.exp().sum().log() - vectors[b, k] @ labels[b, k] / 2)
    kept = torch.stack(pairs).sort().values[:3].sum() / 3
    torch.testing.assert_close(model.sequence_loss(vectors, labels), kept)


def test_prefixes_that_are_not_there_do_not_count():
    """On a GPU their rows stay in the batch and must change nothing."""
    data = cycle_data()
    model, context = TestDSSRecUndivided().ready(data)
    batch = model.eval().batch(torch.arange(20), context)
    vectors = model.input_intentions(batch.inputs, batch.distances).flatten(0, 1)
    real, targets = batch.real.flatten(), batch.targets.flatten()
    assert not real.all()
    whole = model.item_loss(vectors, targets, real)
    cut = model.item_loss(vectors[real], targets[real], real[real])
    torch.testing.assert_close(whole, cut)
    (gradient,) = torch.autograd.grad(whole, vectors)
    assert torch.isfinite(gradient).all()
    assert (gradient[~real] == 0).all()
