"""The thing that is measured: a model with its data, run as a training runs it.

Steps are those of `elcrec.training.loop.train_epoch`, evaluations those of
`elcrec.evaluation.ranking`. Nothing is read from the device inside a step: a group of steps is
timed as a whole, between two synchronisations.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import torch
from torch import Tensor

from elcrec.bench import operators
from elcrec.bench.generate import generate, shuffled
from elcrec.bench.job import Job
from elcrec.bench.peaks import Peaks
from elcrec.config.config import Config
from elcrec.data.histories import InteractionData
from elcrec.data.sequences import Sequences, read_sequences
from elcrec.evaluation.ranking import Evaluator
from elcrec.evaluation.tiles import SCORE_MEMORY
from elcrec.jobs.device import choose
from elcrec.jobs.environment import environment
from elcrec.jobs.run import choose_kernels
from elcrec.models.interface import Context, SequenceModel
from elcrec.runs.fingerprint import fingerprint
from elcrec.runs.settings import module_reference
from elcrec.training.step import Step, make_optimiser, make_step, train_epoch
from elcrec.usage import Stopwatch

STEPS = 10
"""Steps of a group on a processor; on a GPU, where they are short, those of a whole epoch."""

WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
"""Variables that say how OpenMP's threads wait for each other."""

GRAPH_EPOCHS = 4
"""Epochs until the last one's smaller batch, too, is replayed from a graph: see
`elcrec.training.graph`."""


