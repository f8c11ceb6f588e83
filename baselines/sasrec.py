"""SASRec: a causal Transformer trained to predict the next item.

Paper: Kang & McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018.
Authors' code: github.com/kang205/SASRec.

Differs from the paper, as every SASRec row of the S3-Rec code family does, in:

1. Post-norm blocks, GELU and a feed-forward network four times as wide (paper: pre-norm, ReLU, d).
2. A separate LayerNorm on the embeddings, and initialisation from N(0, 0.02).
3. Negatives exclude all items of the user, those of validation and test included.
4. Dropout 0.5 and batches of 256 users on all data sets (paper: tuned per data set, batches of
   128).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from elcrec.encoder import EncoderSettings
from elcrec.interface import Batch
from elcrec.losses import next_item_loss
from elcrec.padding import encode_real
from elcrec.transformer import TransformerModel


@dataclass(frozen=True)
class Hyperparameters(EncoderSettings):
    """Hyper-parameters of SASRec: those of the encoder."""


class Model(TransformerModel):
    """The shared encoder with the next-item loss alone."""

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Binary cross-entropy of the next item against one sampled item."""
        # Neither loss nor score sees padding, so none is computed.
        hidden, targets, negatives = encode_real(
            self.encoder, batch.inputs, batch.targets, batch.negatives
        )
        items = self.encoder.items
        return {"total": next_item_loss(hidden, items(targets), items(negatives), targets > 0)}
