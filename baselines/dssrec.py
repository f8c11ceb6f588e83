"""DSSRec: a user as K intention vectors, trained on the next item and on the future as a whole.

Paper: Ma et al., "Disentangled Self-Supervision in Sequential Recommenders", KDD 2020.
Authors' code: none published; a port, github.com/abis330/DSSRec (2d7a7e9), was read for facts.

Follows the paper's joint training, and so differs from the port, which trains the intentions first
and drops them for a SASRec-like fine-tuning. Padding is masked out of the position weights. What
the paper leaves open, and differences from it:

1. One Transformer block, the shared encoder, for both the inputs and the reversed futures.
2. As in the S3-Rec code family, an epoch has each user once. As the encoder is causal, one pass
   over the user's window gives the intentions of every prefix; at most `positions` prefixes, drawn
   uniformly, are trained on their next item. (Paper: one prefix of a user at a time.)
3. Sequence to item: the softmax is over the next items of the batch and the K intentions; an item
   is not a negative of itself. The paper and the port divide its logits by sqrt(d). Intentions come
   out of a LayerNorm (norm 8 at d = 64) and item vectors start at N(0, 0.02) (norm 0.16), so that
   divided logits stay below 0.2 and the softmax says next to nothing until the item vectors have
   grown 25-fold; meanwhile the other loss, whose logits reach 8 at once, moves the weights. With
   `divide_item_logits: false` they are inner products, as in the other models' losses. Both,
   and the weight of the other loss, are compared on validation; what is used is a variant of the
   paper's model, and the name of its row says so.
4. Sequence to sequence: one prefix per user, against its up to L next training items, reversed, the
   nearest one last; the softmax is over all intentions of all such futures of the batch.
5. The item loss is a mean, the other a sum divided by the batch size, with `sequence_weight`.
6. Post-norm blocks, Adam and early stopping as for all models.

Scores are logits of a softmax, which have no zero point, so items seen before are excluded:
protocol `strict`.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elcrec.errors import at_least
from elcrec.models import padding
from elcrec.models.encoder import (
    INITIAL_STD,
    LAYER_NORM_EPSILON,
    EncoderSettings,
    TransformerEncoder,
    initialise,
)
from elcrec.models.interface import Context, SequenceModel
from elcrec.models.linear import Linear, linear
from elcrec.models.packing import usual
from elcrec.models.padding import encode_packed
from elcrec.models.scores import item_products
from elcrec.models.softmax import LEFT_OUT, log_partition, mean_weights


@dataclass(frozen=True)
class Hyperparameters(EncoderSettings):
    """Hyper-parameters of DSSRec."""

    blocks: int = 1
    """Number of Transformer blocks."""
    intents: int = 4
    """Number K of intentions."""
    kept: float = 0.5
    """Share (lambda) of the pairs of sample and intention trained on, the most confident ones."""
    sequence_weight: float = 1.0
    """Weight of the sequence-to-sequence loss."""
    positions: int = 8
    """Largest number M of prefixes per user that are trained on their next item in one step."""
    divide_item_logits: bool = True
    """Whether the sequence-to-item loss divides its logits by sqrt(d), as the paper does."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(1, self, "intents", "positions")
        at_least(0, self, "sequence_weight")
        if not 0 < self.kept <= 1:
            raise ValueError(f"kept must be in (0, 1], got {self.kept}")


@dataclass(frozen=True)
class PrefixBatch:
    """Windows of B users and M prefixes of each; a prefix ends `distances` before its end."""

    inputs: Tensor
    """(B, L) ids, left-padded with 0."""
    distances: Tensor
    """(B, M) positions from the end of the window, 0: the whole window."""
    targets: Tensor
    """(B, M) the next item of each prefix."""
    real: Tensor
    """(B, M) false where a window has fewer than M prefixes."""
    futures: Tensor
    """(B, L) the items after the first of the prefixes, reversed: the next one is last."""


