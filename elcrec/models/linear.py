"""Linear layers and other products with a matrix; on a CPU with AVX-512 by oneDNN.

PyTorch multiplies float32 matrices on a CPU with MKL, which uses half of the vector width of
processors that are not Intel's; oneDNN, which PyTorch includes for `torch.compile`, uses all of
it everywhere. Only the order of the sums differs. In all other cases (a GPU, another type,
autocast, or a product so small that the call costs more than it saves) PyTorch's own is used.
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
"""Number of multiplications below which oneDNN's setup costs more than it saves."""


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
    """Aᵀ B of (N, m) and (N, n): (m, n). The first factor is copied, so it is the narrower."""
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
    """The operator of `torch.compile` for linear layers on a CPU; `weight` may be transposed.

    It is private to PyTorch, whose version is pinned.
    """
    if not (weight.is_contiguous() or weight.T.is_contiguous()):
        weight = weight.contiguous()  # oneDNN is slow on other memory layouts
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
