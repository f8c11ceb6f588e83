"""The end-to-end learnable cluster module (ELCM) on its own, for any network that has user vectors.

Source: Liu et al., "End-to-end Learnable Clustering for Intent Learning in Recommendation"
(NeurIPS 2024), section 3.2, and the authors' code (github.com/yueliu1999/ELCRec, 119b496).
"""

from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elcrec.errors import InputError, unknown
from elcrec.models.clustering import Fusion, cluster_loss, fuse, nearest, rows

Start = Literal["kmeans", "random"]


class ELCM(nn.Module):
    """K trainable centers on the unit sphere: the users' intents, learned with the network.

    `start` initialises the centers once; each training step then does, in this order:

        fused = elcm.fuse(hidden)       # if the network fuses centers into its outputs
        losses = elcm(users)            # normalises the centers in place, then pull and push
        loss = task + alpha * losses["cluster"]

    The order matters: `fuse` sees the centers as the optimiser left them, the losses see them
    normalised, as in the authors' code. The centers are ordinary parameters: pass
    `elcm.parameters()` to the network's optimiser, too.
    """

    def __init__(
        self,
        dimension: int,
        clusters: int = 256,
        fusion: Fusion = "shift",
        centers: Tensor | None = None,
    ) -> None:
        """Make the centers.

        Args:
            dimension: Length d of a user vector.
            clusters: Number K of centers.
            fusion: What `fuse` does with a center: `shift` adds it, `concat` appends it, `none`:
                nothing.
            centers: (K, d) centers of another module, used instead of new ones. A tensor that is no
                parameter is not trained.

        Raises:
            InputError: The fusion is unknown, or a size is below 1.
        """
        super().__init__()
        if fusion not in get_args(Fusion):
            raise InputError(unknown("fusion", fusion, get_args(Fusion)))
        if dimension < 1 or clusters < 1:
            raise InputError(f"dimension {dimension}, clusters {clusters}: must be 1 or more")
        self.fusion: Fusion = fusion
        if centers is None:
            centers = nn.Parameter(torch.empty(clusters, dimension))
            nn.init.xavier_normal_(centers)
        self.centers = centers

    @torch.no_grad()
    def start(self, points: Tensor, by: Start = "kmeans", seed: int = 0) -> None:
        """Initialise the centers before training.

        Args:
            points: (N, d) vectors of users, N at least K.
            by: `kmeans`: centroids (faiss, 20 iterations, 5 restarts); `random`: K of the users.
            seed: Seed of either method.

        Raises:
            InputError: Fewer users than centers, vectors of another length, or an unknown method.
        """
        clusters, dimension = self.centers.shape
        if by not in get_args(Start):
            raise InputError(unknown("method", by, get_args(Start)))
        self._check(points)
        if by == "random":
            if len(points) < clusters:
                raise InputError(f"{clusters} centers need as many users, got {len(points)}")
            generator = torch.Generator().manual_seed(seed)
            chosen = torch.randperm(len(points), generator=generator)[:clusters]
            found = points[chosen.to(points.device)]
        else:
            from elcrec.models.kmeans import KMeans  # faiss, which nothing else needs

            found = KMeans(clusters, dimension, seed, points.device).fit(points)
        self.centers.copy_(F.normalize(found))

    def forward(self, users: Tensor) -> dict[str, Tensor]:
        """The losses of a batch.

        Args:
            users: (B, d) user vectors, of any norm.

        Returns:
            Scalars: `pull` of users to centers, `push` between centers, and their sum `cluster`,
            which is what the paper weights with alpha (Eq. 3).

        Raises:
            InputError: Not (B, d), as for `assign` and `intents`.
        """
        self._check(users)
        self.normalise()
        parts = cluster_loss(F.normalize(users), self.centers)
        return {"cluster": parts["pull"] + parts["push"], **parts}

    def assign(self, users: Tensor) -> Tensor:
        """Nearest center of each user: (B, d) to (B,) numbers from 0; no gradient flows."""
        self._check(users)
        return nearest(F.normalize(users), F.normalize(self.centers))

    def intents(self, users: Tensor) -> Tensor:
        """Nearest center of each user, with gradient: (B, d) to (B, d); call `forward` first."""
        self._check(users)
        return rows(self.centers, nearest(F.normalize(users), self.centers))

    def fuse(self, hidden: Tensor) -> Tensor:
        """Fuse each vector with its nearest center: (..., d) to (..., d), or 2d for `concat`."""
        return fuse(hidden, self.centers, self.centers, self.fusion)

    def _check(self, users: Tensor) -> None:
        if users.dim() != 2 or users.shape[1] != self.centers.shape[1]:
            d, form = self.centers.shape[1], tuple(users.shape)
            raise InputError(f"user vectors: must be (users, {d}), got {form}")

    @torch.no_grad()
    def normalise(self) -> None:
        """Put the centers back on the unit sphere, outside the gradient."""
        self.centers.copy_(F.normalize(self.centers))