class Model(SequenceModel):
    """DSSRec; total = sequence to item + sequence to sequence."""

    parameters_used: Hyperparameters
    protocol = "strict"

    def __init__(self, parameters: Hyperparameters, n_users: int, item_size: int) -> None:
        super().__init__(parameters, n_users, item_size)
        d, k = parameters.dimension, parameters.intents
        self.scale = d**-0.5
        self.item_scale = self.scale if parameters.divide_item_logits else 1.0
        self.encoder = TransformerEncoder(parameters, item_size)
        self.prototypes = nn.Parameter(torch.randn(k, d) * self.scale)
        self.input_beta = nn.Parameter(torch.randn(k, d) * self.scale)
        self.label_beta = nn.Parameter(torch.randn(k, d) * self.scale)
        self.alphas = nn.Parameter(torch.randn(parameters.max_length, d) * INITIAL_STD)
        self.query_bias = nn.Parameter(torch.zeros(d))
        self.key = Linear(d, d)
        self.key.apply(initialise)
        names = ("position", "prototype", "key", "query", "intention")
        self.norms = nn.ModuleDict({n: nn.LayerNorm(d, eps=LAYER_NORM_EPSILON) for n in names})

    def batch(self, samples: Tensor, context: Context) -> PrefixBatch:
        """Draw prefixes of each user's training input."""
        data, length = context.data, self.max_length
        slots = torch.arange(length, device=data.device)
        stops = data.stops[samples]
        sizes = (stops - 3 - data.starts[samples]).clamp(max=length)[:, None]
        keys = torch.rand(
            (len(samples), length), generator=context.generator, device=data.device
        ).masked_fill_(slots >= sizes, 2.0)
        most = min(self.parameters_used.positions, length)
        real = slots[:most] < sizes
        distances = keys.argsort(1)[:, :most].where(real, 0)
        ends = stops[:, None] - 3 - distances  # index of each prefix's next item
        after = ends[:, :1] + slots.flip(0)
        futures = data.items[after.clamp(max=len(data.items) - 1)]
        return PrefixBatch(
            inputs=data.training_inputs(samples, length),
            distances=distances,
            targets=data.items[ends],
            real=real,
            futures=futures.masked_fill_(after >= stops[:, None] - 2, 0),
        )

    def loss(self, batch: PrefixBatch) -> dict[str, Tensor]:
        """Both losses; neither sees padding, so it is not computed."""
        real, targets = batch.real.flatten(), batch.targets.flatten()
        if padding.cuts_padding(batch.inputs):
            rows, first, labels = self._packed(batch)
            # Filled up to a usual number with dummy prefixes.
            targets = targets[real]
            free = usual(len(rows)) - len(rows)
            real = torch.arange(len(rows) + free) < len(rows)
            rows, targets = F.pad(rows, (0, 0) * 2 + (0, free)), F.pad(targets, (0, free))
        else:
            inputs = self.input_intentions(batch.inputs, batch.distances)  # (B, M, K, d)
            rows, first = inputs.flatten(0, 1), inputs[:, 0]
            labels = self.label_intentions(batch.futures)  # (B, K, d)
        item = self.item_loss(rows, targets, real)
        sequence = self.sequence_loss(first, labels)
        total = item + self.parameters_used.sequence_weight * sequence
        return {"item": item, "sequence": sequence, "total": total}

    def _packed(self, batch: PrefixBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Intentions without padding, for the CPU.

        Returns:
            Those of the real prefixes (N, K, d), and of the first prefixes and the futures
            (B, K, d) each.
        """
        windows, hidden = encode_packed(self.encoder, torch.cat([batch.inputs, batch.futures]))
        placed = hidden + F.embedding(windows.positions, self.alphas)
        width = hidden.shape[1]
        hidden_keys = self.encoder.hidden_keys[:width, :width] | windows.strangers()
        mixed = self.mixed(hidden, placed, placed, hidden_keys).flatten(0, 1)  # (P W, K, d)
        ends = self.max_length - 1 - batch.distances
        inputs, futures = windows.slots.chunk(2)
        prefixes = inputs.gather(1, ends)  # (B, M) the slots where they end
        chosen = [
            (self.input_beta, prefixes[batch.real]),
            (self.input_beta, prefixes[:, 0]),
            (self.label_beta, futures[:, -1]),
        ]
        norm = self.norms["intention"]
        rows, first, labels = (norm(beta + mixed.index_select(0, s)) for beta, s in chosen)
        return rows, first, labels

    def item_loss(self, intentions: Tensor, targets: Tensor, real: Tensor) -> Tensor:
        """Sequence to item.

        Args:
            intentions: (N, K, d) of the prefixes.
            targets: (N,) their next items.
            real: (N,) which prefixes are real.
        """
        items = self.encoder.items(targets) * self.item_scale
        own = (intentions * items.unsqueeze(1)).sum(-1)  # (N, K)
        weights = mean_weights(real, own)
        there = torch.where(real, 0.0, LEFT_OUT).to(own.dtype)
        # Keys with a row's own item are excluded; the row's own key is then added back.
        every = log_partition(
            intentions, items, weights, there, own.logsumexp(1), (targets, targets)
        )
        return every - (weights * own.amax(1)).sum()

    def sequence_loss(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Sequence to sequence: intentions of both, (B, K, d) each; a scalar."""
        rows = inputs.flatten(0, 1)  # (B K, d)
        logits = linear(rows, labels.flatten(0, 1)) * self.scale
        itself = torch.arange(len(rows), device=rows.device)
        losses = F.cross_entropy(logits, itself, reduction="none")
        kept = math.ceil(self.parameters_used.kept * len(rows))
        return losses.topk(kept, largest=False, sorted=False).values.sum() / len(inputs)

    def input_intentions(self, sequences: Tensor, distances: Tensor) -> Tensor:
        """Intentions of prefixes: (B, T) ids, (B, M) distances to (B, M, K, d)."""
        return self.intentions(sequences, distances, self.input_beta)

    def label_intentions(self, sequences: Tensor) -> Tensor:
        """Intentions of reversed futures: (B, T) ids to (B, K, d)."""
        return self.intentions(sequences, torch.zeros_like(sequences[:, :1]), self.label_beta)[:, 0]

    def intentions(self, sequences: Tensor, distances: Tensor, beta: Tensor) -> Tensor:
        """Intention vectors of the prefixes of left-padded windows.

        Args:
            sequences: (B, T) ids.
            distances: (B, M) positions from the end of the window where prefixes end.
            beta: (K, d) what is added to each intention.

        Returns:
            (B, M, K, d). Outputs of the causal encoder do not depend on what follows the prefix.
        """
        hidden, length = self.encoder(sequences), sequences.shape[1]
        placed = hidden + self.alphas[self.max_length - length :]
        columns = (length - 1 - distances).unsqueeze(-1)  # (B, M, 1)
        asking = placed.gather(1, columns.expand(-1, -1, placed.shape[-1]))
        later = torch.arange(length, device=columns.device) > columns
        hidden_keys = later | (sequences == 0).unsqueeze(1)
        return self.norms["intention"](beta + self.mixed(hidden, placed, asking, hidden_keys))

    def mixed(self, hidden: Tensor, placed: Tensor, asking: Tensor, hidden_keys: Tensor) -> Tensor:
        """Weighted sum of the outputs, by their share of each intention and by their position.

        Args:
            hidden: (B, T, d) outputs.
            placed: (B, T, d) with the vectors of their positions.
            asking: (B, M, d) those of `placed` at the end of a prefix.
            hidden_keys: (B, M, T) positions that are not in a prefix.

        Returns:
            (B, M, K, d).
        """
        clusters = linear(self.norms["position"](hidden), self.norms["prototype"](self.prototypes))
        shares = (clusters * self.scale).softmax(-1)  # (B, T, K), p(k|i)
        positions = self.position_weights(placed, asking, hidden_keys)
        weights = positions.unsqueeze(2) * shares.transpose(1, 2).unsqueeze(1)  # (B, M, K, T)
        return (weights.flatten(1, 2) @ hidden).view(*weights.shape[:3], -1)

    def position_weights(self, placed: Tensor, asking: Tensor, hidden_keys: Tensor) -> Tensor:
        """Attention p(i) of each prefix's last position to its positions; arguments as for `mixed`.

        Returns:
            (B, M, T), rows sum to 1.
        """
        keys = self.norms["key"](placed)
        keys = keys + self.key(keys).relu()
        queries = self.norms["query"](asking + self.query_bias)
        scores = queries @ keys.transpose(1, 2) * self.scale
        return scores.masked_fill(hidden_keys, float("-inf")).softmax(-1)

    def represent(self, users: Tensor, sequences: Tensor) -> Tensor:
        """Make the vectors of all intentions: (B, K, d)."""
        return self.input_intentions(sequences, torch.zeros_like(sequences[:, :1]))[:, 0]

    def score_items(self, represented: Tensor, first: int, last: int) -> Tensor:
        """Best inner product of any intention; padding and mask score -inf."""
        table = self.encoder.items.weight
        best, *others = (
            item_products(vectors, table, first, last) for vectors in represented.unbind(1)
        )
        for scores in others:
            best = torch.maximum(best, scores)
        return best
