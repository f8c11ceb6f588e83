"""The cluster module by itself: what each part sees of the centers, and when."""

import pytest
import torch
from torch.nn import functional as F

from elcrec import ELCM
from elcrec.errors import InputError
from elcrec.models.clustering import cluster_loss, nearest
from elcrec.models.elcrec import Hyperparameters, Model
from elcrec.models.kmeans import KMeans

LONG = 3.0


@pytest.fixture
def users():
    torch.manual_seed(0)
    return torch.randn(20, 6)


@pytest.fixture
def elcm():
    """Four centers of length `LONG`, as an optimiser may leave them."""
    torch.manual_seed(1)
    made = ELCM(6, clusters=4)
    with torch.no_grad():
        made.centers.copy_(LONG * F.normalize(torch.randn(4, 6)))
    return made


def test_the_losses_are_those_of_normalised_users_and_centers(elcm, users):
    centers = F.normalize(elcm.centers.detach())
    losses = elcm(users)
    expected = cluster_loss(F.normalize(users), centers)
    torch.testing.assert_close(losses["pull"], expected["pull"])
    torch.testing.assert_close(losses["push"], expected["push"])
    assert losses["cluster"] == losses["pull"] + losses["push"]
    torch.testing.assert_close(elcm.centers.norm(dim=1), torch.ones(4))


def test_fusing_sees_the_centers_before_they_are_normalised(elcm, users):
    fused = elcm.fuse(users)
    torch.testing.assert_close((fused - users).norm(dim=1), torch.full((20,), LONG))
    elcm(users)
    torch.testing.assert_close((elcm.fuse(users) - users).norm(dim=1), torch.ones(20))


@pytest.mark.parametrize(("fusion", "width"), [("shift", 6), ("concat", 12), ("none", 6)])
def test_every_position_is_fused(users, fusion, width):
    assert ELCM(6, 4, fusion).fuse(users.view(4, 5, 6)).shape == (4, 5, width)


def test_gradient_reaches_users_and_centers(elcm, users):
    users.requires_grad_()
    elcm(users)["cluster"].backward()
    assert elcm.centers.grad.abs().sum() > 0
    assert users.grad.abs().sum() > 0


def test_users_are_assigned_by_direction_however_long_the_centers_are(elcm, users):
    cosines = F.normalize(users) @ F.normalize(elcm.centers).T
    assert torch.equal(elcm.assign(users), cosines.argmax(1))
    elcm(users)
    torch.testing.assert_close(elcm.intents(users), elcm.centers[cosines.argmax(1)])


def test_it_starts_at_the_centroids_brought_to_unit_length(elcm, users):
    elcm.start(users, seed=3)
    found = KMeans(4, 6, 3, users.device).fit(users)
    assert torch.equal(elcm.centers, F.normalize(found))


def test_it_starts_at_users_that_are_all_different(elcm, users):
    elcm.start(users, by="random", seed=3)
    cosines = F.normalize(elcm.centers) @ F.normalize(users).T
    assert cosines.argmax(1).unique().numel() == 4
    torch.testing.assert_close(cosines.max(1).values, torch.ones(4))


@pytest.mark.parametrize("by", ["kmeans", "random"])
@pytest.mark.parametrize("count", [1, 3])
def test_fewer_users_than_centers_are_refused(elcm, users, by, count):
    with pytest.raises(InputError, match=f"got {count}"):
        elcm.start(users[:count], by=by)


def test_an_unknown_fusion_is_refused():
    with pytest.raises(InputError, match=r"unknown fusion 'shfit'.*did you mean 'shift'"):
        ELCM(6, 4, "shfit")


def test_elcrec_is_made_of_it_and_its_weights_keep_their_name(users):
    model = Model(Hyperparameters(dimension=6, heads=1, blocks=1, intents=4), 5, 9)
    assert "centers" in model.state_dict()
    assert not any(name.startswith("elcm") for name in model.state_dict())
    assert isinstance(model.elcm, ELCM)
    model.elcm(users)
    torch.testing.assert_close(model.centers.norm(dim=1), torch.ones(4))
    assert torch.equal(model.elcm.assign(users), nearest(F.normalize(users), model.centers))


@pytest.mark.parametrize("shape", [(5,), (5, 1), (2, 5, 4)])
def test_vectors_of_another_shape_are_refused(shape):
    elcm = ELCM(4, clusters=3)
    for use in (elcm, elcm.assign, elcm.intents, elcm.start):
        with pytest.raises(InputError, match=r"must be \(users, 4\), got"):
            use(torch.ones(shape))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ELCM(0), "dimension 0, clusters 256: must be 1 or more"),
        (lambda: ELCM(4, clusters=2).start(torch.ones(3, 4), by="Random"), "did you mean 'random'"),
    ],
)
def test_wrong_arguments_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
