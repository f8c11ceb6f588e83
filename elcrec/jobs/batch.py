"""`elcrec batch PLAN`: many runs in one process, side by side on one device; it can resume.

A plan is a YAML list; each entry names data sets, models and seeds, and stands for all their
combinations, data set by data set. What an entry leaves out is taken from the configuration:

    - {datasets: [beauty], models: [elcrec, iclrec, sasrec]}
    - {datasets: [toys, sports], models: [elcrec], seeds: [1]}

Results go to the run folders of the workflow, which accepts them as done (only with
`--rerun-triggers mtime` if it remembers making the same files with other code or settings).
"""

import functools
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field

from elcrec.config.config import Config
from elcrec.config.names import DatasetName, Known, ModelName
from elcrec.config.sections import Seed
from elcrec.data.histories import InteractionData
from elcrec.errors import InputError
from elcrec.files.checked import Section, check, in_file
from elcrec.files.jsonfile import read_object
from elcrec.files.lock import HeldError, held
from elcrec.files.yamlfile import read
from elcrec.jobs.folder import TakenError, fill, is_recorded, refuse_others, write_failure
from elcrec.jobs.progress import Progress, title
from elcrec.jobs.run import make_run
from elcrec.runs.settings import resolve
from elcrec.training.deadline import Deadline, OutOfTimeError
from elcrec.training.lanes import side_by_side
from elcrec.training.turns import Turns


class Entry(Section):
    """An entry of a plan; what it leaves out comes from the configuration."""

    datasets: Annotated[list[DatasetName], Field(min_length=1)] = []
    models: Annotated[list[ModelName], Field(min_length=1)] = []
    seeds: Annotated[list[Seed], Field(min_length=1)] = []


@dataclass(frozen=True)
class Planned:
    """A run that a plan asks for."""

    dataset: str
    model: str
    seed: int

    def __str__(self) -> str:
        return f"{self.dataset} {self.model} seed {self.seed}"


@dataclass
class Outcome:
    """What became of the runs of a plan."""

    present: list[Planned] = field(default_factory=list)
    """Runs that existed before."""
    done: list[Planned] = field(default_factory=list)
    failed: dict[Planned, str] = field(default_factory=dict)
    """With the reason."""
    unfinished: list[Planned] = field(default_factory=list)
    """Stopped by the time limit or never begun."""


def read_plan(path: Path, config: Config) -> list[Planned]:
    """The runs of a plan, each once and in order; a run that another starts from comes before it.

    Raises:
        InputError: Not a plan, or a wrong data set, model or setting.
    """
    known = Known(config.datasets, config.model_files)
    entries: list[Entry] = check(
        Annotated[list[Entry], Field(min_length=1)],
        read(path),
        in_file(path),
        known,
    )
    planned: dict[Planned, None] = {}
    for entry in entries:
        models, seeds = entry.models or config.models, entry.seeds or config.seeds
        for dataset, model, seed in product(entry.datasets or config.use, models, seeds):
            for run in _with_start(Planned(dataset, model, seed), config):
                planned[run] = None
    return list(planned)


def _with_start(run: Planned, config: Config) -> list[Planned]:
    start = _start_of(run, config)
    return [*(_with_start(start, config) if start else []), run]


def _start_of(run: Planned, config: Config) -> Planned | None:
    """The run whose weights this one starts from."""
    model = resolve(config, run.model, run.dataset).starts_from
    return Planned(run.dataset, model, run.seed) if model else None


_read = functools.cache(InteractionData.read)  # all runs on a data set share its tensors


@dataclass
class Batch:
    """A plan that is being carried out."""

    config: Config
    device: torch.device
    """Device of all runs."""
    at_once: int
    """Maximum number of runs at a time."""
    deadline: Deadline | None = None
    """When to stop with checkpoints."""
    force: bool = False
    """Also replace runs made with other settings, data or code."""
    outcome: Outcome = field(default_factory=Outcome, init=False)
    stopped: bool = field(default=False, init=False)
    """A run has reached the deadline, so no other is started."""

    def carry_out(self, plan: Iterable[Planned]) -> Outcome:
        """Train the missing runs; a run that fails does not stop the others."""
        waiting: list[Planned] = []
        for planned in plan:
            self.config.prepared_file(planned.dataset)
            start_is_waiting = _start_of(planned, self.config) in waiting
            is_finished = not start_is_waiting and self._is_finished(planned)
            (self.outcome.present if is_finished else waiting).append(planned)
        begin, ready = self._turns, self._is_ready
        for planned, outcome in side_by_side(waiting, begin, self.at_once, self.device, ready):
            waiting.remove(planned)
            if isinstance(outcome, Exception):
                self._failed(planned, outcome)
            else:
                self._done(planned, outcome)
        for planned in waiting:
            start = _start_of(planned, self.config)
            if start in self.outcome.failed:
                self._failed(planned, InputError(f"starts from {start}, which failed"))
            else:
                self.outcome.unfinished.append(planned)
        return self.outcome

    def _is_finished(self, planned: Planned) -> bool:
        try:
            run = make_run(self.config, planned.dataset, planned.model, planned.seed)
        except InputError:  # what it starts from does not exist yet
            return False
        return is_recorded(self._folder(planned), run, self._data(planned))

    def _is_ready(self, planned: Planned) -> bool:
        """Whether there is time to begin, and what it starts from exists."""
        if self.stopped or (self.deadline and self.deadline.comes_within(0)):
            return False
        start = _start_of(planned, self.config)
        return start in (None, *self.outcome.present, *self.outcome.done)

    def _turns(self, planned: Planned) -> Turns[dict[str, Any]]:
        """Carry out a run; returns its metrics."""
        run = make_run(self.config, planned.dataset, planned.model, planned.seed)
        progress = Progress(title(run, self.config), run.settings.training, bar=False)
        folder, data = self._folder(planned), self._data(planned)
        with held(folder, wait=False):
            if is_recorded(folder, run, data):  # by another process, since the plan was started
                return read_object(folder / "metrics.json")
            if not self.force:
                refuse_others(folder, run, data)
            return (
                yield from fill.in_turns(folder, run, data, progress, self.deadline, self.at_once)
            )

    def _done(self, planned: Planned, metrics: dict[str, Any]) -> None:
        self.outcome.done.append(planned)
        text = "  ".join(f"{key} {value:.4f}" for key, value in metrics["metrics"]["test"].items())
        print(f"{planned}: {text}  ({metrics['seconds']['total']:.0f} s)", flush=True)

    def _failed(self, planned: Planned, error: Exception) -> None:
        if isinstance(error, OutOfTimeError | HeldError):
            self.stopped |= isinstance(error, OutOfTimeError)
            self.outcome.unfinished.append(planned)
            prefix = "left out: " if isinstance(error, HeldError) else ""
        else:
            self.outcome.failed[planned] = f"{type(error).__name__}: {error}"
            if not isinstance(error, TakenError):
                write_failure(self._folder(planned), error)
            prefix = "failed: "
        print(f"{planned}: {prefix}{error}", file=sys.stderr, flush=True)

    def _data(self, planned: Planned) -> InteractionData:
        return _read(self.config.prepared_file(planned.dataset), self.device)

    def _folder(self, planned: Planned) -> Path:
        return self.config.run_folder(planned.dataset, planned.model, planned.seed)
