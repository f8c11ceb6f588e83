"""BERT4Rec: a bidirectional Transformer that fills in masked items.

Paper: Sun et al., "BERT4Rec: Sequential Recommendation with Bidirectional Encoder Representations
from Transformer", CIKM 2019. Authors' code: github.com/FeiSun/BERT4Rec (615eaf2).

Differs from the authors' code in:

1. Masks are drawn anew in every epoch, which has two copies of each user's window. A share
   `last_only` of all copies, chosen at random, has only the last item masked (code: one of eleven
   copies, which are made once; longer histories are cut into several windows, here only the last
   one is used).
2. Adam with a constant step of 0.001 (code: 0.0001 with weight decay, warm-up and linear decay).
3. Full ranking (paper: among 100 sampled items), early stopping on validation (code: none).
4. The layer norms and the initialisation of the shared encoder (N(0, 0.02), not truncated).

As in the code, a masked item always becomes the mask token (BERT keeps or replaces a fifth).
Scores are logits of a softmax, which have no zero point, so items seen before are excluded:
protocol `strict`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elcrec.data.histories import InteractionData
from elcrec.models.encoder import (
    LAYER_NORM_EPSILON,
    EncoderSettings,
    TransformerEncoder,
    initialise,
)
from elcrec.models.interface import Context, SequenceModel
from elcrec.models.linear import Linear
from elcrec.models.padding import encode_chosen
from elcrec.models.scores import item_products
from elcrec.models.softmax import full_cross_entropy


@dataclass(frozen=True)
class Hyperparameters(EncoderSettings):
    """Hyper-parameters of BERT4Rec."""

    mask_ratio: float = 0.2
    """Share of a window's items that are masked; at least one is."""
    last_only: float = 0.5
    """Share of the windows in which only the last item is masked, as at test time."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.last_only <= 1:
            raise ValueError(f"last_only must be in [0, 1], got {self.last_only}")
        if not 0 < self.mask_ratio <= 1:
            raise ValueError(f"mask_ratio must be in (0, 1], got {self.mask_ratio}")


@dataclass(frozen=True)
class MaskedBatch:
    """Windows with masked items; B windows of L positions."""

    inputs: Tensor
    """(B, L) ids, the mask token where an item is hidden."""
    targets: Tensor
    """(B, L) the hidden items, 0 elsewhere."""


class Model(SequenceModel):
    """Bidirectional encoder, then dense, GELU and LayerNorm, then the tied item table with bias."""

    parameters_used: Hyperparameters
    protocol = "strict"

    def __init__(self, parameters: Hyperparameters, n_users: int, item_size: int) -> None:
        super().__init__(parameters, n_users, item_size)
        d = parameters.dimension
        self.mask_id = item_size - 1
        self.encoder = TransformerEncoder(parameters, item_size, causal=False)
        self.dense = Linear(d, d)
        self.norm = nn.LayerNorm(d, eps=LAYER_NORM_EPSILON)
        self.bias = nn.Parameter(torch.zeros(item_size))
        initialise(self.dense)

    def n_samples(self, data: InteractionData) -> int:
        """Two copies of each user's window, see `batch`."""
        return 2 * data.n_users

    def batch(self, samples: Tensor, context: Context) -> MaskedBatch:
        """Mask the items 1 … n-2 of each user: some at random, or only the last one."""
        data, share = context.data, self.parameters_used.last_only
        sequences = data.histories(samples % data.n_users, "valid", self.max_length)
        drawn = torch.rand(len(samples), generator=context.generator, device=data.device)
        masked = self.draw_masks(sequences, drawn < share, context.generator)
        return MaskedBatch(
            inputs=sequences.masked_fill(masked, self.mask_id),
            targets=sequences.masked_fill(~masked, 0),
        )

    def draw_masks(
        self, sequences: Tensor, last_only: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Choose what to mask in windows (B, L): (B, L) bool; in rows `last_only` (B,) the last."""
        real = sequences > 0
        sizes = real.sum(1)
        counts = (sizes * self.parameters_used.mask_ratio).round().long().clamp(min=1)
        counts = torch.where(last_only, 1, counts).minimum(sizes)
        keys = torch.rand(real.shape, generator=generator, device=real.device)
        keys[:, -1].masked_fill_(last_only, -1.0)  # comes first
        order = keys.masked_fill_(~real, 2.0).argsort(1)  # padding comes last
        chosen = torch.arange(real.shape[1], device=real.device) < counts[:, None]
        return torch.zeros_like(real).scatter_(1, order, chosen)

    def loss(self, batch: MaskedBatch) -> dict[str, Tensor]:
        """Cross-entropy over the item table, averaged over all masked positions."""
        length = batch.inputs.shape[1]
        most = max(1, round(self.parameters_used.mask_ratio * length))
        # No real position attends to padding, and it has no target, so it is not computed.
        hidden, targets = encode_chosen(self.encoder, batch.inputs, batch.targets, most)
        table = self.encoder.items.weight
        features = self.features(hidden)
        loss = full_cross_entropy(features, table, targets, targets > 0, self.bias)
        return {"total": loss}

    def features(self, hidden: Tensor) -> Tensor:
        """Output head before the item table: (..., d) to (..., d)."""
        return self.norm(F.gelu(self.dense(hidden)))

    def represent(self, users: Tensor, sequences: Tensor) -> Tensor:
        """Features of a mask token after the last L - 1 items: (B, d)."""
        return self.features(self.encoder.last(self.with_mask(sequences)))

    def score_items(self, represented: Tensor, first: int, last: int) -> Tensor:
        """Logits of the items; padding and mask score -inf."""
        return item_products(represented, self.encoder.items.weight, first, last, self.bias)

    def with_mask(self, sequences: Tensor) -> Tensor:
        """Append the mask token to windows (B, T): (B, min(T + 1, L))."""
        token = torch.full_like(sequences[:, :1], self.mask_id)
        return torch.cat([sequences, token], 1)[:, -self.max_length :]
