"""The `elcrec` command.

Bad input is one line on standard error and exit status 2. The commands' modules import what they
need when they run, so that the light ones stay quick.
"""

import argparse
import errno
import io
import os
import signal
import sys
from collections.abc import Sequence

from elcrec import __version__
from elcrec.cli import (
    bench,
    check_gpu,
    data,
    external,
    figure,
    industrial,
    nightly,
    recommend,
    recorded,
    report,
    table,
    train,
    verify,
)
from elcrec.cli.options import Parser
from elcrec.errors import InputError
from elcrec.training.deadline import EXIT_STATUS, OutOfTimeError

OPTIONAL = {
    "faiss": "faiss-cpu (with a GPU faiss-gpu)",
    "matplotlib": "matplotlib",
    "sklearn": "scikit-learn",
    "pyarrow": "pyarrow",
}
"""Modules that only some commands need, and the packages that provide them."""

COMMANDS = (
    *(train, recommend, external, data, table, report, figure, industrial, nightly),
    *(recorded, bench, check_gpu, verify),
)
"""Modules, in the order of the help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    limit_spinning()
    os.environ["MPLBACKEND"] = "agg"  # a notebook's own cannot be loaded here
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names may have letters that the terminal lacks
            stream.reconfigure(errors="backslashreplace")
    try:
        parsed = make_parser().parse_args(arguments)
        here()
        status = int(parsed.run(parsed) or 0)
        if sys.stdout:  # None if it was closed: `>&-`
            sys.stdout.flush()
        return status
    except InputError as error:
        print(f"elcrec: {error}", file=sys.stderr)
        return EXIT_STATUS if isinstance(error, OutOfTimeError) else 2
    except BrokenPipeError:  # e.g. `elcrec ... | head`, which stops reading early
        discard_output()
        return 128 + signal.SIGPIPE
    except OSError as error:
        if error.filename:
            print(f"elcrec: {error.filename}: {error.strerror}", file=sys.stderr)
            return 2
        if error.errno != errno.ENOSPC:
            raise
        print(f"elcrec: standard output: {error.strerror}", file=sys.stderr)
        discard_output()
        return 2
    except ModuleNotFoundError as error:
        module = str(error.name).partition(".")[0]
        if module not in OPTIONAL:
            raise
        print(f"elcrec: {module} is missing: pip install {OPTIONAL[module]}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("elcrec: interrupted", file=sys.stderr)
        return 130


def discard_output() -> None:
    """Let what is still to be written to standard output go nowhere, also when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def here() -> None:
    """Check that the working directory exists.

    Raises:
        InputError: It has been removed.
    """
    try:
        os.getcwd()
    except FileNotFoundError:
        raise InputError("the working directory has been removed; go to another one") from None


def limit_spinning() -> None:
    """Let GNU OpenMP's threads wait for each other by spinning, but not for long.

    By default they spin for milliseconds, which makes an evaluation several times slower on a CPU
    that other processes use too; no spinning at all doubles its time on an idle CPU. Works only
    before PyTorch is loaded; a user's own setting is kept.
    """
    if not os.environ.keys() & {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}:
        os.environ["GOMP_SPINCOUNT"] = "5000"


def make_parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    parser = Parser(
        prog="elcrec", description="Reproducible benchmark of ELCRec and its baselines."
    )
    parser.add_argument("--version", action="version", version=f"elcrec {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_commands(subparsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
