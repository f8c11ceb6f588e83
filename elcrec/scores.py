"""Scores by inner products with rows of an item table."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def inner_products(
    queries: Tensor,
    table: Tensor,
    first: int,
    last: int,
    *,
    lowest: int = 0,
    bias: Tensor | None = None,
) -> Tensor:
    """Score the ids `first` … `last` - 1; an id that the table has no row for scores -inf.

    Args:
        queries: (B, d) representations of users.
        table: (rows, d) vectors of the ids `lowest`, `lowest` + 1 … Leaving out padding and mask,
            `table[1:-1]` with `lowest=1`, keeps them from being recommended.
        first: First id to score.
        last: One past the last id to score.
        lowest: Id of the table's first row.
        bias: (rows,) added to the scores.

    Returns:
        (B, last - first).
    """
    start, stop = max(first, lowest), min(last, lowest + len(table))
    rows = slice(start - lowest, stop - lowest)
    scores = F.linear(queries, table[rows], None if bias is None else bias[rows])
    if (start, stop) == (first, last):
        return scores
    return F.pad(scores, (start - first, last - stop), value=float("-inf"))
