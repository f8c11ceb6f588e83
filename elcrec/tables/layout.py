"""A table of text cells, the form that Markdown and LaTeX are written from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


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
