"""This project's models as a side of a measurement, and the job that describes one.

Steps are those of `elcrec.training.step.train_epoch`, evaluations those of
`elcrec.evaluation.ranking`.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple, Self

import psutil
import torch

from elcrec.bench import operators
from elcrec.bench.generate import generate, shuffled
from elcrec.bench.side import SEED, Side
from elcrec.config.config import Config, load_config
from elcrec.data.histories import InteractionData
from elcrec.data.sequences import read_sequences
from elcrec.evaluation.ranking import Evaluator
from elcrec.jobs.device import choose
from elcrec.jobs.environment import environment
from elcrec.jobs.run import choose_kernels
from elcrec.models.interface import Context
from elcrec.runs.fingerprint import fingerprint
from elcrec.runs.settings import RunSettings, add_model_file, module_reference, resolve
from elcrec.training.graph import WARM_UP
from elcrec.training.loop import new_model
from elcrec.training.step import Step, make_optimiser, make_step, train_epoch
from elcrec.usage import Stopwatch, reset_peak_memory

GRAPH_EPOCHS = 4
"""Epochs until even the smaller last batch is replayed from a graph: see
`elcrec.training.graph`."""


class Generated(NamedTuple):
    """Size of a data set that is generated instead of read."""

    users: int
    items: int
    """The largest item id."""


@dataclass(frozen=True)
class Job:
    """One model on one data set."""

    dataset: str
    """Data set whose settings the model uses, and whose histories, unless they are generated."""
    model: str
    """Model id, or a path to its YAML file."""
    config: tuple[str, ...] = ()
    """Configuration files, merged into the default one."""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """Values by key of the parameters or of the training settings."""
    device: str = "auto"
    threads: int | None = None
    """CPU threads; None: as the configuration says."""
    kernels: str | None = None
    """`plain` or `native` (`elcrec.models.native`); None: as the configuration says."""
    graphs: bool | None = None
    precision: str | None = None
    """For both, None: as the configuration says."""
    generated: Generated | None = None

    def changed(self, generated: Generated, **overrides: Any) -> Self:
        """The same with other data and some settings changed."""
        return replace(self, generated=generated, overrides={**self.overrides, **overrides})

    def resolve(self) -> tuple[Config, RunSettings]:
        """The configuration, and the settings of the model in it.

        Raises:
            InputError: A configuration, model or setting is invalid.
        """
        options = {key: getattr(self, key) for key in ("graphs", "precision")}
        replacements = {key: value for key, value in options.items() if value is not None}
        config = load_config(self.config).replaced(**replacements)
        model = add_model_file(config, self.model)
        return config, resolve(config, model, self.dataset, self.overrides)

    def check(self) -> None:
        """Find what is wrong before anything is measured.

        Raises:
            InputError: As for `resolve`, or the data set is unknown or missing.
        """
        self.resolve()[0].prepared_file(self.dataset)


class Subject(Side):
    """A model on a data set."""

    def __init__(self, job: Job) -> None:
        """Read or generate the data, build the model with random weights, plan the evaluation.

        A model that starts from another one's weights starts from random ones here: time and
        memory do not depend on the values.

        Raises:
            InputError: A configuration, model, setting or device is invalid.
        """
        self.job = job
        self.config, self.settings = job.resolve()
        self.device = choose(job.device, job.threads or self.config.threads)
        self.imported = psutil.Process().memory_info().rss
        begin = time.perf_counter()
        if job.generated:
            sequences = generate(*job.generated, seed=SEED)
        else:
            sequences = shuffled(read_sequences(self.config.sequences_file(job.dataset)), SEED)
        self.data = InteractionData(sequences, self.device)
        kind, parameters = self.settings.module.Model, self.settings.parameters
        self.model = new_model(kind, parameters, self.data, SEED)
        kernels = job.kernels or self.config.kernels
        self.kernels = choose_kernels(self.model, kernels, self.device)
        reset_peak_memory(self.device)
        protocol = self.model.ranked_by(self.config.protocol)
        self.evaluator = Evaluator(self.data, "valid", self.model.max_length, protocol)
        self.prepared = time.perf_counter() - begin
        generator = torch.Generator(self.device).manual_seed(SEED)
        self.context = Context(self.data, generator, SEED, Stopwatch(self.device))
        self.batch_size = self.settings.training.batch_size
        trained = any(p.requires_grad for p in self.model.parameters())
        self.samples = self.model.n_samples(self.data) if trained else 0
        self.step: Step | None = None
        self.epochs = 0
        self.losses: dict[str, float] = {}
        self.uncounted = GRAPH_EPOCHS if self.config.graphs and self.device.type == "cuda" else 0

    def about(self) -> dict[str, Any]:
        """What is measured, where and by which code."""
        cuda, free = self.device.type == "cuda", psutil.virtual_memory().available
        return {
            "model": self.settings.model,
            "name": self.settings.name,
            "dataset": self.job.dataset,
            "users": self.data.n_users,
            "items": self.data.n_items,
            "steps_per_epoch": self.batches(self.samples),
            "parameters": sum(p.numel() for p in self.model.parameters()),
            "settings": self.settings.as_dict(),
            "seconds_to_prepare": self.prepared,
            "kernels": self.kernels,
            "graphs": self.config.graphs,
            "torch_device": str(self.device),
            "memory_available": torch.cuda.mem_get_info(self.device)[0] if cuda else free,
            "fingerprint": fingerprint(module_reference(self.settings)),
            "environment": environment(self.device),
        }

    def start(self, steps: int | None = None) -> float:
        """Start a training; the seconds in which PyTorch imports Adam's code are not counted."""
        seconds = self.begin()
        self.round(steps)
        return seconds

    def begin(self) -> float:
        """Seconds of the work before the first step; takes no step."""
        with (watch := Stopwatch(self.device))("start"):
            self.model.train()
            self.model.start_training(self.context)
        optimiser = make_optimiser(self.model, self.settings.training)
        graphs, precision = self.config.graphs, self.settings.precision
        self.step = make_step(self.model, self.context, optimiser, graphs, precision)
        return watch.seconds["start"]

    def pass_over(self, samples: int) -> tuple[float, float, float]:
        """An epoch of the first users, who are representative: see `shuffled`."""
        watch = Stopwatch(self.device)
        with watch("before"):
            self.model.start_epoch(self.epochs, self.context)
        self.epochs += 1
        vars(self.model)["n_samples"] = lambda data: samples  # overrides the class's method
        try:
            with watch("training"):
                self.losses = train_epoch(self.step, self.batch_size)
        finally:
            del vars(self.model)["n_samples"]
        with watch("ranking"):
            self.evaluator.ranks(self.model)
        return watch.seconds["before"], watch.seconds["training"], watch.seconds["ranking"]

    def epoch(self) -> float:
        """A whole epoch; those that capture graphs come first and are not counted."""
        while self.uncounted:
            self.uncounted -= 1
            super().epoch()
        return super().epoch()

    def memory(self) -> dict[str, Any]:
        """Peak bytes, and the resident bytes in use before the data was read."""
        return {**super().memory(), "imported_bytes": self.imported}

    def profile(self, steps: int = 3) -> dict[str, Any] | None:
        """Operators of steps, see `elcrec.bench.operators`; None for a model without steps."""
        if self.step is None:
            return None
        count = self.group()
        samples = torch.arange(min(count, self.batch_size), device=self.device)
        step = partial(self.step, samples, len(samples) / count)
        for _ in range(WARM_UP + 1):  # afterwards it is captured in a graph, if requested
            step()
        return operators.profile(step, steps, self.device)
