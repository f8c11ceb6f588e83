"""Losses against their definitions, written out term by term."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from elcrec.models.clustering import cluster_loss, nearest
from elcrec.models.losses import contrastive_loss, next_item_loss


def test_next_item_loss_by_hand():
    hidden = torch.tensor([[[1.0, 0.0], [0.0, 2.0], [9.0, 9.0]]])
    positive = torch.tensor([[[1.0, 1.0], [0.5, 0.5], [9.0, 9.0]]])
    negative = torch.tensor([[[0.0, 1.0], [1.0, -1.0], [9.0, 9.0]]])
    real = torch.tensor([[True, True, False]])
    softplus = [math.log(1 + math.exp(-1)) + math.log(2)]  # scores 1 and 0
    softplus += [math.log(1 + math.exp(-1)) + math.log(1 + math.exp(-2))]  # scores 1 and -2
    loss = next_item_loss(hidden, positive, negative, real)
    assert float(loss) == pytest.approx(sum(softplus) / 2, rel=1e-6)


def test_next_item_loss_is_bounded_by_its_floor():
    hidden = torch.full((1, 1, 1), 1000.0)
    loss = next_item_loss(hidden, -hidden, hidden, torch.ones(1, 1, dtype=torch.bool))
    assert float(loss) == pytest.approx(-2 * math.log(1e-24), rel=1e-6)


def test_contrastive_loss_against_its_logits_written_out():
    torch.manual_seed(0)
    z1, z2 = torch.randn(5, 7), torch.randn(5, 7)
    off = torch.full((5, 5), 0.0).fill_diagonal_(float("-inf"))
    top = torch.cat([z1 @ z2.T, z1 @ z1.T + off], 1)
    bottom = torch.cat([z2 @ z2.T + off, z2 @ z1.T], 1)
    expected = F.cross_entropy(torch.cat([top, bottom]), torch.arange(10))
    torch.testing.assert_close(contrastive_loss(z1, z2), expected)


def test_contrastive_loss_of_a_single_pair_is_zero():
    z = torch.randn(1, 4)
    assert float(contrastive_loss(z, z)) == 0.0


@pytest.mark.parametrize("seed", range(3))
def test_cluster_loss_against_all_pairs(seed):
    torch.manual_seed(seed)
    users = F.normalize(torch.randn(6, 5))
    centers = torch.randn(4, 5, requires_grad=True)
    terms = cluster_loss(users, centers)
    pull = (users[:, None] - centers).square().sum(-1).mean()
    push = -(centers[:, None] - centers).square().sum(-1).mean()
    torch.testing.assert_close(terms["pull"], pull)
    torch.testing.assert_close(terms["push"], push)
    ours = torch.autograd.grad(terms["pull"] + terms["push"], centers)[0]
    theirs = torch.autograd.grad(pull + push, centers)[0]
    torch.testing.assert_close(ours, theirs)


def test_cluster_loss_of_unit_vectors_sees_only_the_means():
    """The identity behind a finding: 2 |m|² - 2 b·m, so the loss cannot separate centers."""
    torch.manual_seed(1)
    users, centers = F.normalize(torch.randn(9, 6)), F.normalize(torch.randn(5, 6))
    mean_user, mean_center = users.mean(0), centers.mean(0)
    expected = 2 * mean_center.square().sum() - 2 * mean_user @ mean_center
    torch.testing.assert_close(sum(cluster_loss(users, centers).values()), expected)


def test_nearest_is_the_smallest_distance():
    torch.manual_seed(0)
    points, centers = torch.randn(3, 8, 4), torch.randn(6, 4)
    distance = np.linalg.norm(points.numpy()[..., None, :] - centers.numpy(), axis=-1)
    np.testing.assert_array_equal(nearest(points, centers).numpy(), distance.argmin(-1))
