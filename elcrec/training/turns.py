"""Work that is done in turns, so that several pieces of it can share one process."""

from collections.abc import Callable, Generator
from functools import update_wrapper
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

Turns = Generator[None, None, T]
"""A generator that does a part of the work in each turn, and returns the outcome."""


class Stepwise(Generic[P, T]):
    """Turns a generator into a function that does the whole work at once.

    With `@Stepwise` above `train`, `train(...)` does it all and `train.in_turns(...)` a step at a
    time, for `yield from` in another generator.
    """

    def __init__(self, in_turns: Callable[P, Turns[T]]) -> None:
        self.in_turns = in_turns
        update_wrapper(self, in_turns)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Do the whole work."""
        turns = self.in_turns(*args, **kwargs)
        while True:
            try:
                next(turns)
            except StopIteration as end:
                outcome: T = end.value
                return outcome
