"""SASRec: a causal Transformer trained to predict the next item; two losses.

Paper: Kang & McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018.
Authors' code: github.com/kang205/SASRec.

Differs from the paper, as every SASRec row of the S3-Rec code family does, in:

1. Post-norm blocks, GELU and a feed-forward network four times as wide (paper: pre-norm, ReLU, d).
2. A separate LayerNorm on the embeddings, and initialisation from N(0, 0.02).
3. Negatives exclude all items of the user, those of validation and test included.
4. Dropout 0.5 and batches of 256 users on all data sets (paper: tuned per data set, batches of
   128).

`loss: ce` (model `sasrec_ce`) differs in one respect: the softmax over all items takes the
place of one sampled negative, as in Klenitskiy & Vasilev, "Turning Dross Into Gold Loss", and
Petrov & Macdonald, "gSASRec" (both RecSys 2023).
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from elcrec.models.encoder import EncoderSettings
from elcrec.models.interface import Batch
from elcrec.models.losses import next_item_loss
from elcrec.models.padding import encode_where
from elcrec.models.softmax import full_cross_entropy
from elcrec.models.transformer import TransformerModel


@dataclass(frozen=True)
class Hyperparameters(EncoderSettings):
    """Hyper-parameters of SASRec: those of the encoder and the loss."""

    loss: Literal["bce", "ce"] = "bce"
    """Binary cross-entropy with one sampled negative, or cross-entropy over all items."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.loss not in ("bce", "ce"):
            raise ValueError(f"loss must be bce or ce, got {self.loss}")


class Model(TransformerModel):
    """The shared encoder with the next-item loss alone."""

    parameters_used: Hyperparameters

    def __init__(self, parameters: Hyperparameters, n_users: int, item_size: int) -> None:
        super().__init__(parameters, n_users, item_size)
        # Softmax logits have no zero point: a score of 0 for items seen before has no meaning.
        self.protocol = "strict" if parameters.loss == "ce" else None

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Loss of the next item at all real positions."""
        # Neither loss nor score sees padding, so it is not computed.
        hidden, targets, negatives = encode_where(
            self.encoder, batch.inputs, batch.inputs > 0, batch.targets, batch.negatives
        )
        items, real = self.encoder.items, targets > 0
        if self.parameters_used.loss == "ce":
            rows = (targets - 1).clamp(min=0)  # padding and mask are not candidates
            return {"total": full_cross_entropy(hidden, items.weight[1:-1], rows, real)}
        positive, negative = items(torch.stack([targets, negatives]))
        return {"total": next_item_loss(hidden, positive, negative, real)}
