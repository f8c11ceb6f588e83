"""SASRec: a causal Transformer trained to predict the next item; two losses.

Paper: Kang & McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018.
Authors' code: github.com/kang205/SASRec.

Differs from the paper, as every SASRec row of the S3-Rec code family does, in:

1. Post-norm blocks, GELU and a feed-forward network four times as wide (paper: pre-norm, ReLU, d).
2. A separate LayerNorm on the embeddings, and initialisation from N(0, 0.02).
3. Negatives exclude all items of the user, those of validation and test included.
4. Dropout 0.5 and batches of 256 users on all data sets (paper: tuned per data set, batches of
   128).

`loss: ce` (model `sasrec_ce`) is another model in one respect: the softmax over all items takes the
place of one sampled negative, as in Klenitskiy & Vasilev, "Turning Dross Into Gold Loss", and
Petrov & Macdonald, "gSASRec" (both RecSys 2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from elcrec.models.encoder import EncoderSettings
from elcrec.models.interface import Batch
from elcrec.models.losses import next_item_loss
from elcrec.models.padding import encode_real
from elcrec.models.transformer import TransformerModel

LOGIT_MEMORY = {"cpu": 4 * 2**20, "cuda": 512 * 2**20}  # bytes of logits that exist at once


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
        # Logits of a softmax have no zero point that items seen before could score.
        self.protocol = "strict" if parameters.loss == "ce" else None

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Loss of the next item at all real positions."""
        # Neither loss nor score sees padding, so none is computed.
        hidden, targets, negatives = encode_real(
            self.encoder, batch.inputs, batch.targets, batch.negatives
        )
        items = self.encoder.items
        if self.parameters_used.loss == "ce":
            return {"total": full_cross_entropy(hidden, items.weight, targets)}
        return {"total": next_item_loss(hidden, items(targets), items(negatives), targets > 0)}


def full_cross_entropy(hidden: Tensor, table: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of the targets against all items, averaged over real targets.

    Args:
        hidden: (..., d) outputs.
        table: (item_size, d) item vectors; its first row (padding) and its last (mask) are no
            candidates.
        targets: (...) ids, 0 at padding.

    Returns:
        Scalar. Memory is bounded by `LOGIT_MEMORY`, whatever the number of positions and items.
    """
    targets = targets.flatten()
    real = (targets > 0).to(hidden.dtype)
    weights = real / real.sum()
    candidates = table[1:-1]  # item i in row i - 1
    loss: Tensor = _ChunkedCrossEntropy.apply(
        hidden.flatten(0, -2), candidates, (targets - 1).clamp(min=0), weights
    )
    return loss


class _ChunkedCrossEntropy(torch.autograd.Function):
    """Weighted cross-entropy of inner products, some rows at a time.

    The gradient of a row's logits is at hand when its loss is, so both are made in the forward pass
    and the logits never exist as a whole; a checkpoint would compute them twice.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, table: Tensor, targets: Tensor, weights: Tensor
    ) -> Tensor:
        """(N, d), (I, d), (N,) rows of the table and (N,) weights to a scalar."""
        memory = LOGIT_MEMORY.get(hidden.device.type, LOGIT_MEMORY["cpu"])
        rows = max(1, memory // (4 * len(table)))
        grad_table, grads_hidden, losses = torch.zeros_like(table), [], []
        for h, t, w in zip(
            hidden.split(rows),
            targets[:, None].split(rows),
            weights[:, None].split(rows),
            strict=True,
        ):
            logits = h @ table.T  # (n, I)
            highest = logits.amax(1, keepdim=True)
            correct = logits.gather(1, t)
            exponentials = logits.sub_(highest).exp_()
            total = exponentials.sum(1, keepdim=True)
            losses.append((w * (total.log() + highest - correct)).sum())
            grad = exponentials.mul_(w / total).scatter_add_(1, t, -w)  # of the logits
            grads_hidden.append(grad @ table)
            grad_table.addmm_(grad.T, h)
        ctx.save_for_backward(torch.cat(grads_hidden), grad_table)
        return torch.stack(losses).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """Gradients of hidden and table, times the gradient of the loss."""
        grad_hidden, grad_table = ctx.saved_tensors
        return grad_hidden * grad, grad_table * grad, None, None
