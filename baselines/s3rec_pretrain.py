"""S3-Rec, first stage: self-supervised pre-training without attributes.

Paper: Zhou et al., "S3-Rec: Self-Supervised Learning for Sequential Recommendation with Mutual
Information Maximization", CIKM 2020. Authors' code: github.com/RUCAIBox/CIKM2020-S3Rec (e6c774d).

It has the two of the paper's four losses that need no item attributes: masked item prediction (MIP)
and segment prediction (SP). As in the authors' code, a score is the sigmoid of an inner product,
and a loss is -log sigmoid(score of the true - score of a false one). Differs from that code in:

1. No attributes, so neither of the two attribute losses.
2. False items are none of the user's, false segments come from the training items of all users
   (code: none of the prefix's items; segments of the whole lines, held-out items included).
3. Sums over the batch are divided by its size, a factor that Adam ignores.
4. A prefix of one item has no segment loss (code: one with no gradient except through dropout).
5. The future is visible in pre-training (bidirectional), as in the paper.

What it learns is used by `baselines.s3rec`. It is not a row of any table; its score, for a masked
item after the last one, only monitors the training. Only differences of its scores are learned,
so items seen before are excluded: protocol `strict`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elcrec.data.histories import HELD_OUT, InteractionData
from elcrec.data.samples import Prefixes, count_prefixes
from elcrec.errors import at_least
from elcrec.models import padding
from elcrec.models.encoder import EncoderSettings, TransformerEncoder, initialise
from elcrec.models.interface import Context, SequenceModel
from elcrec.models.padding import encode_at
from elcrec.models.scores import item_products


@dataclass(frozen=True)
class Hyperparameters(EncoderSettings):
    """Hyper-parameters of the pre-training."""

    mask_ratio: float = 0.2
    """Probability of masking an item; the last one always is."""
    item_weight: float = 1.0
    """Weight of masked item prediction."""
    segment_weight: float = 0.5
    """Weight of segment prediction."""
    prefix_share: float = 1.0
    """Share of all prefixes that an epoch uses, drawn anew each time."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(0, self, "item_weight", "segment_weight")
        if not 0 <= self.mask_ratio <= 1:
            raise ValueError(f"mask_ratio must be in [0, 1], got {self.mask_ratio}")
        if not 0 < self.prefix_share <= 1:
            raise ValueError(f"prefix_share must be in (0, 1], got {self.prefix_share}")


@dataclass(frozen=True)
class PretrainingBatch:
    """B prefixes in windows of L positions, ids left-padded with 0."""

    masked: Tensor
    """(B, L) prefixes with masked items."""
    targets: Tensor
    """(B, L) the masked items, 0 elsewhere."""
    negatives: Tensor
    """(B, L) items that the user never interacted with."""
    context: Tensor
    """(B, L) prefixes with one segment masked."""
    segment: Tensor
    """(B, L) that segment, everything else masked."""
    other: Tensor
    """(B, L) another segment in its place."""
    has_segment: Tensor
    """(B,) whether the prefix is long enough for one."""


