"""Cross-entropy over many candidates, without ever holding all logits in memory.

The gradient of a row's logits is available as soon as its loss is, so the forward pass computes
both, some rows at a time; gradient checkpointing would compute the logits twice.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from elcrec.models.linear import linear, outer_products
from elcrec.models.packing import usual

LOGIT_MEMORY = {"cpu": 16 * 2**20, "cuda": 256 * 2**20}
"""Bytes of logits held at once; on a GPU their softmax takes as much again."""
LEFT_OUT = -1e30
"""Logit of an excluded candidate: finite, so that a row may have no candidate at all."""


def full_cross_entropy(
    hidden: Tensor,
    candidates: Tensor,
    targets: Tensor,
    real: Tensor,
    bias: Tensor | None = None,
) -> Tensor:
    """Cross-entropy of the targets against all candidates, averaged over real targets.

    Args:
        hidden: (..., d) outputs.
        candidates: (M, d) vectors.
        targets: (...) indices into `candidates`.
        real: (...) bool, whether a target counts.
        bias: (M,) added to the logits.

    Returns:
        Scalar.
    """
    rows, targets = hidden.flatten(0, -2), targets.flatten()
    true = (rows * candidates.index_select(0, targets)).sum(1)
    if bias is not None:
        true = true + bias.index_select(0, targets)
    weights = mean_weights(real.flatten(), rows)
    return log_partition(rows.unsqueeze(1), candidates, weights, bias) - (weights * true).sum()


def mean_weights(real: Tensor, rows: Tensor) -> Tensor:
    """Weights (N,) that turn a sum into the mean over `real` (N,) rows; at least float32."""
    return (real / real.sum()).to(torch.promote_types(rows.dtype, torch.float32))


def log_partition(
    queries: Tensor,
    keys: Tensor,
    weights: Tensor,
    bias: Tensor | None = None,
    further: Tensor | None = None,
    ids: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """Weighted sum over N rows of log sum exp, over M keys and one further logit.

    Args:
        queries: (N, K, d): a row's logits are the inner products of its K vectors with all keys.
        keys: (M, d).
        weights: (N,), without gradient.
        bias: (M,) added to the logits.
        further: (N,) one more logit per row, which joins the keys' in the log sum exp.
        ids: (N,) of the rows and (M,) of the keys: a row excludes keys with its own id.

    Returns:
        Scalar.
    """
    if further is None:
        further = weights.new_full((), float("-inf")).expand(len(weights))
    result: Tensor = _LogPartition.apply(queries, keys, weights, bias, further, ids)
    return result


class _LogPartition(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        queries: Tensor,
        keys: Tensor,
        weights: Tensor,
        bias: Tensor | None,
        further: Tensor,
        ids: tuple[Tensor, Tensor] | None,
    ) -> Tensor:
        count, size = len(queries), _chunk_size(queries, keys)
        on_cpu = queries.device.type == "cpu"
        if on_cpu:  # zero-weight rows, so that all chunks have one shape
            free = -count % size
            queries, weights, further = (_filled(x, free) for x in (queries, weights, further))
            ids = ids and (_filled(ids[0], free), ids[1])
        losses, queries_grad, further_grad = [], [], []
        keys_grad = keys.new_zeros(keys.T.shape)
        bias_grad = keys.new_zeros(len(keys)) if ctx.needs_input_grad[3] else None
        for start in range(0, len(queries), size):
            part = slice(start, start + size)
            rows, w = queries[part].flatten(0, 1), weights[part]  # (n K, d), (n,)
            logits = linear(rows, keys, bias).to(w.dtype)
            if ids is not None:  # by adding: masked_fill is slow on a CPU
                same = (ids[0][part, None] == ids[1]).to(w.dtype).unsqueeze(1)  # (n, 1, M)
                logits.view(len(w), -1, len(keys)).add_(same, alpha=LEFT_OUT)
            logits = logits.view(len(w), -1)  # (n, K M)
            highest = logits.amax(1)
            shares = torch.softmax(logits, 1, out=logits if on_cpu else None)  # CPU: in place
            of_keys = highest - shares.amax(1).log()  # the highest has the share exp(0) / sum
            losses.append((w * torch.logaddexp(of_keys, further[part])).sum())
            # The gradient of a row's logits is its shares times this; the factor is applied to
            # the smaller matrices, which saves a pass over the logits.
            factor = w * torch.sigmoid(of_keys - further[part])
            further_grad.append(w - factor)
            factor = factor[:, None].expand(-1, queries.shape[1]).reshape(-1, 1)  # (n K, 1)
            shares = shares.view(len(rows), -1)  # (n K, M)
            queries_grad.append(linear(shares, keys.T) * factor)
            keys_grad += outer_products(rows * factor, shares)
            if bias_grad is not None:
                bias_grad += factor.squeeze(1) @ shares
        ctx.save_for_backward(
            torch.cat(queries_grad)[: count * queries.shape[1]].view(count, *queries.shape[1:]),
            keys_grad.T.contiguous(),
            bias_grad,
            torch.cat(further_grad)[:count],
        )
        return torch.stack(losses).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        queries, keys, bias, further = (g if g is None else g * grad for g in ctx.saved_tensors)
        return queries, keys, None, bias, further, None


def _chunk_size(queries: Tensor, keys: Tensor) -> int:
    """Rows per chunk, which keep its logits within the limit; all chunks are of similar size."""
    device, count = queries.device.type, max(1, len(queries))
    memory = LOGIT_MEMORY.get(device, LOGIT_MEMORY["cpu"])
    most = max(1, memory // (4 * queries.shape[1] * len(keys)))
    return usual(-(-count // -(-count // most)))


def _filled(x: Tensor, count: int) -> Tensor:
    """Append `count` rows of zeros."""
    return torch.cat([x, x.new_zeros(count, *x.shape[1:])])