class Subject:
    """A model on a data set; all times are wall-clock seconds, all sizes bytes."""

    def __init__(self, job: Job) -> None:
        """Read or generate the data, build the model with random weights, plan the evaluation.

        A model that starts from another one's weights starts from random ones here: time and
        memory do not depend on their values.

        Raises:
            InputError: A configuration, model, setting or device that is not right.
        """
        self.job = job
        config, self.settings = job.resolve()
        self.device = choose(job.device, job.threads or config.threads)
        self.imported = psutil.Process().memory_info().rss
        begin = time.perf_counter()
        self.data = InteractionData(_sequences(config, job), self.device)
        torch.manual_seed(job.seed)
        build = self.settings.build
        self.model = build(self.data.n_users, self.data.item_size).to(self.device)
        self.kernels = choose_kernels(self.model, job.kernels or config.kernels, self.device)
        self.peaks = Peaks(self.device)
        protocol = self.model.protocol or config.protocol
        self.evaluator = Evaluator(self.data, "valid", self.model.max_length, protocol)  # type: ignore[arg-type]
        self.prepared = time.perf_counter() - begin
        generator = torch.Generator(self.device).manual_seed(job.seed)
        self.context = Context(self.data, generator, job.seed, Stopwatch(self.device))
        self.optimiser: torch.optim.Optimizer | None = None
        self.step: Step | None = None
        self.epochs = 0

    def about(self) -> dict[str, Any]:
        """What is measured, where and by which code."""
        return {
            "model": self.settings.model,
            "name": self.settings.name,
            "dataset": self.job.dataset,
            "seed": self.job.seed,
            "users": self.data.n_users,
            "items": self.data.n_items,
            "actions": len(self.data.host_items),
            "samples": self.model.n_samples(self.data),
            "steps_per_epoch": self._steps_of(self.model.n_samples(self.data)),
            "parameters": sum(p.numel() for p in self.model.parameters()),
            "settings": self.settings.as_dict(),
            "seconds_to_prepare": self.prepared,
            "kernels": self.kernels,
            "precision": self.settings.precision,
            "torch_device": str(self.device),
            "waiting": {name: os.environ.get(name) for name in WAITING},
            "memory_available": self._available(),
            "fingerprint": fingerprint(module_reference(self.settings)),
            "environment": environment(self.device, list(self.job.command)),
        }

    def start(self) -> dict[str, Any]:
        """Do what a training does before its first step; seconds of both hooks.

        `uncounted_epochs`: how many whole epochs have to go before those that count.
        """
        torch.manual_seed(self.job.seed)
        self.model.train()
        training = self._timed(lambda: self.model.start_training(self.context))
        self.optimiser = make_optimiser(self.model, self.settings.training)
        self.step = make_step(
            self.model, self.context, self.optimiser, self.job.graphs, self.settings.precision
        )
        uncounted = GRAPH_EPOCHS if self.job.graphs and self.device.type == "cuda" else 0
        started = {"start_training": training, "start_epoch": self._start_epoch()}
        return {**started, "uncounted_epochs": uncounted}

    def steps(self, count: int | None = None) -> dict[str, Any]:
        """Take a group of steps, as many as `STEPS` says by default; None where there are none."""
        samples, batch = self.model.n_samples(self.data), self.settings.training.batch_size
        if self.optimiser is None or not samples:
            return {"count": 0, "seconds_per_step": None}
        if count is None:  # whole batches: a smaller one would be a step of another kind
            count = max(1, samples // batch) if self.device.type == "cuda" else STEPS
        samples = min(samples, count * batch)
        with limited(self.model, samples):
            seconds = self._timed(self._train)
        taken = self._steps_of(samples)
        return {"count": taken, "seconds_per_step": seconds / taken}

    def evaluate(self, record: bool = False) -> dict[str, Any]:
        """Rank all users' validation items; with `record` also measure the memory that it takes.

        `memory_bytes`: beside model, data and plan; `score_bytes`: the largest tensor of scores,
        and `stated_bytes`: what it may be.
        """
        taken = {"seconds": 0.0}

        def rank() -> None:
            taken["seconds"] = self._timed(lambda: self.evaluator.ranks(self.model))

        if not record:
            rank()
            return taken
        with largest_scores(self.model) as largest:
            memory = self.peaks.of(rank)
        stated = SCORE_MEMORY.get(self.device.type, SCORE_MEMORY["cpu"])
        sizes = {"memory_bytes": memory, "score_bytes": max(largest), "stated_bytes": stated}
        return taken | sizes

    def epoch(self) -> dict[str, Any]:
        """A whole epoch: what comes before it, all steps, validation."""
        start = self._start_epoch()
        training = self._timed(self._train)
        evaluation = self._timed(lambda: self.evaluator.ranks(self.model))
        parts = {"start_epoch": start, "training": training, "evaluation": evaluation}
        return {**parts, "total": sum(parts.values())}

    def memory(self) -> dict[str, Any]:
        """Peak bytes so far, and how many of the resident ones were there before the data."""
        return {**self.peaks.all(), "imported_bytes": self.imported}

    def profile(self, count: int = 3) -> dict[str, Any]:
        """`profile`: operators of steps (`elcrec.bench.operators`); None where there are none."""
        if self.optimiser is None or not self.model.n_samples(self.data):
            return {"profile": None}

        def run(steps: int) -> None:
            self.steps(steps)

        return {"profile": operators.profile(run, count, self.device)}

    def sizes(self) -> dict[str, Any]:
        """Bytes of what is held: see `elcrec.bench.capacity`, which reckons with them."""
        users = self.data.n_users
        histories = operators.tensor_bytes(self.data)
        return {
            "bytes_per_user": (histories + operators.tensor_bytes(self.evaluator)) / users,
            "activation_bytes": self._activations(),
        }

    def _activations(self) -> int:
        """Bytes that the graph of one full batch keeps for its backward pass, weights left out."""
        samples = min(self.model.n_samples(self.data), self.settings.training.batch_size)
        batch = self.model.batch(torch.arange(samples, device=self.device), self.context)
        own = {p.untyped_storage().data_ptr() for p in self.model.parameters()}
        kept: dict[int, int] = {}
        tensors: list[Tensor] = []  # alive, so that no address is used twice

        def keep(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                kept[storage.data_ptr()] = storage.nbytes()
                tensors.append(tensor)
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            self.model.loss(batch)
        return sum(kept.values())

    def _available(self) -> int:
        """Bytes that are still free where the model is."""
        if self.device.type == "cuda":
            return torch.cuda.mem_get_info(self.device)[0]
        return int(psutil.virtual_memory().available)

    def _start_epoch(self) -> float:
        number, self.epochs = self.epochs, self.epochs + 1
        return self._timed(lambda: self.model.start_epoch(number, self.context))

    def _train(self) -> None:
        size = self.settings.training.batch_size
        train_epoch(self.step, size, self.epochs)

    def _steps_of(self, samples: int) -> int:
        return -(-samples // self.settings.training.batch_size)

    def _timed(self, action: Callable[[], object]) -> float:
        watch = Stopwatch(self.device)
        with watch("it"):
            action()
        return watch.seconds["it"]


@contextmanager
def limited(model: SequenceModel, samples: int) -> Iterator[None]:
    """Let an epoch of `model` have only its first so many samples.

    Users are in random order (see `shuffled`), so the first ones stand for all.
    """
    vars(model)["n_samples"] = lambda data: samples  # goes before the method of the class
    try:
        yield
    finally:
        del vars(model)["n_samples"]


@contextmanager
def largest_scores(model: SequenceModel) -> Iterator[list[int]]:
    """Collect the bytes of every tensor of scores that `model` makes."""
    found = [0]
    score_items = model.score_items

    def recorded(represented: Tensor, first: int, last: int) -> Tensor:
        scores = score_items(represented, first, last)
        found[0] = max(found[0], scores.nbytes)
        return scores

    vars(model)["score_items"] = recorded
    try:
        yield found
    finally:
        del vars(model)["score_items"]


def _sequences(config: Config, job: Job) -> Sequences:
    if job.generated:
        return generate(job.generated.users, job.generated.items, job.seed)
    return shuffled(read_sequences(config.sequences_file(job.dataset)), job.seed)
