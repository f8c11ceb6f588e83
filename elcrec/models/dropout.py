"""Dropout whose masks are drawn in bulk on the CPU.

`torch.nn.functional.dropout` draws one number per element; on the CPU that costs more than the
layers around it. Here one 64-bit draw decides eight elements (four where the probability needs 16
bits). On other devices PyTorch's own fused kernel is used.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Dropout(nn.Module):
    """Zero each element with probability `p` while training and scale the others by 1 / (1 - p)."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Map any shape to the same shape; the identity in evaluation mode or at p = 0."""
        if not self.training or self.p == 0:
            return x
        if x.device.type == "cpu":
            return x * keep_mask(x.shape, self.p, x.dtype)
        return F.dropout(x, self.p)

    def extra_repr(self) -> str:
        """Show the probability in the module's printed form."""
        return f"p={self.p}"


def keep_mask(shape: torch.Size, p: float, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return a CPU tensor of `shape`: 0 with probability p, else 1 / (1 - p).

    `p` is exact when it is a multiple of 1/256 and rounded to the nearest of 1/65536, 2/65536 ...
    65535/65536 otherwise; the scale uses the rounded value, so the expectation is 1 either way.
    """
    bits = 8 if (p * 256).is_integer() else 16
    levels = 2**bits
    threshold = min(max(1, round(p * levels)), levels - 1)
    elements = shape.numel()
    words = torch.empty(-(-elements * bits // 64), dtype=torch.int64).random_(-(2**63), None)
    draws = words.view(torch.int8 if bits == 8 else torch.int16)[:elements].view(shape)
    # Draws are uniform over [-levels/2, levels/2): those from `least` on become 1, the others 0, in
    # arithmetic on small integers, which PyTorch vectorises; it does not vectorise a comparison.
    least = threshold - levels // 2
    keep = draws.clamp_(least - 1, least).sub_(least - 1)
    return keep.to(dtype).mul_(levels / (levels - threshold))
