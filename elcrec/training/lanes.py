"""Several trainings in one process: one GPU that a single training does not fill serves them all.

Each has a lane of its own: a CUDA stream, so that its kernels run beside those of the others, and
its own state of PyTorch's random numbers, which are one per process otherwise. The trainings take
turns, a step each; a step only queues work for the GPU, so within an epoch no training waits for
another. What needs the host (clustering by faiss, the end of a validation, a checkpoint, the
capture of a graph) is one turn, and the others wait for it, with what they have queued. A training
in a lane computes what it computes alone: on a CPU bit for bit, on a GPU up to the order in which
its kernels add up.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

from elcrec.training.turns import Turns

T = TypeVar("T")
W = TypeVar("W")


class Lane:
    """What a training has to itself while it is its turn."""

    def __init__(self, device: torch.device) -> None:
        """Start with the random numbers as they are now."""
        self.device = device
        self._cpu = torch.get_rng_state()
        self._cuda: torch.Generator | None = None
        self._stream: torch.cuda.Stream | None = None
        if device.type == "cuda":
            self._cuda = self._default().clone_state()
            self._stream = torch.cuda.Stream(device)
            # What was put on the device so far has to be there.
            self._stream.wait_stream(torch.cuda.current_stream(device))

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Surround a turn with the lane's stream and random numbers."""
        before = torch.get_rng_state()
        torch.set_rng_state(self._cpu)
        try:
            with self._cuda_numbers(), torch.cuda.stream(self._stream):
                yield
        finally:
            self._cpu = torch.get_rng_state()
            torch.set_rng_state(before)

    @contextmanager
    def _cuda_numbers(self) -> Iterator[None]:
        """Let PyTorch's generator on the GPU go on from the lane's state; nothing is copied."""
        if self._cuda is None:
            yield
            return
        default = self._default()
        before = default.graphsafe_get_state()
        default.graphsafe_set_state(self._cuda)
        try:
            yield
        finally:
            self._cuda = default.graphsafe_get_state()
            default.graphsafe_set_state(before)

    def _default(self) -> torch.Generator:
        return torch.cuda.default_generators[self.device.index or 0]


def side_by_side(
    works: Iterable[W],
    start: Callable[[W], Turns[T]],
    at_once: int,
    device: torch.device,
    ready: Callable[[W], bool] = lambda work: True,
) -> Iterator[tuple[W, T | Exception]]:
    """Do pieces of work, up to `at_once` at a time; yields each with its outcome when it ends.

    The outcome of one that fails is its error; the others go on. A piece begins in the order given,
    as soon as a lane is free and it is ready; one that never is ready is left out.

    Args:
        works: What is to be done.
        start: The generator that does a piece; it runs in a lane of its own.
        at_once: Most pieces at a time.
        device: Where they are done.
        ready: Whether what a piece needs is there; asked whenever a lane is free.
    """
    waiting = list(works)
    lanes: deque[tuple[W, Lane, Turns[T]]] = deque()
    while True:
        while len(lanes) < at_once and (found := list(filter(ready, waiting))):
            waiting.remove(found[0])
            lanes.append((found[0], Lane(device), start(found[0])))
        if not lanes:
            return
        work, lane, turns = lanes.popleft()
        with lane.turn():
            ended = _take(turns)
        if ended:
            yield work, ended[0]
        else:
            lanes.append((work, lane, turns))


def _take(turns: Turns[T]) -> tuple[T | Exception] | None:
    """Take a turn; returns the outcome or the error that ended the work, if it has."""
    try:
        next(turns)
    except StopIteration as end:
        return (end.value,)
    except Exception as error:
        return (error,)
    return None
