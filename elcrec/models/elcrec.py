"""ELCRec: users' intents as cluster centers learned together with the encoder.

Paper: Liu et al., "End-to-end Learnable Clustering for Intent Learning in Recommendation",
NeurIPS 2024. Authors' code: github.com/yueliu1999/ELCRec (119b496).

The loss is `Model.loss` below. It follows the released code, which the printed numbers come from,
and so differs from the paper's text in:

1. The mean distance between centers divides by K * K, the paper's Eq. 3 by K (K - 1): see
   `elcrec.models.clustering.cluster_loss`.
2. User representations average all L positions, padding included, and so do the flattened views; a
   query at padding attends over the real items too (see `elcrec.models.encoder`). Cutting the
   padding would change the model, so it is kept.
3. Centers start as k-means centroids of the untrained encoder's user vectors; the paper does not
   say how they start.
4. In each step the centers are normalised in place, outside the gradient, between the instance loss
   and the others: the instance loss sees them as the last step of Adam left them.
"""

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from elcrec.data.augmentation import Augmenter
from elcrec.data.histories import InteractionData
from elcrec.errors import at_least
from elcrec.models.clustering import Fusion, nearest
from elcrec.models.elcm import ELCM
from elcrec.models.encoder import EncoderSettings
from elcrec.models.interface import Batch, Context, Intents
from elcrec.models.losses import contrastive_loss, intent_loss
from elcrec.models.transformer import TransformerModel


@dataclass(frozen=True)
class Hyperparameters(EncoderSettings):
    """Hyper-parameters of ELCRec."""

    intents: int = 256
    """Number K of cluster centers."""
    alpha: float = 1.0
    """Weight of the cluster loss."""
    instance_weight: float = 0.1
    """Weight of the instance contrastive loss; at 0 its views are not encoded."""
    intent_weight: float = 0.1
    """Weight of the intent contrastive loss."""
    fusion: Fusion = "shift"
    """How nearest centers are fused into positions for the instance loss; `none`: not at all."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(1, self, "intents")
        at_least(0, self, "alpha", "instance_weight", "intent_weight")


class Model(TransformerModel):
    """ELCRec; total = next item + 0.1 instance + 0.1 intent + alpha cluster."""

    parameters_used: Hyperparameters

    def __init__(self, parameters: Hyperparameters, n_users: int, item_size: int) -> None:
        super().__init__(parameters, n_users, item_size)
        self.centers = ELCM(parameters.dimension, parameters.intents).centers

    @property
    def elcm(self) -> ELCM:
        """The cluster module on the centers, which are registered here under the name `centers`.

        Created on each access, because a module that moves to a device may get new parameters.
        """
        p = self.parameters_used
        return ELCM(p.dimension, p.intents, p.fusion, self.centers)

    def start_training(self, context: Context) -> None:
        """Set the centers to the normalised k-means centroids of the untrained user vectors."""
        self.augmenter = Augmenter(context.data, self.max_length)
        with context.stopwatch("kmeans"):
            self.elcm.start(self.pooled_training_users(context.data), seed=context.seed)

    def intents(self, data: InteractionData, users: Tensor) -> Intents:
        """Normalised user vectors, the centers, and each user's nearest center."""
        vectors = F.normalize(self.pooled_training_users(data, users))
        centers = F.normalize(self.centers.detach())
        return Intents(vectors, centers, nearest(vectors, centers), learned=True)

    def batch(self, samples: Tensor, context: Context) -> Batch:
        """Next-item batch with two augmented views."""
        return self.batch_with_views(samples, context, self.augmenter)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """All terms of one step."""
        p, elcm = self.parameters_used, self.elcm
        # Each contrastive loss encodes the views anew, with other dropout, as in the released code.
        assert batch.views is not None
        hidden, views = self.encode_with_views(batch, times=2 if p.instance_weight else 1)
        instance = hidden.new_zeros(())
        if p.instance_weight:
            instance = contrastive_loss(*(elcm.fuse(view).flatten(1) for view in views[1]))
        pooled = self.pool(hidden, batch.inputs)  # (B, d)
        cluster = elcm(pooled)  # here and not before: see point 4 above
        terms = {
            "next_item": self.next_item(hidden, batch),
            "instance": instance,
            "intent": intent_loss(self.pool(views[0], batch.views), elcm.intents(pooled)),
            "cluster": cluster["cluster"],
            "cluster_pull": cluster["pull"],
            "cluster_push": cluster["push"],
        }
        terms["total"] = (
            terms["next_item"]
            + p.instance_weight * terms["instance"]
            + p.intent_weight * terms["intent"]
            + p.alpha * terms["cluster"]
        )
        return terms
