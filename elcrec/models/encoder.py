"""The Transformer encoder that SASRec, CL4SRec, ICLRec and ELCRec share.

Source: Kang & McAuley, "Self-Attentive Sequential Recommendation" (ICDM 2018), in the post-norm
form of the S3-Rec code family that the paper's experiments are built on.

Two properties of that family move numbers and are kept on purpose:

1. The mask is *additive*: -10000 on every key that is padding or in the future. A query at a
   padding position has it on all its keys, so its softmax is the unmasked one: it attends over
   everything, and its output is not zeroed. Models that pool or flatten all positions see these
   outputs.
2. The padding row of the item table is random like the others and gets no gradient.

A query at a real position gives padding keys a weight of exactly zero in float32, so cutting
padding on the left leaves its output unchanged; `forward` therefore accepts any length up to
`max_length`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elcrec.errors import at_least
from elcrec.models.dropout import Dropout
from elcrec.models.linear import Linear
from elcrec.models.packing import Packed, usual

MASKED = -10000.0
LAYER_NORM_EPSILON = 1e-12
INITIAL_STD = 0.02


@dataclass(frozen=True)
class EncoderSettings:
    """Hyper-parameters of the encoder (protocol of the released code)."""

    dimension: int = 64
    """Width d of item vectors and hidden states."""
    max_length: int = 50
    """Longest window L; longer histories keep their last L items."""
    blocks: int = 2
    """Number of Transformer blocks."""
    heads: int = 2
    """Attention heads; must divide `dimension`."""
    hidden_dropout: float = 0.5
    """Dropout after the embedding, the attention output and the feed-forward network."""
    attention_dropout: float = 0.5
    """Dropout on the attention probabilities."""

    def __post_init__(self) -> None:
        at_least(1, self, "dimension", "max_length", "blocks", "heads")
        if self.dimension % self.heads:
            raise ValueError(f"heads must divide dimension ({self.dimension}), got {self.heads}")
        for name in ("hidden_dropout", "attention_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be in [0, 1), got {getattr(self, name)}")


class TransformerEncoder(nn.Module):
    """Item and position embeddings followed by post-norm self-attention blocks."""

    kernels: Callable[[TransformerEncoder, Tensor], Tensor | None] | None = None
    """Encodes as `forward` does, or returns None where it does not apply: see
    `elcrec.models.native`. None: only `forward` is used."""

    def __init__(self, settings: EncoderSettings, item_size: int, causal: bool = True) -> None:
        """Build the encoder.

        Args:
            settings: Widths, depth and dropout.
            item_size: Rows of the item table: padding (0), items 1 …, mask token (last).
            causal: Whether a position sees only itself and earlier ones.
        """
        super().__init__()
        d = settings.dimension
        self.causal = causal
        self.max_length = settings.max_length
        self.items = nn.Embedding(item_size, d, padding_idx=0)
        self.positions = nn.Embedding(settings.max_length, d)
        self.norm = nn.LayerNorm(d, eps=LAYER_NORM_EPSILON)
        self.dropout = Dropout(settings.hidden_dropout)
        self.blocks = nn.ModuleList(Block(settings) for _ in range(settings.blocks))
        future = torch.ones(settings.max_length, settings.max_length, dtype=torch.bool).triu(1)
        self.hidden_keys: Tensor
        self.register_buffer("hidden_keys", future & causal, persistent=False)
        self.apply(initialise)

    def forward(self, sequences: Tensor) -> Tensor:
        """Encode every position: (B, T) item ids, left-padded, T <= L, to (B, T, d)."""
        encoded = self.kernels(self, sequences) if self.kernels else None
        if encoded is not None:
            return encoded
        x, mask = self._embed(sequences)
        for block in self.blocks:
            x = block(x, mask)
        return x

    def last(self, sequences: Tensor) -> Tensor:
        """Encode the last position only: (B, T) ids to (B, d); equals `forward(...)[:, -1]`.

        The last block then has one query per row, which saves nearly all of its work.
        """
        x, mask = self._embed(sequences)
        for block in self.blocks[:-1]:
            x = block(x, mask)
        block = self.blocks[-1]
        assert isinstance(block, Block)
        return block.last(x, mask)

    def packed(self, windows: Packed, chosen: Tensor | None = None) -> Tensor:
        """Encode histories that share windows; each gets the outputs that `forward` would give it.

        Args:
            windows: P windows of W slots.
            chosen: (N,) slots, numbered across all windows; the last block computes only these.

        Returns:
            (N, d), or (P, W, d) for all slots if `chosen` is None.
        """
        x = self.items(windows.items) + self.positions(windows.positions)
        length = windows.items.shape[1]
        hidden = self.hidden_keys[:length, :length] | windows.strangers()
        mask = hidden.unsqueeze(1).to(x.dtype) * MASKED
        x = self.dropout(self.norm(x))
        for block in self.blocks[:-1]:
            x = block(x, mask)
        if chosen is None:
            return self.blocks[-1](x, mask)
        count = len(chosen)
        return self.blocks[-1](x, mask, F.pad(chosen, (0, usual(count) - count)))[:count]

    def _embed(self, sequences: Tensor) -> tuple[Tensor, Tensor]:
        length = sequences.shape[1]
        x = self.items(sequences) + self.positions.weight[self.max_length - length :]
        hidden = self.hidden_keys[:length, :length] | (sequences == 0)[:, None, :]
        mask = hidden.unsqueeze(1).to(x.dtype) * MASKED  # (B, 1, T, T)
        return self.dropout(self.norm(x)), mask


class Block(nn.Module):
    """Self-attention and feed-forward network, each followed by dropout, residual, LayerNorm."""

    def __init__(self, settings: EncoderSettings) -> None:
        super().__init__()
        self.attention = Attention(settings)
        self.feed_forward = FeedForward(settings)

    def forward(self, x: Tensor, mask: Tensor, chosen: Tensor | None = None) -> Tensor:
        """Map (B, T, d) to (B, T, d), with the mask (B, 1, T, T) added to the scores.

        With `chosen` (N,) positions, numbered across all rows, only these are computed: (N, d).
        """
        return self.feed_forward(self.attention(x, mask, chosen))

    def last(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map (B, T, d) to the last position's (B, d)."""
        return self.feed_forward(self.attention.last(x, mask))


