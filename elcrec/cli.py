"""The `elcrec` command and its options.

Bad input is one line on standard error and exit status 2. Modules that import torch are loaded when
their command runs, so that the light ones stay quick.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from elcrec import __version__
from elcrec.bench import commands as bench_commands
from elcrec.data import commands as data_commands
from elcrec.deadline import EXIT_STATUS, OutOfTimeError
from elcrec.errors import InputError
from elcrec.figures import commands as figure_commands
from elcrec.options import add_config, add_kernels, add_time_limit
from elcrec.recorded import commands as recorded_commands
from elcrec.replication import commands as replication_commands
from elcrec.report import commands as report_commands
from elcrec.tables import commands as table_commands


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    limit_spinning()
    parsed = make_parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed) or 0)
    except InputError as error:
        print(f"elcrec: {error}", file=sys.stderr)
        return EXIT_STATUS if isinstance(error, OutOfTimeError) else 2
    except KeyboardInterrupt:
        print("elcrec: interrupted", file=sys.stderr)
        return 130


def limit_spinning() -> None:
    """Let GNU OpenMP's threads wait for each other by spinning, but not for long.

    By default they spin for milliseconds, which on a processor that others use too makes an
    evaluation several times as long; not at all doubles it on a quiet one. Counts, unless the user
    has decided, if PyTorch has not been loaded yet.
    """
    if not os.environ.keys() & {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}:
        os.environ["GOMP_SPINCOUNT"] = "5000"


def make_parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    parser = argparse.ArgumentParser(
        prog="elcrec", description="Reproducible benchmark of ELCRec and its baselines."
    )
    parser.add_argument("--version", action="version", version=f"elcrec {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_training(subparsers)
    data_commands.add_commands(subparsers)
    table_commands.add_commands(subparsers)
    report_commands.add_commands(subparsers)
    figure_commands.add_commands(subparsers)
    replication_commands.add_commands(subparsers)
    recorded_commands.add_commands(subparsers)
    bench_commands.add_commands(subparsers)
    _add_verify(subparsers)
    return parser


def _later(module: str, function: str) -> Callable[[argparse.Namespace], int | None]:
    """A command that imports its module only when it is run."""

    def run(arguments: argparse.Namespace) -> int | None:
        result: int | None = getattr(importlib.import_module(module), function)(arguments)
        return result

    return run


def _add_training(subparsers: Any) -> None:
    train = subparsers.add_parser("train", help="train and test one model on one data set")
    _add_run_options(train)
    train.add_argument("--output", type=Path, help="run folder (default: as the config says)")
    add_time_limit(train)
    train.set_defaults(run=_later("elcrec.commands", "train"))
    batch = subparsers.add_parser("batch", help="carry out a plan of many runs in one process")
    batch.add_argument("plan", type=Path, metavar="PLAN", help="YAML: see elcrec/batch.py")
    batch.add_argument(
        "--at-once", type=int, default=1, help="runs side by side on the device (default 1)"
    )
    batch.add_argument("--threads", type=int, help="CPU threads (default: of the config)")
    add_time_limit(batch)
    add_config(batch)
    _add_device(batch)
    batch.set_defaults(run=_later("elcrec.commands", "batch"))
    measure = subparsers.add_parser("measure", help="time and memory per epoch, run alone")
    _add_run_options(measure)
    measure.add_argument("--epochs", type=int, help="measured epochs (default: as the config says)")
    measure.add_argument("--output", type=Path, required=True, help="JSON file")
    measure.set_defaults(run=_later("elcrec.commands", "measure"))
    trial = subparsers.add_parser("try", help="train one point of a model's grid, validation only")
    _add_run_options(trial)
    trial.add_argument("--point", type=int, required=True, help="number in the grid, from 1")
    trial.add_argument("--output", type=Path, required=True, help="JSON file")
    trial.set_defaults(run=_later("elcrec.commands", "try_point"))


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dataset", required=True, help="a data set of the config")
    parser.add_argument("--model", required=True, help="a model of the config, or a YAML file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--set", nargs="*", action="extend", default=[], metavar="KEY=VALUE", help="overrides"
    )
    parser.add_argument(
        "--start",
        type=Path,
        metavar="FILE",
        help="weights of the model that `starts_from` names (default: those of its run)",
    )
    parser.add_argument("--threads", type=int, help="CPU threads (default: of the config)")
    add_kernels(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    add_config(parser)
    _add_device(parser)


def _add_verify(subparsers: Any) -> None:
    verify = subparsers.add_parser("verify", help="check against the authors' code and weights")
    commands = verify.add_subparsers(dest="what", required=True, metavar="WHAT")

    golden = commands.add_parser("golden", help="losses and gradients against fixtures (.npz)")
    golden.add_argument("files", nargs="+", type=Path, metavar="FILE")
    golden.add_argument("--weights", type=Path, help="released weights, for fixtures without any")
    golden.set_defaults(run=_later("elcrec.verification", "golden"))

    released = commands.add_parser("released", help="metrics of the authors' published weights")
    released.add_argument("--dataset", required=True)
    released.add_argument("--weights", required=True, type=Path, help="state dictionary (.pt)")
    released.add_argument("--model", choices=("elcrec", "iclrec"), help="default: by its tensors")
    released.add_argument("--protocol", choices=("paper", "strict"), default="paper")
    released.add_argument("--ranks", type=Path, nargs="*", default=[], help="fixtures to compare")
    released.add_argument("--output", type=Path, help="write the metrics as JSON")
    add_config(released)
    _add_device(released)
    released.set_defaults(run=_later("elcrec.verification", "released"))

    fetch = commands.add_parser("fetch", help="download published weights named in the config")
    fetch.add_argument("--file", required=True, help="its `file` under `released_weights`")
    fetch.add_argument("--output", required=True, type=Path, help="folder")
    add_config(fetch)
    fetch.set_defaults(run=_later("elcrec.verification", "fetch"))


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")


if __name__ == "__main__":
    sys.exit(main())
