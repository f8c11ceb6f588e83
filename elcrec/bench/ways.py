"""A model trained in every way a device supports, and several trainings side by side on it.

Runs in its own process (`elcrec.bench.side.Process`), because a GPU that has failed once can no
longer be used in that process.
"""

import time
from dataclasses import replace
from typing import Any

import torch

from elcrec.bench.subject import GRAPH_EPOCHS, Job, Subject
from elcrec.jobs.device import choose
from elcrec.jobs.environment import environment
from elcrec.training.lanes import side_by_side
from elcrec.training.step import train_epoch
from elcrec.training.turns import Turns
from elcrec.usage import give_back, reset_peak_memory, spread

BATCHES = 16
"""Steps of an epoch of `Ways.epochs`: enough for a mean, few enough for a CPU."""
ROUNDS = 3
"""Timed epochs."""


class Ways:
    """Trains models from their initial weights, which are the same on every device."""

    def __init__(self, device: str, threads: int | None = None) -> None:
        self.device = choose(device, threads)

    def about(self) -> dict[str, Any]:
        """The machine, with the software on it."""
        return environment(self.device)

    def epochs(self, job: Job) -> dict[str, Any]:
        """Train a few epochs of `BATCHES` steps.

        Returns:
            `loss`: mean of the total over the first epoch, None for a model that is not trained;
            `step`: seconds, spread over the timed epochs; `evaluation`: median seconds; `steps`
            of a whole epoch; `epochs`: maximum of its training; `peak_memory`.
        """
        subject = self._started(job)
        samples = min(subject.samples, BATCHES * subject.batch_size)
        subject.pass_over(samples)
        loss = subject.losses.get("total")
        gpu = subject.device.type == "cuda"
        for _ in range(GRAPH_EPOCHS - 1 if gpu else 0):
            subject.pass_over(samples)
        rounds = [subject.pass_over(samples) for _ in range(ROUNDS if gpu else 1)]
        steps = max(1, subject.batches(samples))
        return {
            "loss": loss,
            "step": spread([training / steps for _, training, _ in rounds]),
            "evaluation": spread([ranking for *_, ranking in rounds])["median"],
            "steps": subject.batches(subject.samples),
            "epochs": subject.settings.training.max_epochs,
            "peak_memory": subject.memory(),
        }

    def side_by_side(self, job: Job, count: int) -> dict[str, Any]:
        """Train `count` whole epochs side by side, after some that warm up.

        Returns:
            `seconds` of all together; `peak_memory`.
        """
        subjects = [self._started(job) for _ in range(count)]
        for subject in subjects:
            subject.model.start_epoch(0, subject.context)
        reset_peak_memory(self.device)
        for _ in range(GRAPH_EPOCHS):
            seconds = self._train_together(subjects)
        return {"seconds": seconds, "peak_memory": subjects[0].memory()}

    def _started(self, job: Job) -> Subject:
        give_back(self.device)
        subject = Subject(replace(job, threads=job.threads or torch.get_num_threads()))
        subject.begin()
        return subject

    def _train_together(self, subjects: list[Subject]) -> float:
        begin = time.perf_counter()
        for _, outcome in side_by_side(subjects, _one_epoch, len(subjects), self.device):
            if isinstance(outcome, Exception):
                raise outcome
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter() - begin


def _one_epoch(subject: Subject) -> Turns[dict[str, float]]:
    return train_epoch.in_turns(subject.step, subject.batch_size)
