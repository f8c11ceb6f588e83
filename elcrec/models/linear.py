"""Linear layers and other products with a matrix; on a CPU with AVX-512 by oneDNN.

PyTorch multiplies float32 matrices on a CPU with MKL, which uses half of the vector width of
processors that are not Intel's; oneDNN, which PyTorch brings along for `torch.compile`, uses all
of it everywhere. Only the order of the sums differs. Elsewhere (a GPU, another type, autocast, a
small product, where the call costs more than it saves) the product is PyTorch's.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

ONEDNN = torch.backends.mkldnn.is_available() and torch.backends.cpu.get_cpu_capability() in (
    "AVX512",
    "AVX512_VNNI",
)
SMALL = 2**20
"""Multiplications below which oneDNN's own preparations outweigh what it saves."""


class Linear(nn.Linear):
    """`torch.nn.Linear`, multiplied by `linear`."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in) to (..., out)."""
        return linear(x, self.weight, self.bias)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x Wᵀ + b, as `torch.nn.functional.linear`.

    Args:
        x: (..., k).
        weight: (n, k).
        bias: (n,).

    Returns:
        (..., n).
    """
    if not _suits_onednn(x, weight):
        return F.linear(x, weight, bias)
    if not torch.is_grad_enabled():
        return _product(x, weight, bias)
    result: Tensor = _Linear.apply(x, weight, bias)
    return result


def outer_products(a: Tensor, b: Tensor) -> Tensor:
    """Aᵀ B of (N, m) and (N, n): (m, n). Transposing the first factor copies it: the narrower."""
    return linear(a.T, b.T) if a.shape[1] <= b.shape[1] else linear(b.T, a.T).T


def _suits_onednn(x: Tensor, weight: Tensor) -> bool:
    return (
        ONEDNN
        and x.device.type == "cpu"
        and x.dtype == weight.dtype == torch.float32
        and x.numel() * len(weight) >= SMALL
        and not torch.is_autocast_enabled("cpu")
    )


def _product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """What `torch.compile` makes of a linear layer on a CPU; `weight` may be transposed.

    A private operator of PyTorch, whose version is pinned.
    """
    if not (weight.is_contiguous() or weight.T.is_contiguous()):
        weight = weight.contiguous()  # oneDNN knows no fast way through other forms
    result: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return result


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _product(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad
        rows, grads = x.flatten(0, -2), grad.flatten(0, -2)
        return (
            _product(grad, weight.T) if needs_x else None,
            outer_products(grads, rows) if needs_weight else None,
            grads.sum(0) if needs_bias else None,
        )
