"""What each variant differs in, and that nothing else does."""

import math

import pytest
import torch
from torch.nn import functional as F

from elcrec.models import elcrec, padding
from elcrec.models.clustering import cluster_loss
from elcrec.models.interface import Context
from elcrec.usage import Stopwatch
from tests.contract.contract import LENGTH, cycle_data
from variants import auto, clusters, density, iclrec_real, momentum, real, uncertainty

SMALL = {"dimension": 16, "blocks": 1, "intents": 8, "max_length": LENGTH}


def units(count, width, seed=0):
    return F.normalize(torch.randn(count, width, generator=torch.Generator().manual_seed(seed)))


def ready(module, **changes):
    """A model whose hooks have run, with its dropout off, and a batch."""
    data = cycle_data()
    torch.manual_seed(1)
    parameters = module.Hyperparameters(**(SMALL | changes))
    model = module.Model(parameters, data.n_users, data.item_size)
    context = Context(data, torch.Generator().manual_seed(1), 1, Stopwatch(data.device))
    model.start_training(context)
    model.start_epoch(0, context)
    return model.eval(), model.batch(torch.arange(24), context), context


# Why the cluster loss separates nothing


def test_the_cluster_loss_has_the_same_tangent_for_all_centers():
    users, centers = units(50, 8), units(12, 8, seed=1).requires_grad_()
    sum(cluster_loss(users, centers).values()).backward()
    mean, of_users = centers.detach().mean(0), users.mean(0)
    # Along a center the gradient changes its length, which is put back to 1 in each step.
    common = centers.grad + 2 / len(centers) * centers.detach()
    expected = 2 / len(centers) * (2 * mean - of_users)
    torch.testing.assert_close(common, expected.expand_as(common))


def test_its_least_value_is_reached_by_centers_that_all_users_are_equally_far_from():
    users = torch.tensor([[1.0, 0.0, 0.0]] * 5)
    # m = b / 2: all centers on a ring around the mean user, or two next to each other: all the same
    angle = math.acos(0.5)
    ring = [
        [math.cos(angle), math.sin(angle) * math.cos(t), math.sin(angle) * math.sin(t)]
        for t in (0.0, 2 * math.pi / 3, 4 * math.pi / 3)
    ]
    pair = [[math.cos(angle), sign * math.sin(angle), 0.0] for sign in (1, -1)] * 3
    for centers in (torch.tensor(ring), torch.tensor(pair)):
        loss = sum(cluster_loss(users, centers).values())
        assert float(loss) == pytest.approx(-0.5, abs=1e-6)


# Momentum


def test_centers_follow_their_own_users_only():
    centers = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    users = F.normalize(torch.tensor([[1.0, 0.2], [1.0, 0.4]]))
    found = momentum.moved(centers, users, 0.5)
    expected = F.normalize(0.5 * centers[0] + 0.5 * users.mean(0), dim=0)
    torch.testing.assert_close(found[0], expected)
    torch.testing.assert_close(found[1:], centers[1:])


def test_with_momentum_centers_move_and_no_gradient_reaches_them():
    model, batch, _ = ready(momentum, momentum=0.9)
    before = model.centers.clone()
    model.loss(batch)
    torch.testing.assert_close(model.centers, before)
    model.train().loss(batch)["total"].backward()
    assert not any(name == "centers" for name, _ in model.named_parameters())
    assert "centers" in model.state_dict()
    assert not torch.equal(model.centers, before)
    torch.testing.assert_close(model.centers.norm(dim=1), torch.ones(8))


# The rule of thumb


@pytest.mark.parametrize(("users", "expected"), [(1, 1), (200, 10), (943, 22), (22363, 106)])
def test_the_rule_of_thumb(users, expected):
    assert auto.thumb_rule(users) == expected


def test_auto_takes_the_rule_and_a_number_stays():
    for told, expected in (("auto", 9), (5, 5)):
        parameters = auto.Hyperparameters(**(SMALL | {"intents": told}))
        assert auto.Model(parameters, 160, 42).centers.shape == (expected, 16)
    with pytest.raises(ValueError, match="heads"):
        auto.Hyperparameters(dimension=15)


