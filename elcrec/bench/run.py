"""`elcrec bench`: one model after the other, each in a process of its own."""

from __future__ import annotations

import os
import sys
from typing import Any

from elcrec.bench import rounds
from elcrec.bench.job import Job
from elcrec.bench.process import Process
from elcrec.config import ROOT
from elcrec.errors import InputError

PROFILED_STEPS = 3


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
