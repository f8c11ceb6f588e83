"""The network: its equations by hand, and what the models differ in."""

import pytest
import torch

from elcrec.config.config import load_config
from elcrec.config.industrial import CLUSTERED, MODELS
from elcrec.industrial.features import build
from elcrec.industrial.mmoe import MMoE, new_model
from elcrec.industrial.readers import read_log
from tests.unit.industrial.logs import census, many_ratings, ml100k


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mmoe")
    return build("d", read_log("ml-100k", ml100k(folder, many_ratings())), 0.5, 0.2)


@pytest.fixture(scope="module")
def network():
    changes = {"clusters": 4, "user_width": 3, "experts": 5, "expert_width": 6}
    return load_config().industrial.network.replaced(**changes)


def rows_of(table) -> list[torch.Tensor]:
    arrays = (table.user_codes, table.user_numbers, table.codes, table.numbers)
    return [torch.from_numpy(array[:7].copy()) for array in arrays]


def test_each_task_mixes_the_same_experts_with_its_own_gate(table, network):
    torch.manual_seed(0)
    model, rows = new_model(table, network, "mmoe"), rows_of(table)
    logits, users = model(*rows)
    inputs = torch.cat([users, model.columns(*rows[2:])], 1)
    for task in range(2):
        gate = model.gates.weight[task * 5 : task * 5 + 5]  # (experts, inputs)
        weights = torch.softmax(inputs @ gate.T, 1)
        mixed = torch.zeros(7, 6)
        for expert in range(5):
            own = slice(expert * 6, expert * 6 + 6)
            out = inputs @ model.experts.weight[own].T + model.experts.bias[own]
            mixed += weights[:, expert : expert + 1] * out.clamp(min=0)
        assert torch.allclose(model.towers[task](mixed)[:, 0], logits[:, task], atol=1e-6)


def test_only_the_gates_see_the_center(table, network):
    torch.manual_seed(0)
    model, rows = new_model(table, network, "mmoe_elcm"), rows_of(table)
    logits, users = model(*rows)
    with torch.no_grad():
        model.gates.weight[:, network.user_width : 2 * network.user_width] = 0  # of the center
    assert not torch.allclose(model(*rows)[0], logits)
    before = model(*rows)[0]
    with torch.no_grad():
        model.elcm.centers.copy_(model.elcm.centers.flip(0) * 3)
    assert torch.equal(model(*rows)[0], before)
    assert users.shape == (7, network.user_width)


def test_the_gradient_reaches_learned_centers_only(table, network):
    for name in CLUSTERED:
        model = new_model(table, network, name)
        model(*rows_of(table))[0].sum().backward()
        assert (model.elcm.centers.grad is not None) == (name == "mmoe_elcm")


def test_the_models_differ_in_the_clusters_alone(table, network):
    sizes = {}
    for name in MODELS:
        model = new_model(table, network, name)
        sizes[name] = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    plain, learned = sizes["mmoe"], sizes["mmoe_elcm"]
    assert sizes["mmoe_kmeans"] == learned
    assert learned.keys() - plain.keys() == {"elcm.centers"}
    other = {key for key in plain if plain[key] != learned[key]}
    assert other == {"gates.weight"}
    assert learned["gates.weight"][1] - plain["gates.weight"][1] == network.user_width


def test_single_task_networks_share_nothing_and_are_as_wide_as_all_experts(table, network):
    model, rows = new_model(table, network, "single"), rows_of(table)
    model(*rows)[0][:, 0].sum().backward()
    touched = [
        any(p.grad is not None and p.grad.any() for p in part.parameters())
        for part in model.networks
    ]
    assert touched == [True, False]
    assert model.networks[0].experts.out_features == 5 * 6
    assert isinstance(model.networks[0], MMoE)


def test_without_users_the_network_is_a_plain_mixture(tmp_path, network):
    table = build("d", read_log("census-income", census(tmp_path)), 0.5, 0.2)
    model = new_model(table, network, "mmoe")
    logits, users = model(*rows_of(table))
    assert logits.shape == (7, 2)
    assert users.shape == (7, 0)
    assert model.experts.in_features == model.columns.width
