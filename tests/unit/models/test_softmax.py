"""The cross-entropy in chunks against PyTorch's own."""

import pytest
import torch
from torch.nn import functional as F

from elcrec.models import softmax
from elcrec.models.softmax import full_cross_entropy, log_partition


def example() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(3)
    hidden = torch.randn(6, 5, 8, dtype=torch.float64, requires_grad=True)
    candidates = torch.randn(12, 8, dtype=torch.float64, requires_grad=True)
    targets = torch.randint(0, 12, (6, 5))
    return hidden, candidates, targets


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_loss_and_gradients_equal_a_naive_cross_entropy(monkeypatch, rows, with_bias):
    hidden, candidates, targets = example()
    monkeypatch.setitem(softmax.LOGIT_MEMORY, "cpu", rows * 4 * 12)
    bias = torch.randn(12, dtype=torch.float64, requires_grad=True) if with_bias else None
    leaves = [x for x in (hidden, candidates, bias) if x is not None]
    real = torch.ones_like(targets, dtype=torch.bool)
    real[:3, :2] = False
    loss = full_cross_entropy(hidden, candidates, targets, real, bias)
    gradients = torch.autograd.grad(3 * loss, leaves)

    naive = F.cross_entropy(F.linear(hidden[real], candidates, bias), targets[real])
    torch.testing.assert_close(loss, naive)
    torch.testing.assert_close(gradients, torch.autograd.grad(3 * naive, leaves))


@pytest.mark.parametrize("rows", [1, 2, 1000])
def test_a_row_of_several_vectors_leaves_out_its_own_keys_and_has_a_further_logit(
    monkeypatch, rows
):
    torch.manual_seed(0)
    monkeypatch.setitem(softmax.LOGIT_MEMORY, "cpu", rows * 4 * 3 * 7)
    queries = torch.randn(5, 3, 8, dtype=torch.float64, requires_grad=True)
    keys = torch.randn(7, 8, dtype=torch.float64, requires_grad=True)
    further = torch.randn(5, dtype=torch.float64, requires_grad=True)
    weights = torch.tensor([0.5, 0.0, 1.0, 2.0, 0.1], dtype=torch.float64)
    own, ids = torch.tensor([1, 2, 3, 1, 9]), torch.tensor([1, 1, 2, 4, 3, 3, 3])
    ours = log_partition(queries, keys, weights, further=further, ids=(own, ids))

    rows_of_logits = []
    for query, more, number in zip(queries, further, own, strict=True):
        logits = query @ keys[ids != number].T
        rows_of_logits.append(torch.cat([logits.flatten(), more[None]]).logsumexp(0))
    naive = (weights * torch.stack(rows_of_logits)).sum()
    torch.testing.assert_close(ours, naive)
    leaves = (queries, keys, further)
    torch.testing.assert_close(
        torch.autograd.grad(ours, leaves), torch.autograd.grad(naive, leaves)
    )


def test_a_row_without_any_key_has_its_further_logit_alone():
    queries = torch.randn(1, 2, 4, requires_grad=True)
    further = torch.tensor([1.5], requires_grad=True)
    ids = torch.tensor([3])
    loss = log_partition(queries, torch.randn(1, 4), torch.ones(1), further=further, ids=(ids, ids))
    loss.backward()
    assert loss.item() == 1.5
    assert (queries.grad == 0).all()
    assert float(further.grad) == 1.0


def test_large_logits_stay_finite():
    hidden, candidates, targets = example()
    real = torch.ones_like(targets, dtype=torch.bool)
    loss = full_cross_entropy(hidden * 1e4, candidates, targets, real)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(hidden.grad).all()
