"""k-means by faiss, which nothing else here needs.

Source: Chen et al., "Intent Contrastive Learning for Sequential Recommendation" (WWW 2022), and its
authors' code.
"""

import faiss
import numpy as np
import torch
from torch import Tensor

from elcrec.errors import InputError


class KMeans:
    """faiss k-means that continues from its last centroids when it is run again.

    The released ICLRec code keeps one faiss clustering object for the whole training, so from the
    second epoch on each of the restarts begins at the centroids found so far.
    """

    def __init__(self, clusters: int, dimension: int, seed: int, device: torch.device) -> None:
        """Set up 20 iterations, 5 restarts, at most 4096 points per centroid, L2 distance."""
        faiss.omp_set_num_threads(torch.get_num_threads())  # by default it uses every core
        self.device = device
        self.clustering = faiss.Clustering(dimension, clusters)
        self.clustering.niter = 20
        self.clustering.nredo = 5
        self.clustering.seed = seed
        self.clustering.max_points_per_centroid = 4096
        self.clustering.min_points_per_centroid = 1  # only the threshold of a printed warning
        self.index = _flat_index(dimension, device)

    def start_from(self, centroids: Tensor) -> None:
        """Start the next run from these centroids (K, d), as if it had found them."""
        array = centroids.detach().cpu().numpy().astype(np.float32).ravel()
        faiss.copy_array_to_vector(array, self.clustering.centroids)

    def fit(self, points: Tensor) -> Tensor:
        """Cluster (N, d) points; returns the centroids (K, d), not normalised, on `device`.

        Raises:
            InputError: There are fewer points than clusters.
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
    """Exact L2 index, on the GPU if the device is one and faiss supports it."""
    if device.type == "cuda" and faiss.get_num_gpus() > 0:
        config = faiss.GpuIndexFlatConfig()
        config.device = device.index or 0
        return faiss.GpuIndexFlatL2(faiss.StandardGpuResources(), dimension, config)
    return faiss.IndexFlatL2(dimension)
