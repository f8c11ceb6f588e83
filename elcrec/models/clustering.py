"""Intents as clusters: ELCRec's cluster loss, the nearest center, and how it is fused.

Source: Liu et al., "End-to-end Learnable Clustering for Intent Learning in Recommendation"
(NeurIPS 2024), section 3.2, Eq. 3.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from elcrec.models.linear import linear

Fusion = Literal["shift", "concat", "none"]
"""How nearest centers are fused into positions for the instance loss; `none`: not at all."""


def cluster_loss(users: Tensor, centers: Tensor) -> dict[str, Tensor]:
    """ELCRec's clustering loss in its two parts; their sum is the loss.

    `pull` is the mean squared distance of users to all centers; `push` is minus the mean squared
    distance between centers, over all K x K pairs: the released code keeps the zero diagonal in
    this mean, where Eq. 3 of the paper divides by K (K - 1).

    Both means follow from mean vectors and mean squared norms: with b the mean user and m the
    mean center, mean |u - c|² = mean |u|² + mean |c|² - 2 b·m and
    mean |c - c'|² = 2 mean |c|² - 2 |m|².

    Args:
        users: (B, d) user representations u.
        centers: (K, d) cluster centers c.

    Returns:
        Scalars `pull` and `push`.
    """
    mean_center = centers.mean(0)
    center_square = centers.square().sum(1).mean()
    user_square = users.square().sum(1).mean()
    pull = user_square + center_square - 2 * users.mean(0) @ mean_center
    push = 2 * mean_center.square().sum() - 2 * center_square
    return {"pull": pull, "push": push}


def nearest(points: Tensor, centers: Tensor) -> Tensor:
    """Index of the nearest center (squared Euclidean distance): (..., d), (K, d) to (...) ids.

    |p|² is the same for all centers, so it is omitted. No gradient flows.
    """
    points, centers = points.detach(), centers.detach()
    half_square = 0.5 * centers.square().sum(1)
    # The indices of max: PyTorch's argmax takes three times as long on the CPU.
    return linear(points, centers).sub_(half_square).max(-1).indices


def rows(table: Tensor, index: Tensor) -> Tensor:
    """Rows of a table, with gradient: (n, d), (...) to (..., d).

    The gradient of `table[index]` adds what belongs to one row in whatever order the threads come,
    so on the CPU no two trainings agree; that of an embedding has a fixed order.
    """
    return F.embedding(index, table)


def fuse(hidden: Tensor, centers: Tensor, joined: Tensor, fusion: Fusion) -> Tensor:
    """Fuse each position with its nearest center: intent-assisted contrastive learning.

    Args:
        hidden: (..., d) outputs.
        centers: (K, d) centers among which the nearest one is found.
        joined: (K, d) vectors that are fused in, with gradient; for ELCRec the centers themselves.
        fusion: `shift` adds, `concat` appends.

    Returns:
        (..., d), or (..., 2d) for `concat`.
    """
    if fusion == "none":
        return hidden
    assigned = rows(joined, nearest(hidden, centers))
    return hidden + assigned if fusion == "shift" else torch.cat([hidden, assigned], dim=-1)
