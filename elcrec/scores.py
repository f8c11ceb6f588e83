"""Keeping padding and mask token out of the scores, for models that could recommend them."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def items_only(scores: Tensor) -> Tensor:
    """Take padding and mask token out of (B, item_size) scores, in place: they score -inf."""
    scores[:, 0] = float("-inf")
    scores[:, -1] = float("-inf")
    return scores


def items_only_bias(bias: Tensor) -> Tensor:
    """Widen a bias of the items 1 …, (item_size - 2,), so that padding and mask token score -inf.

    Returns:
        (item_size,) bias of the scores, which then need no `items_only`.
    """
    return F.pad(bias, (1, 1), value=float("-inf"))
