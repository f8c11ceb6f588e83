"""`elcrec train`, `elcrec batch`, `elcrec measure` and `elcrec try`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from elcrec.cli.options import (
    add_command,
    add_device,
    add_force,
    add_kernels,
    add_output,
    add_time_limit,
    check_trained,
    file_path,
    writing_to,
)
from elcrec.errors import InputError

if TYPE_CHECKING:
    from elcrec.config.config import Config
    from elcrec.data.histories import InteractionData
    from elcrec.jobs.run import Run
    from elcrec.training.deadline import Deadline


def run_train(arguments: argparse.Namespace) -> None:
    """Train, test, write the run folder and print the test metrics."""
    from elcrec.files.lock import held
    from elcrec.jobs.folder import fill, is_recorded, refuse_others, tidy
    from elcrec.jobs.progress import Progress, title

    if arguments.set and not arguments.output:
        raise InputError("--set: needs --output FOLDER, so that no other run is replaced")
    config, model = _configure(arguments)
    run, data = _prepare(arguments, config, model)
    folder = arguments.output or config.run_folder(run.dataset, run.settings.model, run.seed)
    name, deadline = title(run, config), _deadline(arguments)
    if not arguments.force:
        if is_recorded(folder, run, data):
            tidy(folder, run)
            print(f"{name}: already finished; --force trains it again -> {folder}")
            return
        refuse_others(folder, run, data)
    with held(folder) as was_held:
        # Another process may have finished it since the check above.
        if (was_held or not arguments.force) and is_recorded(folder, run, data):
            print(f"{name}: another process has finished it meanwhile -> {folder}")
            return
        if was_held and not arguments.force:
            refuse_others(folder, run, data)
        with Progress(name, run.settings.training, arguments.quiet) as progress:
            metrics = fill(folder, run, data, progress, deadline)
    scores = "  ".join(f"{k} {v:.4f}" for k, v in metrics["metrics"]["test"].items())
    print(f"{name}: {scores}  (epoch {metrics['best_epoch']} of {metrics['epochs']}) -> {folder}")


def run_batch(arguments: argparse.Namespace) -> int:
    """Carry out a plan; the exit status tells whether all its runs are finished."""
    from elcrec.jobs.batch import Batch, read_plan
    from elcrec.jobs.device import choose
    from elcrec.training.deadline import EXIT_STATUS

    if arguments.at_once < 1:
        raise InputError(f"--at-once {arguments.at_once}: must be 1 or more")
    deadline = _deadline(arguments)
    config = _load(arguments)
    plan = read_plan(arguments.plan, config)
    device = choose(arguments.device, arguments.threads or config.threads)
    batch = Batch(config, device, arguments.at_once, deadline, arguments.force)
    outcome = batch.carry_out(plan)
    print(
        f"{len(outcome.done)} runs done, {len(outcome.present)} already finished, "
        f"{len(outcome.failed)} failed, {len(outcome.unfinished)} not finished"
    )
    for planned, reason in outcome.failed.items():
        print(f"elcrec: {planned}: {reason}", file=sys.stderr)
    if outcome.failed:
        return 1
    return EXIT_STATUS if outcome.unfinished else 0


def run_measure(arguments: argparse.Namespace) -> None:
    """Measure epochs of a run and write the efficiency file."""
    from elcrec.files.atomic import write_json
    from elcrec.jobs import measure

    config, model = _configure(arguments)
    run, data = _prepare(arguments, config, model)
    epochs = config.efficiency.epochs if arguments.epochs is None else arguments.epochs
    if epochs < 1:
        raise InputError(f"--epochs {epochs}: must be 1 or more")
    with writing_to(arguments, config) as path:
        record = measure.measure(run, data, epochs)
        write_json(path, record)
    median = record["seconds_per_epoch"]["total"]["median"]
    print(f"{run.settings.name} {run.dataset}: {median:.2f} s per epoch -> {path}")


def run_try(arguments: argparse.Namespace) -> None:
    """Train one point of a model's grid and write its validation metrics."""
    from elcrec.files.atomic import write_json
    from elcrec.jobs.progress import Progress
    from elcrec.jobs.trial import try_point
    from elcrec.runs import grid

    config, model = _configure(arguments)
    points = grid.read_grid(config, model, arguments.dataset).points
    if not 1 <= arguments.point <= len(points):
        raise InputError(f"--point {arguments.point}: {model} has {len(points)} points in its grid")
    point = points[arguments.point - 1]
    run, data = _prepare(arguments, config, model, point)
    training = run.settings.training
    point_text = " ".join(f"{key}={value}" for key, value in point.items())
    title = f"{run.settings.name} {config.dataset_name(run.dataset)} {point_text}"
    with writing_to(arguments, config) as path:
        with Progress(title, training, arguments.quiet) as progress:
            record = try_point(run, data, point, progress)
        write_json(path, record)
    score = record["valid"][training.select_by]
    print(f"{title}: validation {training.select_by} {score:.4f} -> {path}")


