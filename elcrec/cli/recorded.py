"""`elcrec recorded add|import|unpack|readme|calibrate`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elcrec.cli.options import add_config

if TYPE_CHECKING:
    from elcrec.recorded.machine import Machine
    from elcrec.recorded.row import RecordedRun


# Each command imports what it needs when it runs: `elcrec --help` must not wait for torch.


def add_commands(subparsers: Any) -> None:
    """Add `recorded` with its commands to the parser of `elcrec`."""
    recorded = subparsers.add_parser("recorded", help="runs of the full protocol, kept in git")
    kinds = recorded.add_subparsers(dest="recorded", required=True, metavar="WHAT")
    text = "put finished runs of the whole replication into the record of this machine"
    adding = kinds.add_parser("add", help=text, description=text)
    adding.add_argument("machine", help="folder in the record: cpu-2-cores, gpu-h200")
    adding.add_argument(
        "--runs", type=Path, metavar="DIR", help="folder with runs/ (default: the config's output)"
    )
    text = "merge the record of another checkout, of the same settings, into that of this one"
    importing = kinds.add_parser("import", help=text, description=text)
    importing.add_argument(
        "record", type=Path, metavar="RECORD", help="its folder, such as results/recorded/gpu-h200"
    )
    importing.add_argument(
        "--machine", help="folder in the record of this checkout (default: of the same name)"
    )
    text = "write the recorded runs as run folders, which tables and report are made of"
    unpacking = kinds.add_parser("unpack", help=text, description=text)
    text = "write the results in README.md and docs/results.md from the record"
    readme = kinds.add_parser("readme", help=text, description=text)
    readme.add_argument(
        "--check", action="store_true", help="write nothing; status 1 if they are others"
    )
    text = "try the significance tests on the recorded runs: are two seeds of a model different?"
    calibrating = kinds.add_parser("calibrate", help=text, description=text)
    commands = {
        adding: run_add,
        importing: run_import,
        unpacking: run_unpack,
        readme: run_readme,
        calibrating: run_calibrate,
    }
    for command, function in commands.items():
        add_config(command)
        command.set_defaults(run=function)


def run_add(arguments: argparse.Namespace) -> None:
    """Record finished runs and print them.

    Raises:
        InputError: A run that may not be recorded; nothing is written then.
    """
    from elcrec.config.config import load_config
    from elcrec.recorded.add import add
    from elcrec.recorded.machine import Machine

    config = load_config(arguments.config)
    machine = Machine(config.recorded, arguments.machine)
    _tell(add(arguments.runs or config.output, machine), machine)


def run_import(arguments: argparse.Namespace) -> None:
    """Merge another record and print what is new.

    Raises:
        InputError: It cannot be merged; nothing is written then.
    """
    from elcrec.config.config import load_config
    from elcrec.recorded.machine import Machine
    from elcrec.recorded.merge import merge

    record = arguments.record.resolve()
    config = load_config(arguments.config)
    machine = Machine(config.recorded, arguments.machine or record.name)
    merged = merge(record, machine)
    if merged.same:
        print(f"{merged.same} of its runs are recorded already")
    _tell(merged.new, machine)


def _tell(runs: Iterable[RecordedRun], machine: Machine) -> None:
    """Print the runs that were recorded now, and where."""
    for run in runs:
        test = run.metrics["metrics"]["test"]
        shown = "  ".join(f"{name} {test[name]:.4f}" for name in ("HR@5", "NDCG@20"))
        print(f"{run.id}: {shown}  ({run.metrics['epochs']} epochs, {run.hours:.2f} h)")
    print(f"{len(machine.runs())} runs recorded -> {machine.folder}")


def run_unpack(arguments: argparse.Namespace) -> None:
    """Write the run folders of a configuration with `runs: recorded`.

    Raises:
        InputError: The configuration takes trained runs, or the record is not whole.
    """
    from elcrec.config.config import load_config
    from elcrec.errors import InputError
    from elcrec.recorded.unpack import unpack

    config = load_config(arguments.config)
    if config.runs != "recorded":
        raise InputError(
            f"{config.layers.where('runs')}: is trained; to unpack it must be recorded"
        )
    print(f"{len(unpack(config))} recorded runs -> {config.output}/runs")


def run_readme(arguments: argparse.Namespace) -> int:
    """Write README's parts and docs/results.md, or compare them; the status says if all was right.

    Raises:
        InputError: The record is not whole, or the README has no place for a part.
    """
    from elcrec import ROOT
    from elcrec.config.config import load_config
    from elcrec.files.atomic import write_text
    from elcrec.recorded.readme import PARTS, put, texts

    readme, details = ROOT / "README.md", ROOT / "docs" / "results.md"
    made = texts(load_config(arguments.config))
    after = {readme: readme.read_text(encoding="utf-8"), details: made["docs"]}
    for part in PARTS:
        after[readme] = put(part, made[part], after[readme], readme)
    status = 0
    for path, text in after.items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if arguments.check:
            print(f"elcrec: {path}: the results are not those of the record", file=sys.stderr)
            status = 1
        else:
            write_text(path, text)
            print(f"{path}: results written")
    return status


def run_calibrate(arguments: argparse.Namespace) -> None:
    """Write statistics/rejections.csv and pairs.csv below the record; takes about two minutes.

    Raises:
        InputError: Too few recorded runs, or a damaged record.
    """
    from elcrec.config.config import load_config
    from elcrec.files.atomic import write_text
    from elcrec.files.csvfile import csv_text
    from elcrec.recorded.calibrate import FOLDER, calibration, pairs, rejections, runs_of

    config = load_config(arguments.config)
    runs = runs_of(config)
    folder = config.recorded / FOLDER
    write_text(folder / "pairs.csv", csv_text(pairs(runs)))
    write_text(folder / "rejections.csv", csv_text(rejections(runs)))
    print(calibration(config), end="")
