"""Several trainings in one process, for a GPU that a single training cannot keep busy.

Each has its own lane: a CUDA stream, so that its kernels run beside those of the others, and its
own state of PyTorch's random generators, of which a process otherwise has only one. The trainings
take turns, a step each; a step only queues work for the GPU, so within an epoch no training waits
for another. What needs the host (clustering by faiss, the end of a validation, a checkpoint, the
capture of a graph) is one turn, and the others wait for it, while the GPU works off what they have
queued. A training in a lane computes what it computes alone: on a CPU bit for bit, on a GPU up to
the order in which its kernels sum.
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
        """Start from the current state of the random generators."""
        self.device = device
        self._cpu = torch.get_rng_state()
        self._cuda: torch.Generator | None = None
        self._stream: torch.cuda.Stream | None = None
        if device.type == "cuda":
            self._cuda = self._default().clone_state()
            self._stream = torch.cuda.Stream(device)
            # Wait until what was sent to the device so far has arrived.
            self._stream.wait_stream(torch.cuda.current_stream(device))

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Run a turn with the lane's stream and random state."""
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
        """Let PyTorch's generator on the GPU continue from the lane's state; nothing is copied."""
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

    If a piece fails, its outcome is the error, and the others continue. Pieces start in the order
    given, as soon as a lane is free and they are ready; one that never becomes ready is skipped.

    Args:
        works: What is to be done.
        start: The generator that does a piece; it runs in a lane of its own.
        at_once: Largest number of pieces at a time.
        device: Device that they use.
        ready: Whether everything that a piece needs exists; checked whenever a lane is free.
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
