"""What is recorded of a model's intents."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import baselines.iclrec
import baselines.sasrec
import elcrec.models.elcrec
from elcrec.models.clustering import cluster_loss
from elcrec.models.interface import Intents
from elcrec.training.intents import diagnose, mean_cosine
from elcrec.training.loop import train
from elcrec.training.result import Options
from elcrec.training.settings import TrainingSettings
from tests.contract.contract import cycle_data

SMALL = {"dimension": 16, "max_length": 12, "blocks": 1}
MODELS = {
    "elcrec": (elcrec.models.elcrec, SMALL | {"intents": 8}),
    "iclrec": (baselines.iclrec, SMALL | {"intents": 8}),
    "sasrec": (baselines.sasrec, SMALL),
}


def trained(name, snapshot_epochs, epochs=3):
    module, values = MODELS[name]
    data = cycle_data()
    torch.manual_seed(1)
    model = module.Model(module.Hyperparameters(**values), data.n_users, data.item_size)
    settings = TrainingSettings(batch_size=64, max_epochs=epochs, patience=0)
    options = Options(snapshot_epochs=snapshot_epochs)
    return model, data, train(model, data, settings, seed=1, options=options)


def test_mean_cosine_of_known_vectors():
    axes = torch.eye(3)
    assert mean_cosine(axes).item() == pytest.approx(0.0, abs=1e-6)
    assert mean_cosine(axes[[0, 0, 0]]).item() == pytest.approx(1.0)
    assert mean_cosine(torch.stack([axes[0], -axes[0]])).item() == pytest.approx(-1.0)
    assert mean_cosine(axes[:1]).isnan()


def test_diagnostics_of_known_intents():
    users = 3 * torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [0.0, 1.0]])
    centers = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    row = diagnose(Intents(users, centers, torch.tensor([0, 1, 1, 1]), learned=True))
    assert row["intents_in_use"] == 2
    assert row["center_cosine"] == pytest.approx(-1 / 3)
    pairs = [0.6, 0.0, 0.0, 0.8, 0.8, 1.0]
    assert row["user_cosine"] == pytest.approx(sum(pairs) / 6)
    expected = sum(cluster_loss(F.normalize(users), centers).values()).item()
    assert row["cluster_direct"] == pytest.approx(expected, abs=1e-6)
    assert row["cluster_identity"] == pytest.approx(expected, abs=1e-6)
    assert "cluster_direct" not in diagnose(Intents(users, centers, torch.zeros(4), learned=False))


@pytest.mark.parametrize("name", ["elcrec", "iclrec"])
def test_snapshots_are_of_the_epochs_asked_for_and_of_the_tested_weights(name):
    model, data, result = trained(name, (0, 2, 50))
    kept = result.intents
    assert kept["epochs"].tolist() == [0, 2, result.best_epoch]
    n, k, d = len(kept["users"]), 8, 16
    assert kept["embeddings"].shape == (3, n, d)
    assert kept["assigned"].shape == (3, n)
    assert kept["centers"].shape == (3, k, d)
    np.testing.assert_allclose(np.linalg.norm(kept["centers"], axis=2), 1, atol=2e-3)
    assert kept["all_assigned"].shape == (data.n_users,)
    np.testing.assert_array_equal(kept["all_assigned"][kept["users"]], kept["assigned"][-1])
    found = model.intents(data, torch.arange(data.n_users))
    np.testing.assert_array_equal(found.assigned, kept["all_assigned"])


def test_the_history_has_the_numbers_of_every_epoch():
    _, _, result = trained("elcrec", ())
    for row in result.history:
        assert 1 <= row["intents_in_use"] <= 8
        assert row["cluster_direct"] == pytest.approx(row["cluster_identity"], abs=1e-5)
    assert result.intents == {}
    assert "cluster_direct" not in trained("iclrec", ())[2].history[0]
    assert "intents_in_use" not in trained("sasrec", (0, 1))[2].history[0]


def test_looking_at_intents_changes_no_result():
    _, _, plain = trained("iclrec", ())
    _, _, looked_at = trained("iclrec", (0, 1, 2))
    np.testing.assert_array_equal(plain.ranks["test"], looked_at.ranks["test"])
    for name, weight in plain.weights.items():
        assert torch.equal(looked_at.weights[name], weight)
