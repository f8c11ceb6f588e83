"""Intents as clusters: the end-to-end learnable cluster module of ELCRec and its k-means start.

Source: Liu et al., "End-to-end Learnable Clustering for Intent Learning in Recommendation"
(NeurIPS 2024), section 3.2, Eq. 3; k-means as in Chen et al., "Intent Contrastive Learning for
Sequential Recommendation" (WWW 2022).
"""

from __future__ import annotations

from typing import Literal

import faiss
import numpy as np
import torch
from torch import Tensor

from elcrec.errors import InputError
from elcrec.models.linear import linear

Fusion = Literal["shift", "concat", "none"]
"""How the nearest center joins each position before the instance loss; `none`: not at all."""


def cluster_loss(users: Tensor, centers: Tensor) -> dict[str, Tensor]:
    """ELCRec's clustering loss in its two parts; their sum is the loss.

    `pull` is the mean squared distance of users to all centers; `push` is minus the mean squared
    distance between centers, over all K x K pairs: the released code keeps the zero diagonal in
    this mean, where Eq. 3 of the paper divides by K (K - 1).

    Both means follow from the mean vectors alone: with b the mean user and m the mean center,
    mean |u - c|² = mean |u|² + mean |c|² - 2 b·m and mean |c - c'|² = 2 mean |c|² - 2 |m|².

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

    |p|² is the same for all centers, so it is left out. No gradient flows.
    """
    points, centers = points.detach(), centers.detach()
    half_square = 0.5 * centers.square().sum(1)
    # max, for its argmax: PyTorch's argmax alone takes three times as long on the CPU.
    return linear(points, centers).sub_(half_square).max(-1).indices


def fuse(hidden: Tensor, centers: Tensor, joined: Tensor, fusion: Fusion) -> Tensor:
    """Join each position with its nearest center: intent-assisted contrastive learning.

    Args:
        hidden: (..., d) outputs.
        centers: (K, d) what nearness is measured to.
        joined: (K, d) the vectors that join; gradient flows into them. For ELCRec the centers.
        fusion: `shift` adds, `concat` appends.

    Returns:
        (..., d), or (..., 2d) for `concat`.
    """
    if fusion == "none":
        return hidden
    assigned = joined[nearest(hidden, centers)]
    return hidden + assigned if fusion == "shift" else torch.cat([hidden, assigned], dim=-1)


class KMeans:
    """faiss k-means that goes on from its last centroids when it is run again.

    The released ICLRec code keeps one faiss clustering object for the whole training, so from the
    second epoch on each of the restarts begins at the centroids found so far.
    """

    def __init__(self, clusters: int, dimension: int, seed: int, device: torch.device) -> None:
        """Set up 20 iterations, 5 restarts, at most 4096 points per centroid, L2 distance."""
        faiss.omp_set_num_threads(torch.get_num_threads())  # by itself it takes every core
        self.device = device
        self.clustering = faiss.Clustering(dimension, clusters)
        self.clustering.niter = 20
        self.clustering.nredo = 5
        self.clustering.seed = seed
        self.clustering.max_points_per_centroid = 4096
        self.clustering.min_points_per_centroid = 1  # only the threshold of a printed warning
        self.index = _flat_index(dimension, device)

    def start_from(self, centroids: Tensor) -> None:
        """Let the next run begin at these centroids (K, d), as if it had found them."""
        array = centroids.detach().cpu().numpy().astype(np.float32).ravel()
        faiss.copy_array_to_vector(array, self.clustering.centroids)

    def fit(self, points: Tensor) -> Tensor:
        """Cluster (N, d) points; returns the centroids (K, d), not normalised, on `device`.

        Raises:
            InputError: When there are fewer points than clusters.
        """
        clusters, dimension = self.clustering.k, self.clustering.d
        if len(points) < clusters:
            raise InputError(
                f"intents: {clusters} clusters need at least as many users, got {len(points)}"
            )
        array = np.ascontiguousarray(points.detach().cpu().numpy(), dtype=np.float32)
        self.clustering.train(array, self.index)
        centroids = faiss.vector_to_array(self.clustering.centroids).reshape(clusters, dimension)
        return torch.from_numpy(centroids.copy()).to(self.device)


def _flat_index(dimension: int, device: torch.device) -> faiss.Index:
    """Exact L2 index, on the GPU where both the device and faiss have one."""
    if device.type == "cuda" and faiss.get_num_gpus() > 0:
        config = faiss.GpuIndexFlatConfig()
        config.device = device.index or 0
        return faiss.GpuIndexFlatL2(faiss.StandardGpuResources(), dimension, config)
    return faiss.IndexFlatL2(dimension)