class Attention(nn.Module):
    """Multi-head self-attention with an additive mask."""

    def __init__(self, settings: EncoderSettings) -> None:
        super().__init__()
        d = settings.dimension
        self.heads = settings.heads
        self.projection = Linear(d, 3 * d)  # query, key and value in one product
        self.output = Linear(d, d)
        self.norm = nn.LayerNorm(d, eps=LAYER_NORM_EPSILON)
        self.dropout = Dropout(settings.hidden_dropout)
        self.probability_dropout = Dropout(settings.attention_dropout)

    def forward(self, x: Tensor, mask: Tensor, chosen: Tensor | None = None) -> Tensor:
        """Attend from every position over all keys.

        Args:
            x: (B, T, d).
            mask: (B, 1, T, T), added to the scores.
            chosen: (N,) positions whose outputs (N, d) are computed; None: all, (B, T, d).
        """
        b, t, d = x.shape
        q, k, v = (
            self.projection(x).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        )  # each (B, heads, T, d / heads)
        q = q * (d // self.heads) ** -0.5
        scores = (q @ k.transpose(-1, -2)).add_(mask)
        context = self.probability_dropout(scores.softmax(-1)) @ v  # (B, heads, T, d / heads)
        context = context.transpose(1, 2).reshape(b, t, d)
        if chosen is not None:
            context, x = (values.flatten(0, 1).index_select(0, chosen) for values in (context, x))
        return self.norm(self.dropout(self.output(context)) + x)

    def last(self, x: Tensor, mask: Tensor) -> Tensor:
        """Attend from the last position only: (B, T, d) to (B, d).

        With a single query, keys and values need not be computed: q (W_k x + b_k) is (q W_k) x plus
        a constant that the softmax ignores, and the weighted sum of the values is W_v applied to
        the weighted sum of the inputs, plus b_v times the sum of the weights.
        """
        d, size = x.shape[-1], x.shape[-1] // self.heads
        w_q, w_k, w_v = self.projection.weight.view(3, self.heads, size, d)
        b_q, _, b_v = self.projection.bias.view(3, self.heads, size)
        q = torch.einsum("bd,hsd->bhs", x[:, -1], w_q) + b_q
        q = torch.einsum("bhs,hsd->bhd", q * size**-0.5, w_k)
        scores = (q @ x.transpose(1, 2)).add_(mask[:, :, -1])  # (B, heads, T)
        weights = self.probability_dropout(scores.softmax(-1))
        context = torch.einsum("bhd,hsd->bhs", weights @ x, w_v)
        context = context + b_v * weights.sum(-1, keepdim=True)  # (B, heads, d / heads)
        return self.norm(self.dropout(self.output(context.flatten(1))) + x[:, -1])


class FeedForward(nn.Module):
    """Two linear layers with an exact (erf) GELU in between; the inner width is 4 d."""

    def __init__(self, settings: EncoderSettings) -> None:
        super().__init__()
        d = settings.dimension
        self.expand = Linear(d, 4 * d)
        self.contract = Linear(4 * d, d)
        self.norm = nn.LayerNorm(d, eps=LAYER_NORM_EPSILON)
        self.dropout = Dropout(settings.hidden_dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., d) to (..., d)."""
        return self.norm(self.dropout(self.contract(F.gelu(self.expand(x)))) + x)


def initialise(module: nn.Module) -> None:
    """Draw Linear and Embedding weights from N(0, 0.02); biases are zero."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=INITIAL_STD)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
