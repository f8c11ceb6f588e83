"""CL4SRec: SASRec with a contrastive loss between two augmented views of each sequence.

Paper: Xie et al., "Contrastive Learning for Sequential Recommendation", ICDE 2022.
Authors' code: none published.

The primary form is the one behind the table rows of the ICLRec code family. It differs from the
paper in:

1. The views are compared by all L outputs, flattened, padding included (paper: one vector per
   sequence). An output at padding is not zero, so cutting the padding would change the model: it
   is kept.
2. Crop 0.2, mask 0.7, reorder 0.2 (paper: tuned per data set), and a masked item becomes padding
   (paper: a separate mask token).
3. The next item is learned with binary cross-entropy against one negative (paper: a softmax over
   one positive and its sampled negative).
4. Post-norm blocks and initialisation of the shared encoder.
5. Crop and reorder never take the last item (see `elcrec.data.augmentation`).

The second form (`cl4srec_last`) is nearer to the paper: the last output represents the
sequence, and masked items become the mask token, so that no loss sees padding: it is not computed.
Points 3 to 5 stay. The mask token is then a trained input, and its row is not recommended.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from elcrec.data.augmentation import Augmenter
from elcrec.errors import at_least
from elcrec.models.encoder import EncoderSettings
from elcrec.models.interface import Batch, Context
from elcrec.models.losses import contrastive_loss, next_item_loss
from elcrec.models.padding import encode_last, encode_where
from elcrec.models.scores import item_products
from elcrec.models.transformer import TransformerModel


@dataclass(frozen=True)
class Hyperparameters(EncoderSettings):
    """Hyper-parameters of CL4SRec."""

    instance_weight: float = 0.1
    """Weight of the contrastive loss."""
    crop: float = 0.2
    """Share of the items that a crop keeps."""
    mask: float = 0.7
    """Share of the items that are masked."""
    reorder: float = 0.2
    """Share of the items that are shuffled."""
    form: Literal["flattened", "last"] = "flattened"
    """`flattened`: all outputs, masked items become padding; `last`: last output, mask token."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(0, self, "instance_weight")
        for name in ("crop", "mask", "reorder"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}")


class Model(TransformerModel):
    """CL4SRec; total = next item + 0.1 instance."""

    parameters_used: Hyperparameters

    def start_training(self, context: Context) -> None:
        """Make the augmentation tables."""
        p = self.parameters_used
        mask_id = self.item_size - 1 if p.form == "last" else 0
        self.augmenter = Augmenter(
            context.data, self.max_length, p.crop, p.mask, p.reorder, mask_id
        )

    def batch(self, samples: Tensor, context: Context) -> Batch:
        """Next-item batch with two augmented views."""
        return self.batch_with_views(samples, context, self.augmenter)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Both terms of one step."""
        whole = self.parameters_used.form == "flattened"
        next_item, instance = self._flattened(batch) if whole else self._last(batch)
        total = next_item + self.parameters_used.instance_weight * instance
        return {"next_item": next_item, "instance": instance, "total": total}

    def score_items(self, represented: Tensor, first: int, last: int) -> Tensor:
        """Inner products; in the last-position form padding and mask score -inf."""
        if self.parameters_used.form == "flattened":
            return super().score_items(represented, first, last)
        return item_products(represented, self.encoder.items.weight, first, last)

    def _flattened(self, batch: Batch) -> tuple[Tensor, Tensor]:
        hidden, (views,) = self.encode_with_views(batch, times=1)
        return self.next_item(hidden, batch), contrastive_loss(*views.flatten(2))

    def _last(self, batch: Batch) -> tuple[Tensor, Tensor]:
        assert batch.views is not None
        hidden, targets, negatives = encode_where(
            self.encoder, batch.inputs, batch.inputs > 0, batch.targets, batch.negatives
        )
        positive, negative = self.encoder.items(torch.stack([targets, negatives]))
        next_item = next_item_loss(hidden, positive, negative, targets > 0)
        views = encode_last(self.encoder, batch.views.flatten(0, 1))  # (2B, d)
        return next_item, contrastive_loss(*views.chunk(2))
