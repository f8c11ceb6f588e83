import pytest
import torch
from torch.nn import functional as F

import baselines.sasrec
from baselines.sasrec import full_cross_entropy
from tests.contract.contract import ModelContract


class TestSASRecCE(ModelContract):
    module = baselines.sasrec
    parameters = {
        "dimension": 16,
        "blocks": 1,
        "hidden_dropout": 0.1,
        "attention_dropout": 0.1,
        "loss": "ce",
    }

    def test_padding_and_mask_get_no_gradient_from_the_loss(self, data):
        model, context = self.ready(data)
        model.loss(model.batch(torch.arange(16), context))["total"].backward()
        gradient = model.encoder.items.weight.grad
        assert (gradient[[0, -1]] == 0).all()
        assert (gradient[1:-1] != 0).any(1).all()


def example() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(3)
    hidden = torch.randn(6, 5, 8, dtype=torch.float64, requires_grad=True)
    table = torch.randn(14, 8, dtype=torch.float64, requires_grad=True)
    targets = torch.randint(1, 13, (6, 5))
    targets[:3, :2] = 0
    return hidden, table, targets


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_loss_and_gradients_equal_a_naive_cross_entropy(monkeypatch, rows):
    hidden, table, targets = example()
    monkeypatch.setitem(baselines.sasrec.LOGIT_MEMORY, "cpu", rows * 4 * 12)
    loss = full_cross_entropy(hidden, table, targets)
    gradients = torch.autograd.grad(3 * loss, (hidden, table))

    real = targets > 0
    logits = hidden[real] @ table[1:-1].T
    naive = F.cross_entropy(logits, targets[real] - 1)
    torch.testing.assert_close(loss, naive)
    torch.testing.assert_close(gradients, torch.autograd.grad(3 * naive, (hidden, table)))


def test_large_logits_stay_finite():
    hidden, table, targets = example()
    loss = full_cross_entropy(hidden * 1e4, table, targets)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(hidden.grad).all()
