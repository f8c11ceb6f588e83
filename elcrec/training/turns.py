"""Work that is done in turns, so that several pieces of it can share one process."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")

Turns = Generator[None, None, T]
"""Does a part of the work whenever it is asked for the next turn; returns the outcome."""


def take_all(turns: Turns[T]) -> T:
    """Do the whole work at once."""
    while True:
        try:
            next(turns)
        except StopIteration as end:
            outcome: T = end.value
            return outcome
