"""Tables as text: cells, Markdown and plain aligned text, and how single figures are printed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GAP = "–"
"""Stands where there is no value."""


class Best(str):
    """The text of a cell that is the best of its row; a plain `str` to whoever does not care."""

    __slots__ = ()


class RunnerUp(str):
    """The text of a cell that is the second best of its row."""

    __slots__ = ()


@dataclass(frozen=True)
class TextTable:
    """Header and rows of as many cells each."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    text: int = 1
    """The first so many columns are text (left), the others figures (right)."""


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]], text: int = 1) -> str:
    """Return a Markdown table, padded so that it reads well as plain text too.

    Args:
        header: Column names.
        rows: Cells, as many as columns; `|` is escaped, `Best` is bold, `RunnerUp` underlined.
        text: The first so many columns are text (left), the others figures (right).

    Raises:
        ValueError: A row of another length.
    """
    cells = [[_marked(cell) for cell in row] for row in [header, *rows]]
    widths = _widths(cells)
    rule = ["-" * w if i < text else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    lines = [_padded(row, widths, text) for row in cells]
    lines.insert(1, rule)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def markdown(table: TextTable) -> str:
    """Return a `TextTable` as Markdown, as `markdown_table` does."""
    return markdown_table(table.header, table.rows, table.text)


def plain_table(header: Sequence[str], rows: Iterable[Sequence[str]], text: int = 1) -> str:
    """Return the same table in aligned columns, two spaces apart, for a terminal."""
    cells = [list(row) for row in [header, *rows]]
    lines = [_padded(row, _widths(cells), text) for row in cells]
    return "".join("  ".join(line).rstrip() + "\n" for line in lines)


def bullets(lines: Iterable[str]) -> str:
    """Return a Markdown list."""
    return "".join(f"- {line}\n" for line in lines)


def number(value: float | None, digits: int) -> str:
    """Print with so many decimals and thousands commas; `GAP` for None and nan."""
    if value is None or math.isnan(value):
        return GAP
    return f"{round(value, digits) + 0.0:,.{digits}f}"  # + 0.0: no minus before a rounded zero


def score(value: float | None) -> str:
    """Print a metric with four decimals, as the paper does."""
    return number(value, 4)


def percent(value: float | None) -> str:
    """Print a signed relative difference, e.g. `+1.2%`."""
    return GAP if value is None or math.isnan(value) else f"{value:+.1f}%"


def p_value(value: float) -> str:
    """Print a p-value, e.g. `0.23` or `2.3e-06`."""
    if math.isnan(value):
        return GAP
    if value >= 0.01:
        return f"{value:.2f}"
    return f"{value:.1e}" if value > 0 else "< 1e-300"


def _marked(cell: str) -> str:
    text = cell.replace("|", "\\|")
    if isinstance(cell, Best):
        return f"**{text}**"
    return f"<u>{text}</u>" if isinstance(cell, RunnerUp) else text


def _widths(cells: Sequence[Sequence[str]]) -> list[int]:
    return [max(3, *(len(cell) for cell in column)) for column in zip(*cells, strict=True)]


def _padded(row: Sequence[str], widths: Sequence[int], text: int) -> list[str]:
    pairs = enumerate(zip(row, widths, strict=True))
    return [cell.ljust(w) if i < text else cell.rjust(w) for i, (cell, w) in pairs]
