"""`elcrec train`, `elcrec batch`, `elcrec measure` and `elcrec try`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import elcrec.efficiency
import elcrec.grid
from elcrec.atomic import write_text
from elcrec.batch import Batch, read_plan
from elcrec.config import Config, load_config
from elcrec.dataset import InteractionData
from elcrec.deadline import EXIT_STATUS, Deadline, OutOfTimeError
from elcrec.device import choose
from elcrec.errors import InputError
from elcrec.lock import held
from elcrec.progress import Progress
from elcrec.registry import add_model_file, parse_overrides
from elcrec.run import Run, execute, load_data, make_run
from elcrec.run_folder import CHECKPOINTS, forget_failure, is_recorded, write, write_failure


def train(arguments: argparse.Namespace) -> None:
    """Train, test, write the run folder and print the test metrics."""
    if arguments.set and not arguments.output:
        raise InputError("--set: name a folder by --output, so that no run is replaced")
    config, model = _configure(arguments)
    run, data = _prepare(arguments, config, model)
    folder = arguments.output or config.run_folder(run.dataset, run.settings.model, run.seed)
    title = f"{run.settings.name} {config.dataset_name(run.dataset)} seed {run.seed}"
    training = run.settings.training
    deadline = _deadline(arguments)
    with held(folder) as others:
        if others and is_recorded(folder, run, data):
            print(f"{title}: another process has made it meanwhile -> {folder}")
            return
        with Progress(title, training.max_epochs, training.select_by, arguments.quiet) as progress:
            record = _train(run, data, progress, folder, deadline)
    metrics = record["metrics"]
    shown = "  ".join(f"{k} {v:.4f}" for k, v in metrics["metrics"]["test"].items())
    print(f"{title}: {shown}  (epoch {metrics['best_epoch']} of {metrics['epochs']}) -> {folder}")


def _train(
    run: Run, data: InteractionData, progress: Progress, folder: Path, deadline: Deadline | None
) -> dict[str, Any]:
    """Train and write the run folder; a failure leaves its reason there."""
    forget_failure(folder)
    try:
        record = execute(run, data, progress, folder / CHECKPOINTS, deadline=deadline)
        write(folder, run, record, data.device)
    except OutOfTimeError:
        raise
    except Exception as error:
        write_failure(folder, error)
        raise
    return record


def batch(arguments: argparse.Namespace) -> int:
    """Carry out a plan; the exit status says whether all its runs are there."""
    if arguments.at_once < 1:
        raise InputError(f"--at-once {arguments.at_once}: must be 1 or more")
    deadline = _deadline(arguments)
    config = _load(arguments)
    plan = read_plan(arguments.plan, config)
    device = choose(arguments.device, arguments.threads or config.threads)
    outcome = Batch(config, device, arguments.at_once, deadline).carry_out(plan)
    print(
        f"{len(outcome.done)} runs done, {len(outcome.present)} were there, "
        f"{len(outcome.failed)} failed, {len(outcome.unfinished)} not finished"
    )
    for planned, reason in outcome.failed.items():
        print(f"elcrec: {planned}: {reason}", file=sys.stderr)
    if outcome.failed:
        return 1
    return EXIT_STATUS if outcome.unfinished else 0


def measure(arguments: argparse.Namespace) -> None:
    """Measure epochs of a run and write the efficiency file."""
    config, model = _configure(arguments)
    run, data = _prepare(arguments, config, model)
    epochs = config.efficiency.epochs if arguments.epochs is None else arguments.epochs
    if epochs < 1:
        raise InputError(f"--epochs {epochs}: must be 1 or more")
    record = elcrec.efficiency.measure(run, data, epochs)
    write_text(arguments.output, json.dumps(record, indent=2) + "\n")
    median = record["seconds_per_epoch"]["total"]["median"]
    print(f"{run.settings.name} {run.dataset}: {median:.2f} s per epoch -> {arguments.output}")


def try_point(arguments: argparse.Namespace) -> None:
    """Train one point of a model's grid and write its validation metrics."""
    config, model = _configure(arguments)
    points = elcrec.grid.read_grid(config, model, arguments.dataset).points
    if not 1 <= arguments.point <= len(points):
        raise InputError(f"--point {arguments.point}: {model} has {len(points)} points in its grid")
    point = points[arguments.point - 1]
    run, data = _prepare(arguments, config, model, point)
    training = run.settings.training
    shown = " ".join(f"{key}={value}" for key, value in point.items())
    title = f"{run.settings.name} {config.dataset_name(run.dataset)} {shown}"
    with Progress(title, training.max_epochs, training.select_by, arguments.quiet) as progress:
        record = elcrec.grid.execute(run, data, point, progress)
    write_text(arguments.output, json.dumps(record, indent=2) + "\n")
    score = record["valid"][training.select_by]
    print(f"{title}: validation {training.select_by} {score:.4f} -> {arguments.output}")


def _deadline(arguments: argparse.Namespace) -> Deadline | None:
    minutes = arguments.time_limit
    if minutes is None:
        return None
    if not minutes > 0:
        raise InputError(f"--time-limit {minutes:g}: must be above 0 (minutes)")
    return Deadline.after(minutes)


def _configure(arguments: argparse.Namespace) -> tuple[Config, str]:
    """The configuration, and the id of the model in it."""
    config = _load(arguments)
    return config, add_model_file(config, arguments.model)


def _load(arguments: argparse.Namespace) -> Config:
    """The configuration, if it may train."""
    config = load_config(arguments.config)
    if config.runs == "recorded":
        raise InputError(f"{config.layers.where('runs')}: is recorded; to train it must be trained")
    return config


def _prepare(
    arguments: argparse.Namespace,
    config: Config,
    model: str,
    point: Mapping[str, Any] | None = None,
) -> tuple[Run, InteractionData]:
    """Check everything before any work starts, then load the data."""
    overrides = {**parse_overrides(arguments.set), **(point or {})}
    run = make_run(
        config,
        arguments.dataset,
        model,
        arguments.seed,
        overrides,
        arguments.start,
        arguments.kernels,
    )
    device = choose(arguments.device, arguments.threads or config.threads)
    return run, load_data(config, arguments.dataset, device)
