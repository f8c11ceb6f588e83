"""What the templates show: tables of cells, each with its text, its color class and its source."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from elcrec.tables.layout import GAP, number

CLOSE, NEAR = 5.0, 15.0  # percent: the steps of the deviation's color


@dataclass(frozen=True)
class Cell:
    """A cell of a table."""

    text: str
    sort: float | None = None
    """What the column is sorted by; None sorts by the text."""
    note: str = ""
    """Further lines in small print; a tab is where a narrow screen may break a line."""
    kind: str = ""
    """CSS classes."""
    href: str = ""
    """Where the number comes from: an anchor of the page."""
    title: str = ""
    """The same in words."""


@dataclass(frozen=True)
class Table:
    """A table with a caption; the first `text_columns` are text, the others figures."""

    id: str
    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    text_columns: int = 1
    notes: Sequence[str] = field(default=())
    kind: str = ""


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


def figure_cell(value: float | None, digits: int, href: str = "", title: str = "") -> Cell:
    """A number with so many decimals; a gap for None and nan."""
    if value is None or math.isnan(value):
        return gap()
    return Cell(number(value, digits), sort=value, href=href, title=title)


def gap(reason: str = "not yet run") -> Cell:
    """An empty cell that says why."""
    return Cell(GAP, kind="gap", title=reason)
