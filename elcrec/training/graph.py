"""Training steps as CUDA graphs: one launch per step instead of several hundred.

Source: "Whole-network capture" in PyTorch's documentation of CUDA graphs. Rules for a step,
which `tests/contract` checks for every model without a GPU:

1. No value is read on the host and no shape depends on a value.
2. Tensors that change between epochs are refilled in place: see `SequenceModel.keep`.
3. The Python part of a step (numbers, branches, attributes) is the same in every step: it runs only
   once, during capture. Every epoch has as many samples as the first.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import torch
from torch import Tensor

WARM_UP = 3  # eager steps of each batch size before its capture, as PyTorch advises

# Graphs whose capture failed: PyTorch's allocator keeps querying them, so they must stay alive.
_unfinished: list[torch.cuda.CUDAGraph] = []

Run = Callable[[Tensor, float], None]
"""A step over samples (B,) with their share of the epoch; it keeps no tensor that it creates."""


class Backend(Protocol):
    """Device operations that a captured step needs; the tests use other backends than CUDA."""

    def warm_up(self) -> AbstractContextManager[None]:
        """Surround an eager step before a capture."""

    def capture(self, run: Callable[[], None]) -> Callable[[], None]:
        """Record what `run` launches, without executing it; returns a function that does.

        Raises:
            RuntimeError: It cannot be recorded; nothing was executed, and eager steps still work.
        """


class GraphedStep:
    """A step that is captured once per batch size and replayed from then on.

    The first steps of each size are eager. Every step, eager or replayed, trains exactly once. If a
    capture fails, one line reports it and all further steps are eager.
    """

    def __init__(self, backend: Backend) -> None:
        """Capture nothing yet; `backend` is `CudaBackend`, or another one in tests."""
        self.backend = backend
        self.eager = False
        # By batch size and share of the epoch, which a graph stores as a constant.
        self._taken: Counter[tuple[int, float]] = Counter()
        self._graphs: dict[tuple[int, float], tuple[Tensor, Callable[[], None]]] = {}

    def take(self, run: Run, samples: Tensor, share: float) -> None:
        """Do `run(samples, share)`, or the same from a graph; `run` is the same in every call."""
        key = (len(samples), share)
        if not self.eager and key not in self._graphs and self._taken[key] >= WARM_UP:
            self._capture(run, samples, share)
        if key in self._graphs:
            static, replay = self._graphs[key]
            static.copy_(samples)
            replay()
        elif self.eager:
            run(samples, share)
        else:
            self._taken[key] += 1
            with self.backend.warm_up():
                run(samples, share)

    def _capture(self, run: Run, samples: Tensor, share: float) -> None:
        static = samples.clone()
        try:
            replay = self.backend.capture(lambda: run(static, share))
        except RuntimeError as error:
            print(f"elcrec: training without CUDA graphs: {_cause(error)}", file=sys.stderr)
            self.eager = True
            self._graphs.clear()
        else:
            self._graphs[len(samples), share] = static, replay


def _cause(error: BaseException) -> str:
    """First line of the error that came first: leaving a failed capture raises another one."""
    while error.__context__ is not None:
        error = error.__context__
    return (str(error).splitlines() or [type(error).__name__])[0]


class CudaBackend:
    """Captures on the current GPU; all graphs share one pool of memory.

    Sharing is safe because they are replayed one after another, and none needs what another left in
    the pool: weights, Adam's moments and the sums of the losses are stored elsewhere.
    """

    def __init__(self, generator: torch.Generator, optimiser: torch.optim.Optimizer) -> None:
        """Set up the stream that warm-up and captures run on.

        Args:
            generator: Random generator for sampling; PyTorch's own, for dropout, is included.
            optimiser: Fused Adam, the part of the step that must know about a capture.
        """
        self.optimiser = optimiser
        self.generator = generator
        self.pool = torch.cuda.graph_pool_handle()
        self.stream = torch.cuda.Stream()

    @contextmanager
    def warm_up(self) -> Iterator[None]:
        """Run on the side stream, after all earlier and before all later work."""
        current = torch.cuda.current_stream()
        self.stream.wait_stream(current)
        with torch.cuda.stream(self.stream):
            yield
        current.wait_stream(self.stream)

    def capture(self, run: Callable[[], None]) -> Callable[[], None]:
        """Record `run`, which allocates new gradients, in the memory of the graph."""
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self.generator)
        # Otherwise `run` would add to gradients of eager steps, outside the graph's memory.
        self.optimiser.zero_grad(set_to_none=True)
        recording = torch.cuda.graph(graph, pool=self.pool, stream=self.stream)
        _unfinished.append(graph)
        with self._intact_if_it_fails(), self._capturable(), recording:
            run()
        _unfinished.remove(graph)
        replay: Callable[[], None] = graph.replay
        return replay

    @contextmanager
    def _capturable(self) -> Iterator[None]:
        """Set `capturable`; fused Adam computes the same with it, but warns in eager steps."""
        groups = self.optimiser.param_groups
        for group in groups:
            group["capturable"] = True
        try:
            yield
        finally:
            for group in groups:
                group["capturable"] = False

    @contextmanager
    def _intact_if_it_fails(self) -> Iterator[None]:
        """Undo what a failed capture leaves behind: its stream, and generators in capture mode."""
        generators = (self.generator, torch.cuda.default_generators[torch.cuda.current_device()])
        before = [generator.clone_state() for generator in generators]
        with torch.cuda.stream(torch.cuda.current_stream()):  # restored in any case
            try:
                yield
            except RuntimeError:
                for generator, state in zip(generators, before, strict=True):
                    generator.graphsafe_set_state(state)
                self.optimiser.zero_grad(set_to_none=True)
                raise
