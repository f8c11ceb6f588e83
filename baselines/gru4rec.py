"""GRU4Rec: a recurrent network over the history; two losses.

Papers: Hidasi et al., "Session-based Recommendations with Recurrent Neural Networks", ICLR 2016;
Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based
Recommendations", CIKM 2018.
Authors' code: github.com/hidasib/GRU4Rec; in PyTorch: hidasib/GRU4Rec_PyTorch_Official.

There are two forms (Hidasi & Czapp, "The Effect of Third Party Implementations on Reproducibility",
RecSys 2023, find most ports weaker than the authors' code):

- `loss: bce` (model `gru4rec`) is the form of the ports behind most baseline tables: one
  uniform negative per position and binary cross-entropy;
- `loss: sampled_ce` (model `gru4rec_ce`) has the loss of the authors' code: cross-entropy against
  many shared negatives, drawn by popularity. It is not a port of that code either: points 1
  to 4 apply to both.

Differs from the papers in:

1. Adam over whole histories of at most 50 items, one per user (paper: Adagrad, session-parallel
   batches, truncated after each step).
2. Item vectors of width d, a hidden state of width h and a dense layer back to d, whose output is
   compared with the input table (paper: output table of its own, or h = d with a shared one).
3. Neither the recurrent layer nor the scores have a bias.
4. Dropout on the item vectors only.
5. `sampled_ce`: all negatives are drawn; the other targets of the batch are not added to them. A
   negative that is the target of a position is ignored there.
6. `bce`: negatives exclude all items of the user, those of validation and test included, as in the
   other rows with this loss.
"""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from elcrec.data.histories import NegativeSampler
from elcrec.errors import at_least
from elcrec.models import padding
from elcrec.models.dropout import Dropout
from elcrec.models.interface import Batch, Context, SequenceModel
from elcrec.models.linear import Linear, linear, outer_products
from elcrec.models.losses import next_item_loss
from elcrec.models.packing import usual
from elcrec.models.scores import inner_products
from elcrec.models.softmax import log_partition, mean_weights


@dataclass(frozen=True)
class Hyperparameters:
    """Hyper-parameters of GRU4Rec."""

    dimension: int = 64
    """Width d of item vectors."""
    hidden: int = 128
    """Width h of the recurrent state."""
    max_length: int = 50
    """Longest window L; longer histories keep their last L items."""
    dropout: float = 0.3
    """Dropout on the item vectors of the input."""
    loss: Literal["bce", "sampled_ce"] = "bce"
    """Binary cross-entropy with one negative per position, or cross-entropy with shared ones."""
    negatives: int = 2048
    """`sampled_ce`: negatives of a step, shared by all its positions."""
    alpha: float = 0.5
    """`sampled_ce`: negatives are drawn in proportion to (training count)^alpha; 0: uniformly."""

    def __post_init__(self) -> None:
        at_least(1, self, "dimension", "hidden", "max_length", "negatives")
        at_least(0, self, "alpha")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")
        if self.loss not in ("bce", "sampled_ce"):
            raise ValueError(f"loss must be bce or sampled_ce, got {self.loss}")