# Learned weights


def test_learned_weights_begin_with_those_of_elcrec():
    told = {"instance_weight": 0.0, "intent_weight": 0.3, "alpha": 2.0}
    model, batch, _ = ready(uncertainty, **told)
    terms = model.loss(batch)
    plain = ready(elcrec, **told)[0].loss(batch)
    weights = {"next_item": 1.0, "intent": 0.3, "cluster": 2.0}
    found = {k.removeprefix("weight_"): v for k, v in terms.items() if k.startswith("weight_")}
    assert found == {name: pytest.approx(weight) for name, weight in weights.items()}
    constant = 2.0 - 0.5 * (math.log(0.3) + math.log(2.0))
    assert terms["total"].item() == pytest.approx(plain["total"].item() + constant, rel=1e-5)


def test_a_loss_as_large_as_half_the_inverse_of_its_weight_is_in_balance():
    model, batch, _ = ready(uncertainty)
    terms = {name: float(value) for name, value in model.loss(batch).items()}
    losses = [terms[n] + uncertainty.RAISED.get(n, 0.0) for n in model.weighted]
    with torch.no_grad():
        model.log_variances.copy_(torch.tensor([2 * loss for loss in losses]).log())
    model.loss(batch)["total"].backward()
    torch.testing.assert_close(model.log_variances.grad, torch.zeros(4), atol=1e-4, rtol=0)


# Real positions


@pytest.mark.parametrize("module", [real, iclrec_real])
@pytest.mark.parametrize("fusion", ["shift", "concat"])
def test_real_positions_know_nothing_of_padding(module, fusion, monkeypatch):
    """Losses are the same whether windows are cut or not, and whatever stands at padding."""
    model, batch, _ = ready(module, fusion=fusion)
    cut = model.loss(batch)
    monkeypatch.setattr(padding, "cuts_padding", lambda tensor: False)
    whole = model.loss(batch)
    with torch.no_grad():
        model.encoder.items.weight[0] = 7.0
    other = model.loss(batch)
    for name, value in cut.items():
        torch.testing.assert_close(value, whole[name], rtol=1e-4, atol=1e-5, msg=name)
        torch.testing.assert_close(value, other[name], rtol=1e-4, atol=1e-5, msg=name)


def test_elcrec_itself_sees_the_padding():
    model, batch, _ = ready(elcrec)
    before = model.loss(batch)["instance"]
    with torch.no_grad():
        model.encoder.items.weight[0] = 7.0
    assert not torch.allclose(before, model.loss(batch)["instance"], rtol=1e-3)


def test_users_are_pooled_over_their_items():
    model, batch, context = ready(real)
    with torch.no_grad():
        pooled = model.pooled_training_users(context.data, torch.arange(24))
        for row, window in enumerate(batch.inputs):
            items = window[window > 0][None]
            expected = model.encoder(items)[0].mean(0)
            torch.testing.assert_close(pooled[row], expected, rtol=1e-4, atol=1e-5)


def test_a_masked_item_in_a_view_does_not_hide_those_before_it():
    model, *_ = ready(real)
    window = torch.zeros(2, LENGTH, dtype=torch.long)
    window[0, -4:] = torch.tensor([5, 0, 0, 7])
    window[1, -1] = 3
    hidden = model.encode(window)
    assert ((hidden != 0).any(-1) == (window > 0)).all()
    expected = model.encoder(window) * (window > 0).unsqueeze(-1)
    torch.testing.assert_close(hidden, expected, rtol=1e-4, atol=1e-5)


# Other cluster losses, other centers


def test_as_it_was_the_clustering_is_that_of_elcrec():
    first, second = (ready(module) for module in (clusters, elcrec))
    assert {k: float(v) for k, v in first[0].loss(first[1]).items()} == {
        k: float(v) for k, v in second[0].loss(second[1]).items()
    }


