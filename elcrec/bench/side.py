"""A side of a measurement, and the process that answers one request after another about it.

Other code runs beside this module, so it imports nothing that changes how PyTorch computes.
"""

import multiprocessing
import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from multiprocessing.connection import Connection
from typing import Any, Protocol

import torch

from elcrec.errors import InputError
from elcrec.usage import peak_memory

SEED = 1
"""Seed of everything random: no time depends on it."""

STEPS = 10
"""Steps of a group on a CPU; on a GPU, where they are short, a group is a whole epoch."""


class Asked(Protocol):
    """What a process can work on; each request names one of its methods."""

    def about(self) -> dict[str, Any]:
        """A description of it, for the record."""


class Side(ABC):
    """A model with its data; times are wall-clock seconds, sizes bytes.

    Nothing is read from the device inside a step: a group of steps is timed as a whole.
    """

    device: torch.device
    batch_size: int
    samples: int
    """Training samples of an epoch."""

    @abstractmethod
    def about(self) -> dict[str, Any]:
        """What is measured, for the record."""

    @abstractmethod
    def start(self, steps: int | None = None) -> float:
        """Seconds that a training takes before its first epoch; then a round warms up."""

    @abstractmethod
    def pass_over(self, samples: int) -> tuple[float, float, float]:
        """An epoch over this many samples, at most `self.samples`.

        Returns:
            Seconds of what comes before its steps, of the steps, and of ranking all users'
            validation items among all items.
        """

    def batches(self, samples: int) -> int:
        """Steps over this many samples; the last batch may be smaller."""
        return -(-samples // self.batch_size)

    def group(self, steps: int | None = None) -> int:
        """Samples of a group of steps.

        Args:
            steps: How many; by default as for `STEPS`, and on a GPU without the smaller last batch,
                whose step would not be comparable.
        """
        full_batches = max(1, self.samples // self.batch_size)
        steps = steps or (full_batches if self.device.type == "cuda" else STEPS)
        return min(self.samples, steps * self.batch_size)

    def round(self, steps: int | None = None) -> dict[str, float]:
        """Take a group of steps, then rank.

        Returns:
            Seconds of a `step`, absent where there are no samples, of the `evaluation`, and of an
            `epoch` computed from them.
        """
        samples = self.group(steps)
        preparation, training, evaluation = self.pass_over(samples)
        step = training / max(1, self.batches(samples))
        epoch = preparation + step * self.batches(self.samples) + evaluation
        seconds = {"evaluation": evaluation, "epoch": epoch}
        return seconds | ({"step": step} if samples else {})

    def epoch(self) -> float:
        """Seconds of a whole epoch."""
        return sum(self.pass_over(self.samples))

    def memory(self) -> dict[str, Any]:
        """Peak bytes as `elcrec.usage.peak_memory` gives them."""
        return peak_memory(self.device)


class ProcessError(InputError):
    """The process failed, ended or took too long; the message says which, in one line."""


class Process(AbstractContextManager["Process"]):
    """A child process that ends with the block: `with Process(...) as worker: worker.ask(...)`."""

    def __init__(self, name: str, kind: Callable[..., Asked], seconds: float | None = None) -> None:
        """Start a new Python process, which shares no memory with this one.

        Args:
            name: Its name in error messages.
            kind: Makes the side from the arguments of the first request, which is answered with the
                side's `about`. The child process imports it by name.
            seconds: Wall-clock limit after which it is stopped; None: no limit.
        """
        self.name, self.seconds, self.begin = name, seconds, time.monotonic()
        context = multiprocessing.get_context("spawn")
        self.pipe, child_end = context.Pipe()
        self.child = context.Process(target=serve, args=(child_end, kind), daemon=True)
        self.child.start()
        child_end.close()  # the child alone has it, so the pipe ends with the child

    def __exit__(self, *error: object) -> None:
        self.child.kill()
        self.child.join()
        self.pipe.close()

    def ask(self, method: str, **arguments: Any) -> Any:
        """Run one method of the side and return its answer.

        Args:
            method: Name of the method; for the first request any word, such as `build`.
            arguments: Its arguments.

        Raises:
            ProcessError: It answered with an error, ended, or took too long.
        """
        timeout = self.seconds and max(0.0, self.begin + self.seconds - time.monotonic())
        try:
            self.pipe.send((method, arguments))
            if not self.pipe.poll(timeout):
                raise ProcessError(f"{self.name}: stopped, not finished after {self.seconds:.0f} s")
            answer, failure = self.pipe.recv()
        except (EOFError, ConnectionError):
            self.child.join()
            killed = self.child.exitcode == -signal.SIGKILL
            exited = f"exited with status {self.child.exitcode}"
            failure = "was killed, perhaps out of memory" if killed else exited
        if failure:
            raise ProcessError(f"{self.name}: {failure}")
        return answer


def serve(pipe: Connection, kind: Callable[..., Asked]) -> None:
    """Answer each request with a result or a one-line error, until the pipe is closed."""
    devnull = os.open(os.devnull, os.O_WRONLY)  # discards what libraries and other code print
    os.dup2(devnull, 1)
    os.dup2(devnull, 2)
    side: Asked | None = None
    with suppress(EOFError):
        while True:
            method, arguments = pipe.recv()
            try:
                if side is None:
                    side = kind(**arguments)
                    pipe.send((side.about(), None))
                else:
                    pipe.send((getattr(side, method)(**arguments), None))
            except InputError as error:
                pipe.send((None, str(error)))
            except (Exception, SystemExit) as error:
                pipe.send((None, f"{type(error).__name__}: {' '.join(str(error).split())}"))
