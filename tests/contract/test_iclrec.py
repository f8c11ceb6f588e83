import torch

import baselines.iclrec
from tests.contract.contract import ModelContract, cycle_data

SMALL = {"dimension": 16, "blocks": 1, "intents": 8}


class TestICLRec(ModelContract):
    module = baselines.iclrec
    parameters = SMALL
    training = {"max_epochs": 20}


class TestICLRecShift(ModelContract):
    module = baselines.iclrec
    parameters = SMALL | {"fusion": "shift"}
    training = {"max_epochs": 20}


class TestICLRecConcat(ModelContract):
    module = baselines.iclrec
    parameters = SMALL | {"fusion": "concat"}
    training = {"max_epochs": 20}


def test_the_nearest_centroid_as_found_joins_normalised_and_gets_no_gradient():
    data = cycle_data()
    settings = baselines.iclrec.Hyperparameters(dimension=2, heads=1, intents=2, fusion="concat")
    model = baselines.iclrec.Model(settings, data.n_users, data.item_size)
    model.centroids.copy_(torch.tensor([[4.0, 0.0], [0.0, 0.1]]))
    # Nearer to the second centroid, though its direction is that of the first.
    hidden = torch.tensor([[[1.0, 0.5]]], requires_grad=True)
    fused = model.fuse(hidden)
    torch.testing.assert_close(fused, torch.tensor([[[1.0, 0.5, 0.0, 1.0]]]))
    fused.sum().backward()
    torch.testing.assert_close(hidden.grad, torch.ones(1, 1, 2))
