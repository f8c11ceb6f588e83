"""Losses that several models share: next item and contrastive."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from elcrec.models.linear import linear

LOG_FLOOR = 1e-24  # inside the logarithms, as in the released code: no term exceeds 55.3


def next_item_loss(hidden: Tensor, positive: Tensor, negative: Tensor, real: Tensor) -> Tensor:
    """Binary cross-entropy of the next item against one sampled item, averaged over real targets.

    Source: Kang & McAuley (ICDM 2018), with the floor of the released code inside the logarithm.

    Args:
        hidden: (..., d) outputs h.
        positive: (..., d) vectors of the true next items.
        negative: (..., d) vectors of the sampled items.
        real: (...) bool, False where the target is padding.

    Returns:
        Scalar: mean of -log sigmoid(h·p) - log(1 - sigmoid(h·n)).
    """
    positive_score = (hidden * positive).sum(-1)
    negative_score = (hidden * negative).sum(-1)
    loss = -torch.log(positive_score.sigmoid() + LOG_FLOOR) - torch.log(
        1 - negative_score.sigmoid() + LOG_FLOOR
    )
    return (loss * real).sum() / real.sum()


def contrastive_loss(first: Tensor, second: Tensor) -> Tensor:
    """NCE between two views of a batch; every other row of both views is a negative.

    Source: the NCE loss of the ICLRec and ELCRec code (dot products, temperature 1).

    Args:
        first: (B, m) first view Z1.
        second: (B, m) second view Z2; row i is the positive of row i of Z1.

    Returns:
        Scalar: cross-entropy averaged over the 2B rows.
    """
    rows = torch.cat([first, second])
    count, total = len(first), len(rows)
    index = torch.arange(total, device=rows.device)
    itself = index[:, None] == index
    similarity: Tensor = _Similarity.apply(rows)
    return F.cross_entropy(similarity.masked_fill(itself, float("-inf")), (index + count) % total)


def intent_loss(views: Tensor, intents: Tensor) -> Tensor:
    """Contrast both views' pooled outputs (2, B, d) with the users' intents (B, d); a scalar."""
    first, second = views
    return 0.5 * (contrastive_loss(first, intents) + contrastive_loss(second, intents))


class _Similarity(torch.autograd.Function):
    """R Rᵀ of rows (n, m). The gradient G R + Gᵀ R is one product, (G + Gᵀ) R."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        return linear(rows, rows)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (rows,) = ctx.saved_tensors
        both = grad + grad.T  # under autocast it has the type of the product, not of rows
        return linear(both, rows.T.to(both.dtype)).to(rows.dtype)