def _deadline(arguments: argparse.Namespace) -> Deadline | None:
    from elcrec.training.deadline import Deadline

    minutes = arguments.time_limit
    if minutes is None:
        return None
    if not minutes > 0:
        raise InputError(f"--time-limit {minutes:g}: must be above 0 (minutes)")
    return Deadline.after(minutes)


def _configure(arguments: argparse.Namespace) -> tuple[Config, str]:
    """The configuration, and the id of the model in it."""
    from elcrec.runs.settings import add_model_file

    config = _load(arguments)
    return config, add_model_file(config, arguments.model)


def _load(arguments: argparse.Namespace) -> Config:
    """The configuration; refused if it uses recorded runs."""
    from elcrec.config.config import load_config

    config = load_config(arguments.config)
    check_trained(config)
    return config


def _prepare(
    arguments: argparse.Namespace,
    config: Config,
    model: str,
    point: Mapping[str, Any] | None = None,
) -> tuple[Run, InteractionData]:
    """Check everything before any work starts, then load the data."""
    from elcrec.data.histories import InteractionData
    from elcrec.jobs.device import choose
    from elcrec.jobs.run import make_run
    from elcrec.runs.settings import parse_overrides

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
    return run, InteractionData.read(config.prepared_file(arguments.dataset), device)


def add_commands(subparsers: Any) -> None:
    """Add `train`, `batch`, `measure` and `try` to the parser of `elcrec`."""
    train = add_command(subparsers, "train", run_train, "train and test one model on one data set")
    _add_run_options(train)
    _add_start(train)
    train.add_argument("--output", type=file_path, help="run folder (default: from the config)")
    add_force(train, "train again if finished; replace any other run in the folder")
    add_time_limit(train)
    text = "carry out a plan of many runs in one process"
    batch = add_command(subparsers, "batch", run_batch, text)
    batch.add_argument("plan", type=file_path, metavar="PLAN", help="YAML: elcrec/jobs/batch.py")
    batch.add_argument(
        "--at-once", type=int, default=1, help="runs side by side on the device (default: 1)"
    )
    add_force(batch, "replace runs made with other settings, data or code")
    add_time_limit(batch)
    add_device(batch)
    text = "measure time and memory per epoch, alone on the device"
    measure = add_command(subparsers, "measure", run_measure, text)
    _add_run_options(measure)
    _add_start(measure)
    measure.add_argument("--epochs", type=int, help="measured epochs (default: from the config)")
    add_output(measure, "JSON file", required=True)
    text = "train one point of a model's hyperparameter grid, validation only"
    trial = add_command(subparsers, "try", run_try, text)
    _add_run_options(trial)
    trial.set_defaults(start=None)
    trial.add_argument("--point", type=int, required=True, help="number in the grid, from 1")
    add_output(trial, "JSON file", required=True)


def _add_start(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--start",
        type=file_path,
        metavar="FILE",
        help="weights of the model that `starts_from` names (default: those of its run)",
    )


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dataset", required=True, help="a data set of the config")
    parser.add_argument("--model", required=True, help="a model of the config, or a YAML file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--set", nargs="*", action="extend", default=[], metavar="KEY=VALUE", help="settings"
    )
    add_kernels(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    add_device(parser)
