"""The `elcrec` command.

Bad input is one line on standard error and exit status 2. The commands' modules import what they
need when they run, so that the light ones stay quick.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from elcrec import __version__
from elcrec.cli import bench, data, figure, nightly, recorded, report, table, train, verify
from elcrec.errors import InputError
from elcrec.training.deadline import EXIT_STATUS, OutOfTimeError


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    limit_spinning()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names may have letters that a terminal has not
            stream.reconfigure(errors="backslashreplace")
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
    train.add_commands(subparsers)
    data.add_commands(subparsers)
    table.add_commands(subparsers)
    report.add_commands(subparsers)
    figure.add_commands(subparsers)
    nightly.add_commands(subparsers)
    recorded.add_commands(subparsers)
    bench.add_commands(subparsers)
    verify.add_commands(subparsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
