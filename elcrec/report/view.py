"""What the templates show besides tables: deviations with their colors, and remarks."""

from __future__ import annotations

import math
from dataclasses import dataclass

from elcrec.tables.layout import Cell, Table

__all__ = ["Cell", "Deviation", "Table", "deviation"]

CLOSE, NEAR = 5.0, 15.0  # percent: the steps of the deviation's color


@dataclass(frozen=True)
class Deviation:
    """How far ours is from the paper's, for eyes with and without color."""

    kind: str
    """CSS class: `close`, or `above`/`below` with `near` or `far`."""
    sign: str
    text: str


def deviation(percent: float) -> Deviation | None:
    """Describe a deviation in percent of the paper's value; None without one.

    Up to 5 % is close (=), up to 15 % near (one arrow), above far (two arrows).
    """
    if math.isnan(percent):
        return None
    side, arrow = ("above", "▲") if percent > 0 else ("below", "▼")
    text = f"{percent:+.1f} %".replace("-", "−")
    if abs(percent) <= CLOSE:
        return Deviation("close", "=", text)
    if abs(percent) <= NEAR:
        return Deviation(f"{side} near", arrow, text)
    return Deviation(f"{side} far", arrow * 2, text)
