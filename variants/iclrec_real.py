"""ICLRec that pools and flattens real positions only, unlike its point 1; see `variants.real`."""

from torch import Tensor

from baselines import iclrec
from variants.real import RealPositions, where_real

Hyperparameters = iclrec.Hyperparameters


class Model(RealPositions, iclrec.Model):
    """ICLRec on real positions; k-means sees the same vectors."""

    def fuse(self, hidden: Tensor) -> Tensor:
        """Fuse each position that has an item with its nearest centroid."""
        return where_real(hidden, super().fuse(hidden))
