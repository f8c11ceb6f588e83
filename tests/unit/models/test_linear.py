"""Products by oneDNN against PyTorch's own."""

import pytest
import torch
from torch.nn import functional as F

from elcrec.models import linear as module
from elcrec.models.linear import linear


@pytest.fixture(autouse=True)
def _always(monkeypatch):
    if not module.ONEDNN:
        pytest.skip("a CPU without AVX-512: all products are PyTorch's own")
    monkeypatch.setattr(module, "SMALL", 0)


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize(("inputs", "outputs"), [(5, 9), (9, 5)])
def test_products_and_gradients(inputs, outputs, with_bias):
    torch.manual_seed(0)
    x = torch.randn(3, 7, inputs, requires_grad=True)
    weight = torch.randn(outputs, inputs, requires_grad=True)
    bias = torch.randn(outputs, requires_grad=True) if with_bias else None
    ours, theirs = linear(x, weight, bias), F.linear(x, weight, bias)
    assert type(ours.grad_fn) is not type(theirs.grad_fn)
    torch.testing.assert_close(ours, theirs)
    leaves, grad = [v for v in (x, weight, bias) if v is not None], torch.randn_like(ours)
    torch.testing.assert_close(
        torch.autograd.grad(ours, leaves, grad), torch.autograd.grad(theirs, leaves, grad)
    )


def test_transposed_factors():
    x, weight = torch.randn(6, 4), torch.randn(6, 5)
    torch.testing.assert_close(linear(x.T, weight.T), x.T @ weight)


def test_factors_that_do_not_lie_in_one_piece():
    """oneDNN would take minutes over some of them."""
    whole = torch.randn(300, 12103)
    x, part = torch.randn(8, 300), whole[:, 1:9].T
    torch.testing.assert_close(linear(x, part), x @ part.T)
    weight = torch.randn(9, 5, requires_grad=True)
    linear(torch.ones(4, 5), weight).sum().backward()  # its gradient is a single 1
    assert torch.equal(weight.grad, torch.full_like(weight, 4.0))


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16])
def test_other_types_are_pytorchs(kind):
    x, weight = torch.randn(6, 4, dtype=kind), torch.randn(5, 4, dtype=kind)
    assert torch.equal(linear(x, weight), F.linear(x, weight))


def test_autocast_rounds_as_ever():
    x, weight = torch.randn(6, 4), torch.randn(5, 4)
    with torch.autocast("cpu", torch.bfloat16):
        assert linear(x, weight).dtype == torch.bfloat16
