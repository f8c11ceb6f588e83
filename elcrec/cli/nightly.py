"""`elcrec replication check|record`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from elcrec.cli.options import add_config

# Each command imports what it needs when it runs: `elcrec --help` must not wait for scipy.


def add_commands(subparsers: Any) -> None:
    """Add `replication` with its commands to the parser of `elcrec`."""
    replication = subparsers.add_parser("replication", help="runs against the recorded reference")
    kinds = replication.add_subparsers(dest="replication", required=True, metavar="WHAT")
    check = kinds.add_parser(
        "check",
        help="compare the runs with the reference",
        description="Exit status 0: every cell is within its tolerance; 1: a regression; "
        "2: bad input; 3: no regression, but a cell had nothing to be compared with.",
    )
    check.add_argument("--output", type=Path, metavar="FILE", help="JSON verdict")
    check.add_argument(
        "--any-code", action="store_true", help="take runs that other code made, too"
    )
    record = kinds.add_parser(
        "record",
        help="write the reference from finished runs of a clean commit",
        description="Cells that have no runs keep what the reference says of them.",
    )
    record.add_argument(
        "--runs", type=Path, metavar="DIR", help="folder with runs/ (default: the config's output)"
    )
    for command, function in ((check, run_check), (record, run_record)):
        add_config(command)
        command.add_argument(
            "--reference", type=Path, metavar="FILE", help="default: as the config says"
        )
        command.set_defaults(run=function)


def run_check(arguments: argparse.Namespace) -> int:
    """Write the verdict, print it and return the exit status.

    Raises:
        InputError: A configuration, run folder or reference that is not right.
    """
    import json

    from elcrec.config.config import load_config
    from elcrec.files.atomic import write_text
    from elcrec.jobs.environment import commit
    from elcrec.nightly.check import EXIT_STATUS, check, text, verdict
    from elcrec.nightly.reference import read_reference

    config = load_config(arguments.config)
    path = arguments.reference or config.replication.reference
    outcomes = check(config, read_reference(path), arguments.any_code)
    head, dirty = commit()
    found = verdict(outcomes)
    content = {
        "format": 1,
        "verdict": found,
        "commit": head,
        "dirty": dirty,
        "reference": str(path),
        "cells": [outcome.as_dict() for outcome in outcomes],
    }
    target = arguments.output or config.output / "replication_check.json"
    write_text(target, json.dumps(content, indent=1) + "\n")
    print(text(outcomes, config, path), end="")
    return EXIT_STATUS[found]


def run_record(arguments: argparse.Namespace) -> None:
    """Write the reference from the runs that are there, keeping its other cells.

    Raises:
        InputError: None of the runs is there, or one is not of a clean commit.
    """
    from elcrec.config.config import load_config
    from elcrec.errors import InputError
    from elcrec.nightly.record import portable, record_cells
    from elcrec.nightly.reference import read_reference, write_reference

    config = load_config(arguments.config)
    path = arguments.reference or config.replication.reference
    output = arguments.runs or config.output
    command = portable(sys.argv, without=("--runs", "--reference"))
    cells, absent = record_cells(output, config.replication, command)
    if not cells:
        raise InputError(
            f"{output}/runs: has no run to record; `snakemake replication_check` makes them"
        )
    merged = dict(read_reference(path)) | {cell.key: cell for cell in cells}
    write_reference(path, merged.values())
    for dataset, model in absent:
        kept = "kept as it was" if (dataset, model) in merged else "no reference yet"
        print(f"{config.model_name(model)}, {config.dataset_name(dataset)}: not all runs, {kept}")
    print(f"{len(cells)} cells recorded -> {path}")
