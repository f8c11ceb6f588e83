"""Scores of models whose mask token is an input: it is no untouched row, as in the others."""

from __future__ import annotations

from torch import Tensor


def items_only(scores: Tensor) -> Tensor:
    """Take padding and mask token out of (B, item_size) scores, in place: they score -inf."""
    scores[:, 0] = float("-inf")
    scores[:, -1] = float("-inf")
    return scores
