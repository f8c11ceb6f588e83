"""Several trainings in one process: one GPU that a single training does not fill serves them all.

Each has a lane of its own: a CUDA stream, so that its kernels run beside those of the others, and
its own state of PyTorch's random numbers, which are one per process otherwise. The trainings take
turns, a step each; a step only queues work for the GPU, so within an epoch no training waits for
another. What needs the host (clustering by faiss, the end of a validation, a checkpoint, the
capture of a graph) is one turn, and the others wait for it, with what they have queued. A training
in a lane computes what it computes alone: on a CPU bit for bit, on a GPU up to the order in which
its kernels add up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import torch

from elcrec.training.turns import Turns

T = TypeVar("T")


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


@dataclass
class Work(Generic[T]):
    """A piece of work with what has to follow it."""

    start: Callable[[], Turns[T]]
    """Begins it, in its lane."""
    done: Callable[[T], None]
    """Takes its outcome, in its lane."""
    failed: Callable[[Exception], None]
    """Takes the error that ended it; the others go on."""
    ready: Callable[[], bool] = field(default=lambda: True)
    """Whether what it needs is there; asked whenever a lane is free."""


def side_by_side(works: Iterable[Work[T]], at_once: int, device: torch.device) -> list[Work[T]]:
    """Do all work, up to `at_once` pieces at a time; returns those that never became ready.

    A piece is started in the order given, as soon as a lane is free and it is ready.
    """
    waiting = deque(works)
    lanes: deque[tuple[Work[T], Lane, Turns[T]]] = deque()
    while True:
        while len(lanes) < at_once and (work := _next_ready(waiting)):
            lane = Lane(device)
            with _failing(work), lane.turn():
                lanes.append((work, lane, work.start()))
        if not lanes:
            return list(waiting)
        work, lane, turns = lanes.popleft()
        with _failing(work), lane.turn():
            try:
                next(turns)
            except StopIteration as end:
                work.done(end.value)
            else:
                lanes.append((work, lane, turns))


def _next_ready(waiting: deque[Work[T]]) -> Work[T] | None:
    for work in waiting:
        if work.ready():
            waiting.remove(work)
            return work
    return None


@contextmanager
def _failing(work: Work[T]) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        work.failed(error)