def test_information_is_that_of_the_shares():
    sure = torch.full((6, 3), -50.0).scatter_(1, torch.arange(6)[:, None] % 3, 50.0)
    assert float(clusters.information(sure)) == pytest.approx(math.log(3), abs=1e-5)
    one = torch.full((6, 3), -50.0).index_fill_(1, torch.tensor([1]), 50.0)
    assert float(clusters.information(one)) == pytest.approx(0, abs=1e-5)
    assert float(clusters.information(torch.zeros(6, 3))) == pytest.approx(0, abs=1e-5)


def test_mean_squared_cosine_is_that_of_all_pairs():
    centers = units(5, 3)
    pairs = [float(centers[i] @ centers[j]) ** 2 for i in range(5) for j in range(5) if i != j]
    expected = pytest.approx(sum(pairs) / 20, rel=1e-5)
    assert float(clusters.mean_squared_cosine(centers)) == expected


@pytest.mark.parametrize("term", ["nearest", "decorrelation", "softmax"])
def test_other_terms_tell_centers_apart(term):
    """Their gradients across the centers differ, where the paper's has one vector for all."""
    module = clusters.TermELCM(8, 12)
    module.term = term
    with torch.no_grad():
        module.centers.copy_(units(12, 8, seed=1))
    module(units(50, 8))["cluster"].backward()
    centers, grad = module.centers.detach(), module.centers.grad
    across = grad - (grad * centers).sum(1, keepdim=True) * centers
    common = grad.mean(0).expand_as(grad)
    common = common - (common * centers).sum(1, keepdim=True) * centers
    assert (across - common).norm() > 0.1 * across.norm()


def test_the_nearest_term_pulls_a_user_to_its_own_center():
    module = clusters.TermELCM(2, 2)
    module.term = "nearest"
    with torch.no_grad():
        module.centers.copy_(torch.eye(2))
    terms = module(torch.tensor([[3.0, 4.0]]))
    assert float(terms["pull"]) == pytest.approx(2 - 2 * 0.8)
    assert float(terms["push"]) == pytest.approx(2 * 0.5 - 2)


@pytest.mark.parametrize("where", ["frozen", "random"])
def test_centers_that_are_not_learned_stay(where):
    model, batch, _ = ready(clusters, centers=where)
    before = model.centers.clone()
    model.loss(batch)["total"].backward()
    torch.testing.assert_close(model.centers, before)
    assert "centers" not in dict(model.named_parameters())
    other = ready(clusters, centers={"frozen": "random", "random": "frozen"}[where])[0]
    assert not torch.allclose(model.centers, other.centers)


# Density peaks


def test_peaks_are_the_middles_of_dense_places():
    middles = units(3, 6, seed=4)
    spread = torch.randn(90, 6, generator=torch.Generator().manual_seed(5))
    points = F.normalize(middles.repeat(30, 1) + 0.02 * spread)
    found = density.peaks(points, 3.0)
    assert sorted((found % 3).tolist()) == [0, 1, 2]
    assert len(density.peaks(points, 99.0)) == density.FEWEST


def test_only_the_centers_in_use_count():
    model, batch, context = ready(density)
    found = model.intents(context.data, torch.arange(24))
    count = int(model.count)
    assert len(found.centers) == count < 8
    terms = model.loss(batch)
    users = F.normalize(model.pool(model.encode(batch.inputs), batch.inputs))
    expected = cluster_loss(users, model.centers[:count])
    for name, value in expected.items():
        torch.testing.assert_close(terms[f"cluster_{name}"], value, rtol=1e-4, atol=1e-5)
    terms["total"].backward()
    assert model.centers.grad[:count].abs().sum() > 0
    assert model.centers.grad[count:].abs().sum() == 0


def test_peaks_are_found_again_after_some_epochs():
    model, _, context = ready(density, again=2)
    before = model.centers.detach().clone()
    with torch.no_grad():
        model.encoder.items.weight.normal_()
    model.start_epoch(1, context)
    assert torch.equal(model.centers, before)
    model.start_epoch(2, context)
    assert not torch.equal(model.centers, before)