class Model(SequenceModel):
    """Bidirectional encoder with one projection for each of the two losses."""

    parameters_used: Hyperparameters
    protocol = "strict"

    def __init__(self, parameters: Hyperparameters, n_users: int, item_size: int) -> None:
        super().__init__(parameters, n_users, item_size)
        d = parameters.dimension
        self.mask_id = item_size - 1
        self.encoder = TransformerEncoder(parameters, item_size, causal=False)
        self.item_projection = nn.Linear(d, d)
        self.segment_projection = nn.Linear(d, d)
        self.item_projection.apply(initialise)
        self.segment_projection.apply(initialise)

    def n_samples(self, data: InteractionData) -> int:
        """Prefixes of an epoch."""
        share = self.parameters_used.prefix_share
        return count_prefixes(data, self.max_length, share)

    def start_training(self, context: Context) -> None:
        """Number the prefixes, and join the training items of all users."""
        data, share = context.data, self.parameters_used.prefix_share
        self.prefixes = Prefixes(data, self.max_length, share)
        known = torch.ones_like(data.items, dtype=torch.bool)
        for last in range(1, HELD_OUT + 1):
            known[data.stops - last] = False
        self.training_items = data.items[known]

    def start_epoch(self, epoch: int, context: Context) -> None:
        """Draw the prefixes of the epoch."""
        self.prefixes.shuffle(context.generator)

    def batch(self, samples: Tensor, context: Context) -> PretrainingBatch:
        """Mask items and a segment of each prefix."""
        data, length, generator = context.data, self.max_length, context.generator
        users, ends = self.prefixes.take(samples)
        # As in the authors' code, prefixes are those of the last L items.
        starts = torch.maximum(data.starts[users], data.stops[users] - HELD_OUT - length)
        sequences = data.windows(starts, ends, length)
        hidden = self.draw_masks(sequences, generator)
        sizes = ends - starts
        inside, other = self.draw_segments(sizes, generator)
        real, segment = sequences > 0, sequences.masked_fill(~inside, self.mask_id)
        return PretrainingBatch(
            masked=sequences.masked_fill(hidden, self.mask_id),
            targets=sequences.masked_fill(~hidden, 0),
            negatives=data.negatives(users, length, generator),
            context=sequences.masked_fill(inside, self.mask_id),
            segment=segment.masked_fill(~real, 0),
            other=other.masked_fill(~inside, self.mask_id).masked_fill(~real, 0),
            has_segment=sizes > 1,
        )

    def draw_masks(self, sequences: Tensor, generator: torch.Generator) -> Tensor:
        """Mask each item with probability `mask_ratio`, the last one always: (B, L) bool."""
        uniform = torch.rand(sequences.shape, generator=generator, device=sequences.device)
        hidden = uniform < self.parameters_used.mask_ratio
        hidden[:, -1] = True
        return hidden & (sequences > 0)

    def draw_segments(self, sizes: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Choose a segment of 1 … n/2 items of each prefix, and a false one for its place.

        Args:
            sizes: (B,) lengths n of the prefixes, at most L.
            generator: Source of randomness on this device.

        Returns:
            (B, L) bool, true inside the segment (one item for n = 1); (B, L) ids of a stretch of
            the training items, to be read inside the segment.
        """
        device, total = sizes.device, len(self.training_items)
        uniform = torch.rand(
            (3, len(sizes)), generator=generator, device=device, dtype=torch.float64
        )
        lengths = 1 + (uniform[0] * (sizes // 2).clamp(min=1)).long()
        first = (uniform[1] * (sizes - lengths + 1)).long()
        elsewhere = (uniform[2] * (total - lengths + 1)).long()
        slots = torch.arange(self.max_length, device=device)
        offsets = slots - (self.max_length - sizes + first)[:, None]  # 0 where the segment begins
        inside = (offsets >= 0) & (offsets < lengths[:, None])
        other = self.training_items[(elsewhere[:, None] + offsets).clamp(0, total - 1)]
        return inside, other

    def loss(self, batch: PretrainingBatch) -> dict[str, Tensor]:
        """Both losses; neither sees padding, so it is not computed."""
        p, items = self.parameters_used, self.encoder.items
        hidden, ends, targets, negatives = self._outputs(batch)
        projected = self.item_projection(hidden)
        positive, negative = items(torch.stack([targets, negatives]))
        item_loss = pair_loss(projected, positive, negative)
        item = (item_loss * (targets > 0)).sum() / len(batch.masked)
        context, segment, other = ends.chunk(3)  # (B, d) each
        segment_loss = pair_loss(self.segment_projection(context), segment, other)
        segment_term = (segment_loss * batch.has_segment).mean()
        total = p.item_weight * item + p.segment_weight * segment_term
        return {"item": item, "segment": segment_term, "total": total}

    def _outputs(self, batch: PretrainingBatch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Outputs of masked items with their targets and negatives, and of the segments' ends.

        Returns:
            (N, d), (3B, d), (N,) and (N,) for N masked items on the CPU; on other devices those
            of all positions, (B, L, d) and (B, L).
        """
        masked, windows = batch.masked, torch.cat([batch.context, batch.segment, batch.other])
        if not padding.cuts_padding(windows):
            ends = self.encoder.last(windows)
            return self.encoder(masked), ends, batch.targets, batch.negatives
        asked, last = batch.targets > 0, torch.zeros_like(windows, dtype=torch.bool)
        last[:, -1] = True
        outputs = encode_at(self.encoder, torch.cat([masked, windows]), torch.cat([asked, last]))
        hidden, ends = outputs.split([len(outputs) - len(windows), len(windows)])
        return hidden, ends, batch.targets[asked], batch.negatives[asked]

    def represent(self, users: Tensor, sequences: Tensor) -> Tensor:
        """Project the output of a mask token after the last L - 1 items: (B, d)."""
        token = torch.full_like(sequences[:, :1], self.mask_id)
        window = torch.cat([sequences, token], 1)[:, -self.max_length :]
        return self.item_projection(self.encoder.last(window))

    def score_items(self, represented: Tensor, first: int, last: int) -> Tensor:
        """Inner products with the item table; padding and mask score -inf."""
        return item_products(represented, self.encoder.items.weight, first, last)


def pair_loss(hidden: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """-log sigmoid(sigmoid(h·p) - sigmoid(h·n)) of vectors (..., d): (...)."""
    true, false = (hidden * positive).sum(-1).sigmoid(), (hidden * negative).sum(-1).sigmoid()
    return F.softplus(false - true)