class Model(SequenceModel):
    """Item vectors, GRU, dense layer; parameters: (I + 1) d + 3 h (d + h) + h d + d."""

    parameters_used: Hyperparameters

    def __init__(self, parameters: Hyperparameters, n_users: int, item_size: int) -> None:
        super().__init__(parameters, n_users, item_size)
        # Softmax logits have no zero point: a score of 0 for items seen before has no meaning.
        self.protocol = None if parameters.loss == "bce" else "strict"
        d, h = parameters.dimension, parameters.hidden
        self.items = nn.Embedding(item_size - 1, d, padding_idx=0)  # no row for the mask
        self.dropout = Dropout(parameters.dropout)
        self.gru = nn.GRU(d, h, bias=False, batch_first=True)
        self.dense = Linear(h, d)
        nn.init.xavier_normal_(self.items.weight)
        for weight in self.gru.parameters():
            nn.init.xavier_uniform_(weight)

    def start_training(self, context: Context) -> None:
        """Make the table that negatives are drawn from."""
        data, p = context.data, self.parameters_used
        if p.loss == "bce":
            self.sampler = NegativeSampler(data, highest=data.n_items)
        else:
            weights = data.training_counts()[1:-1].clamp(min=1).double() ** p.alpha
            self.cumulative = weights.cumsum(0) / weights.sum()  # (I,)

    def batch(self, samples: Tensor, context: Context) -> Batch:
        """Next-item batch; negatives (B, L) for `bce`, (`negatives`,) for `sampled_ce`."""
        data, length, generator = context.data, self.max_length, context.generator
        if self.parameters_used.loss == "bce":
            negatives = self.sampler.draw(samples, length, generator)
        else:
            negatives = self._shared_negatives(generator)
        return Batch(
            users=samples,
            inputs=data.training_inputs(samples, length),
            targets=data.training_targets(samples, length),
            negatives=negatives,
        )

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Mean over all real positions."""
        if self.parameters_used.loss == "sampled_ce":
            hidden, targets = self.encode_real(batch.inputs, batch.targets)
            return {"total": sampled_cross_entropy(hidden, self.items, targets, batch.negatives)}
        hidden, targets, negatives = self.encode_real(batch.inputs, batch.targets, batch.negatives)
        positive, negative = self.items(torch.stack([targets, negatives]))
        return {"total": next_item_loss(hidden, positive, negative, targets > 0)}

    def encode_real(self, sequences: Tensor, *aligned: Tensor) -> tuple[Tensor, ...]:
        """Outputs of the items of left-padded windows (B, L), and `aligned` (B, L) beside them.

        Returns:
            (N, d) and (N,) each for the N items, in the order in which a GRU reads them, on the
            CPU; on other devices (B, L, d) and (B, L), padding included.
        """
        if not padding.cuts_padding(sequences):
            return (self.encode(sequences), *aligned)
        lengths, order = (sequences > 0).sum(1).sort(descending=True, stable=True)
        steps = torch.arange(int(lengths[0]))[:, None]  # (T, 1)
        running = lengths > steps  # (T, B)
        columns = (sequences.shape[1] - lengths + steps)[running]
        rows = order.expand_as(running)[running]
        items, *picked = (values[rows, columns] for values in (sequences, *aligned))
        count = len(items)
        inputs = self.dropout(self.items(F.pad(items, (0, usual(count) - count))))
        input_weight, state_weight = self.gru.all_weights[0]
        sizes = running.sum(1).tolist()
        states = packed_gru(inputs, input_weight, state_weight, sizes)
        return (self.dense(states)[:count], *picked)

    def encode(self, sequences: Tensor) -> Tensor:
        """Output of every item: (B, T) left-padded ids to (B, T, d); those of padding are void."""
        lengths, width = _lengths(sequences), sequences.shape[1]
        outputs = self.dense(self._states(sequences, lengths))
        columns = torch.arange(width, device=sequences.device) - (width - lengths[:, None])
        return _columns(outputs, columns.clamp(min=0))  # back to the right

    def last(self, sequences: Tensor) -> Tensor:
        """Output of the last item: (B, T) left-padded ids to (B, d)."""
        lengths = _lengths(sequences)
        states = self._states(sequences, lengths)
        return self.dense(_columns(states, lengths[:, None] - 1).squeeze(1))

    def _states(self, sequences: Tensor, lengths: Tensor) -> Tensor:
        """States (B, T, h) after the 1st, 2nd … item of each row; those after its last are void.

        Rows are moved to the left, so the state starts at the first item and never meets padding.
        """
        width = sequences.shape[1]
        columns = torch.arange(width, device=sequences.device) + (width - lengths[:, None])
        moved = sequences.gather(1, columns.clamp(max=width - 1))
        states, _ = self.gru(self.dropout(self.items(moved)))
        return states

    def represent(self, users: Tensor, sequences: Tensor) -> Tensor:
        """Take the output of the last item: (B, d)."""
        return self.last(sequences)

    def score_items(self, represented: Tensor, first: int, last: int) -> Tensor:
        """Inner products with the item table; padding and mask score -inf."""
        return inner_products(represented, self.items.weight[1:], first, last, lowest=1)

    def _shared_negatives(self, generator: torch.Generator) -> Tensor:
        """Draw items by popularity, with replacement: (`negatives`,) ids."""
        uniform = torch.rand(
            self.parameters_used.negatives,
            generator=generator,
            device=self.cumulative.device,
            dtype=torch.float64,
        )
        found = torch.searchsorted(self.cumulative, uniform, right=True)
        return found.clamp_(max=len(self.cumulative) - 1) + 1


def sampled_cross_entropy(
    hidden: Tensor, items: nn.Embedding, targets: Tensor, negatives: Tensor
) -> Tensor:
    """Cross-entropy of the targets against shared negatives, averaged over real targets.

    Args:
        hidden: (..., d) outputs.
        items: Item table.
        targets: (...) ids, 0 at padding.
        negatives: (M,) ids; one that equals a target is left out for that target.

    Returns:
        Scalar: mean of -log(exp(h·t) / (exp(h·t) + sum over the negatives of exp(h·n))).
    """
    rows, targets = hidden.flatten(0, -2), targets.flatten()
    true = (rows * items(targets)).sum(-1)
    weights = mean_weights(targets > 0, rows)
    every = log_partition(
        rows.unsqueeze(1), items(negatives), weights, further=true, ids=(targets, negatives)
    )
    return every - (weights * true).sum()


def packed_gru(
    inputs: Tensor, input_weight: Tensor, state_weight: Tensor, sizes: list[int]
) -> Tensor:
    """States of a GRU without biases, as in `torch.nn.GRU`; the initial one is zero.

    Args:
        inputs: (N, d) the first inputs of all rows, longest rows first, then the second ones ...
            Rows after the last input are void.
        input_weight: (3 h, d) `weight_ih_l0`: of the gates r and z and the candidate n.
        state_weight: (3 h, h) `weight_hh_l0`.
        sizes: How many rows have a first input, a second one ...

    Returns:
        (N, h), in the order of the inputs.
    """
    states: Tensor = _PackedGRU.apply(linear(inputs, input_weight), state_weight, sizes)
    return states


class _PackedGRU(torch.autograd.Function):
    """r = σ(i_r + s_r), z = σ(i_z + s_z), n = tanh(i_n + r s_n), h' = n + z (h - n), s = W h."""

    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)
    def forward(ctx: Any, gates: Tensor, weight: Tensor, sizes: list[int]) -> Tensor:
        h, total = weight.shape[1], sum(sizes)
        states, s, rz, n = (gates.new_empty(len(gates), k * h) for k in (1, 3, 2, 1))
        for values in (states, s, rz, n):
            values[total:] = 0
        given = (gates[:, : 2 * h], gates[:, 2 * h :], s, rz, n, states)
        steps = zip(*(values[:total].split(sizes) for values in given), strict=True)
        state = gates.new_zeros(sizes[0], h)
        for i_rz, i_n, s_t, rz_t, n_t, state_t in steps:
            before = state[: len(s_t)]
            torch.mm(before, weight.T, out=s_t)
            torch.add(i_rz, s_t[:, : 2 * h], out=rz_t).sigmoid_()
            torch.addcmul(i_n, rz_t[:, :h], s_t[:, 2 * h :], out=n_t).tanh_()
            state = torch.lerp(n_t, before, rz_t[:, h:], out=state_t)
        ctx.sizes = sizes
        ctx.save_for_backward(weight, states, s, rz, n)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        weight, states, s, rz, n = ctx.saved_tensors
        h, total, sizes = weight.shape[1], sum(ctx.sizes), ctx.sizes
        r, z = rz.split(h, 1)
        before = torch.zeros_like(states)  # the state before each input
        for later, earlier, size in zip(
            before[:total].split(sizes)[1:], states[:total].split(sizes), sizes[1:], strict=False
        ):
            later.copy_(earlier[:size])
        # Factors that turn a state's gradient into those of s_r, s_z, s_n and of the state before,
        # the latter without the part through the products.
        of_n = (1 - z) * (1 - n * n)
        factors = torch.stack(
            [of_n * s[:, 2 * h :] * r * (1 - r), (before - n) * z * (1 - z), of_n * r, z], 1
        )
        grad, parts = grad.clone(), torch.zeros_like(factors)  # (N, h), (N, 4, h)
        steps = list(zip(*(v[:total].split(sizes) for v in (grad, factors, parts)), strict=True))
        for t in reversed(range(len(sizes))):
            grad_t, factor, part = steps[t]
            torch.mul(grad_t.unsqueeze(1), factor, out=part)
            if t:
                met = steps[t - 1][0][: sizes[t]]
                met.add_(part[:, 3]).addmm_(part[:, :3].flatten(1), weight)
        s_grad = parts[:, :3].flatten(1).contiguous()
        gates_grad = torch.cat([s_grad[:, : 2 * h], grad * of_n], 1)
        return gates_grad, outer_products(s_grad, before), None


def _lengths(sequences: Tensor) -> Tensor:
    """Items of each row (B, T), at least one: (B,)."""
    return (sequences > 0).sum(1).clamp(min=1)


def _columns(values: Tensor, columns: Tensor) -> Tensor:
    """Pick (B, n) columns of each row of (B, T, d): (B, n, d)."""
    return values.gather(1, columns[..., None].expand(-1, -1, values.shape[-1]))
