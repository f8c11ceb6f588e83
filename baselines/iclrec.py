"""ICLRec: contrastive learning with intents found by k-means before every epoch.

Paper: Chen et al., "Intent Contrastive Learning for Sequential Recommendation", WWW 2022.
Authors' code: github.com/salesforce/ICLRec (a81e49a).

Follows the released code, and so differs from the paper in:

1. User representations average all L positions, padding included, and the instance loss flattens
   all of them; cutting the padding would change the model, so it is kept.
2. k-means continues from the previous epoch's centroids (see `elcrec.models.kmeans.KMeans`).
3. Users are assigned to the nearest centroid as found; the centroid is normalised only for the
   loss.
4. Other users of the same intent remain negatives in the intent loss (no false-negative mask).
"""

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from elcrec.data.augmentation import Augmenter
from elcrec.data.histories import InteractionData
from elcrec.errors import at_least
from elcrec.models.clustering import Fusion, fuse, nearest
from elcrec.models.encoder import EncoderSettings
from elcrec.models.interface import Batch, Context, Intents
from elcrec.models.losses import contrastive_loss, intent_loss
from elcrec.models.transformer import TransformerModel


@dataclass(frozen=True)
class Hyperparameters(EncoderSettings):
    """Hyper-parameters of ICLRec."""

    intents: int = 256
    """Number K of k-means clusters."""
    instance_weight: float = 0.1
    """Weight of the instance contrastive loss; at 0 its views are not encoded."""
    intent_weight: float = 0.1
    """Weight of the intent contrastive loss."""
    fusion: Fusion = "none"
    """How the nearest centroid is fused into each position before the instance loss; `none` is
    ICLRec itself, the others are the arm B+ICL of ELCRec's ablation."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(1, self, "intents")
        at_least(0, self, "instance_weight", "intent_weight")


class Model(TransformerModel):
    """ICLRec; total = next item + 0.1 instance + 0.1 intent."""

    parameters_used: Hyperparameters
    centroids: Tensor

    def __init__(self, parameters: Hyperparameters, n_users: int, item_size: int) -> None:
        super().__init__(parameters, n_users, item_size)
        # (K, d), as k-means gives them; not part of the weights, as in the released code.
        self.register_buffer(
            "centroids",
            self.encoder.items.weight.new_zeros(parameters.intents, parameters.dimension),
            persistent=False,
        )

    def start_training(self, context: Context) -> None:
        """Make the augmentation tables and the k-means that lasts for the whole run."""
        from elcrec.models.kmeans import KMeans  # faiss, which nothing else needs

        p = self.parameters_used
        self.augmenter = Augmenter(context.data, self.max_length)
        self.kmeans = KMeans(p.intents, p.dimension, context.seed, context.data.device)

    def run_state(self) -> dict[str, Tensor]:
        """The centroids, which the next k-means starts from."""
        return {"centroids": self.centroids}

    def load_run_state(self, state: dict[str, Tensor]) -> None:
        """Hand the centroids back to k-means."""
        self.centroids.copy_(state["centroids"])
        self.kmeans.start_from(self.centroids)

    def start_epoch(self, epoch: int, context: Context) -> None:
        """Cluster all users' training inputs as the encoder now sees them."""
        with context.stopwatch("kmeans"):
            self.centroids.copy_(self.kmeans.fit(self.pooled_training_users(context.data)))

    def intents(self, data: InteractionData, users: Tensor) -> Intents:
        """User vectors, normalised centroids, and the nearest centroid before normalisation."""
        vectors = self.pooled_training_users(data, users)
        assigned = nearest(vectors, self.centroids)
        return Intents(vectors, F.normalize(self.centroids), assigned, learned=False)

    def batch(self, samples: Tensor, context: Context) -> Batch:
        """Next-item batch with two augmented views."""
        return self.batch_with_views(samples, context, self.augmenter)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """All terms of one step."""
        p = self.parameters_used
        # Each contrastive loss encodes the views anew, with other dropout, as in the released code.
        assert batch.views is not None
        hidden, views = self.encode_with_views(batch, times=2 if p.instance_weight else 1)
        instance = hidden.new_zeros(())
        if p.instance_weight:
            instance = contrastive_loss(*(self.fuse(view).flatten(1) for view in views[1]))
        # (B,), no gradient
        assigned = nearest(self.pool(hidden, batch.inputs), self.centroids)
        intents = F.normalize(self.centroids)[assigned]
        terms = {
            "next_item": self.next_item(hidden, batch),
            "instance": instance,
            "intent": intent_loss(self.pool(views[0], batch.views), intents),
        }
        terms["total"] = (
            terms["next_item"]
            + p.instance_weight * terms["instance"]
            + p.intent_weight * terms["intent"]
        )
        return terms

    def fuse(self, hidden: Tensor) -> Tensor:
        """Fuse each position with its nearest centroid: (B, L, d) to (B, L, d), or 2d for concat.

        As in the intent loss, the nearest centroid is found before normalisation, and the
        normalised one is used; no gradient flows into it.
        """
        return fuse(
            hidden, self.centroids, F.normalize(self.centroids), self.parameters_used.fusion
        )
