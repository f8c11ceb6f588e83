"""`elcrec nightly check`."""

import argparse
from typing import Any

from elcrec.cli.options import add_any_code, add_command, add_output, check_trained, writing_to

# Each command imports what it needs when it runs: `elcrec --help` must not wait for scipy.


def add_commands(subparsers: Any) -> None:
    """Add `nightly` with its command to the parser of `elcrec`."""
    nightly = subparsers.add_parser("nightly", help="compare fresh runs with the recorded ones")
    kinds = nightly.add_subparsers(dest="nightly", required=True, metavar="WHAT")
    check = add_command(kinds, "check", run_check, "compare the runs with the record")
    check.description = (
        "Exit status 0: every cell is within its tolerance; 1: a regression; "
        "2: bad input; 3: no regression, but a cell had nothing to compare with."
    )
    add_output(check, "JSON file for the verdict")
    add_any_code(check)


def run_check(arguments: argparse.Namespace) -> int:
    """Write the verdict, print it and return the exit status.

    Raises:
        InputError: A configuration, run folder or record is invalid.
    """
    from dataclasses import asdict

    from elcrec.config.config import load_config
    from elcrec.files.atomic import write_json
    from elcrec.files.paths import short
    from elcrec.jobs.environment import commit
    from elcrec.nightly.check import EXIT_STATUS, check, text, verdict

    config = load_config(arguments.config)
    check_trained(config, ", got recorded: the check compares trained runs with the record")
    with writing_to(arguments, config, "replication_check.json") as target:
        cells = check(config, arguments.any_code)
        head, dirty = commit()
        outcome = verdict(cells)
        content = {
            "format": 1,
            "verdict": outcome,
            "commit": head,
            "dirty": dirty,
            "reference": short(config.recorded),
            "cells": [asdict(cell) for cell in cells],
        }
        write_json(target, content)
    print(text(cells, config), end="")
    return EXIT_STATUS[outcome]
