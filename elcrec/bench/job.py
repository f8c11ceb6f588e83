"""What a measuring process is told to build, and how it is measured.

Plain values, so that they can be sent as JSON; one model after the other, each in a process of its
own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from elcrec import ROOT
from elcrec.bench import rounds
from elcrec.bench.process import Process
from elcrec.config.config import Config, load_config
from elcrec.errors import InputError
from elcrec.runs.settings import RunSettings, add_model_file, resolve

PROFILED_STEPS = 3


@dataclass(frozen=True)
class Generated:
    """Size of a data set that is generated instead of read."""

    users: int
    """Number of users."""
    items: int
    """Number of items: the largest item id."""


@dataclass(frozen=True)
class Job:
    """One model on one data set."""

    dataset: str
    """Data set whose settings the model takes, and whose histories, if none are generated."""
    model: str
    """Model id, or a path to its YAML file."""
    config: tuple[str, ...] = ()
    """Configuration files, merged into the default one."""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """Values by key of the parameters or of the training settings."""
    seed: int = 1
    device: str = "auto"
    threads: int | None = None
    """CPU threads; None: as the configuration says."""
    graphs: bool = False
    """Whether steps are taken from CUDA graphs (`elcrec.training.graph`); a GPU only."""
    kernels: str | None = None
    """`plain` or `native` (`elcrec.models.native`); None: as the configuration says."""
    command: tuple[str, ...] = ()
    """Command line, for the record."""
    generated: Generated | None = None

    def changed(self, generated: Generated, **overrides: Any) -> Job:
        """The same with other data and some settings changed."""
        return replace(self, generated=generated, overrides={**self.overrides, **overrides})

    def resolve(self) -> tuple[Config, RunSettings]:
        """The configuration, and the settings of the model in it.

        Raises:
            InputError: A configuration, model or setting that is not right.
        """
        config = load_config(self.config)
        model = add_model_file(config, self.model)
        return config, resolve(config, model, self.dataset, self.overrides)

    def as_dict(self) -> dict[str, Any]:
        """Plain values; `Job.read` takes them back."""
        return asdict(self)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Job:
        """Take back what `as_dict` gave, after a way through JSON."""
        size = values["generated"]
        return cls(
            **{
                **values,
                "config": tuple(values["config"]),
                "command": tuple(values["command"]),
                "generated": Generated(**size) if size else None,
            }
        )


def check(job: Job) -> None:
    """Find what is wrong before anything is measured.

    Raises:
        InputError: A configuration, model, setting or data set that is not right or not there.
    """
    if job.seed < 0:
        raise InputError(f"--seed {job.seed}: must be 0 or more")
    config, _ = job.resolve()
    config.dataset(job.dataset)
    if job.generated is None:
        config.prepared_file(job.dataset)


def measure(job: Job, plan: rounds.Plan, profile: bool = False) -> dict[str, Any]:
    """Measure one model.

    Args:
        job: What is measured.
        plan: How much.
        profile: Profile some steps, too, after everything else.

    Returns:
        What `elcrec.bench.subject.Subject.about` says; `seconds` (start_training, step, epoch,
        evaluation) as median, min and max; `epoch_is` measured or computed; peak bytes; and
        `profile` where asked for, None for a model that takes no steps.

    Raises:
        InputError: The process could not do it; the message says why.
    """
    with start_worker(job) as worker:
        about = worker.ask("build", job=job.as_dict())
        figures = rounds.alternate({"here": worker}, plan)["here"]
        record = {**about, **figures.report(about["steps_per_epoch"])}
        if profile:
            record["profile"] = worker.ask("profile", count=PROFILED_STEPS)["profile"]
    return record


def start_worker(job: Job) -> Process:
    """A process that measures this project's models; the caller lets it build the job."""
    # This project's folder first: a checkout that is not installed works, too.
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-P", "-m", "elcrec.bench.worker"]
    return Process(job.model, command, {"PYTHONPATH": os.pathsep.join(paths)})
