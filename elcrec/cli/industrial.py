"""`elcrec industrial prepare | train | report`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from elcrec.cli.options import add_command, add_device, add_force, check_trained
from elcrec.errors import InputError, unknown

if TYPE_CHECKING:
    from elcrec.config.config import Config

# What a command needs is imported when it runs: `elcrec --help` must not wait for torch.


def add_commands(subparsers: Any) -> None:
    """Add `industrial` with its commands to the parser of `elcrec`."""
    text = "the paper's industrial part on public data"
    commands = subparsers.add_parser("industrial", help=text).add_subparsers(
        required=True, metavar="COMMAND"
    )
    text = "fetch a data set and make its features"
    prepare = add_command(commands, "prepare", run_prepare, text)
    train = add_command(commands, "train", run_train, "train one model with one seed")
    for command in (prepare, train):
        command.add_argument("--dataset", required=True, help="a key of industrial.datasets")
    train.add_argument("--model", required=True, help="single, mmoe, mmoe_kmeans or mmoe_elcm")
    train.add_argument("--seed", type=int, default=1)
    add_device(train)
    add_force(train, "train again if finished; replace a run made with other settings or code")
    text = "tables, figures and the page, from finished runs"
    add_command(commands, "report", run_report, text)


def run_prepare(arguments: argparse.Namespace) -> None:
    """Fetch a data set and make its features."""
    from elcrec.industrial import runs

    config = _config(arguments)
    print(f"{arguments.dataset}: {runs.prepare(config, arguments.dataset)}")


def run_train(arguments: argparse.Namespace) -> None:
    """Train a model, write its run folder and print the test AUC of each task."""
    from elcrec.config.build import LARGEST
    from elcrec.files.lock import held
    from elcrec.industrial import runs
    from elcrec.jobs.device import choose

    config = _trained(arguments)
    model, known = arguments.model, config.industrial.models(arguments.dataset)
    if model not in known:
        raise InputError(f"--model: {unknown('model', model, known, f'on {arguments.dataset}')}")
    if not 0 <= arguments.seed <= LARGEST:
        raise InputError(f"--seed {arguments.seed}: must be from 0 to {LARGEST}")
    device = choose(arguments.device, arguments.threads or config.threads)
    run_key = (config, arguments.dataset, model, arguments.seed)
    title = f"{arguments.dataset} {model} {arguments.seed}"
    with held(folder := runs.run_folder(*run_key)) as was_held:
        if (was_held or not arguments.force) and runs.is_recorded(*run_key):
            reason = "another process trained it" if was_held else "--force trains it again"
            print(f"{title}: already finished; {reason} -> {folder}")
            return
        record = runs.train(*run_key, device)
    scores = "  ".join(f"{task} {value:.4f}" for task, value in record.auc.items())
    print(f"{title}: AUC {scores}  (epoch {record.best_epoch} of {record.epochs})")


def run_report(arguments: argparse.Namespace) -> None:
    """Write tables, figures and the page from the finished runs."""
    from elcrec.industrial import page

    print(f"{page.write(_trained(arguments))}: open it in a browser")


def _config(arguments: argparse.Namespace) -> Config:
    """The configuration, which must list the data set."""
    from elcrec.config.config import load_config

    config = load_config(arguments.config)
    dataset, known = getattr(arguments, "dataset", None), config.industrial.datasets
    if dataset is not None and dataset not in known:
        raise InputError(f"--dataset: {unknown('data set', dataset, known)}")
    return config


def _trained(arguments: argparse.Namespace) -> Config:
    """The configuration, whose industrial runs are trained: none is recorded."""
    config = _config(arguments)
    check_trained(config, " for industrial runs")
    return config
