"""`elcrec data fetch | prepare`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from elcrec.cli.options import add_config
from elcrec.errors import InputError, unknown

if TYPE_CHECKING:
    from elcrec.data.sources import Dataset


# Each command imports what it needs when it runs: `elcrec --help` must not wait for pandas.


def add_commands(subparsers: argparse._SubParsersAction) -> None:
    """Add `data` with its two commands to the parser of `elcrec`."""
    parser = subparsers.add_parser("data", help="fetch and prepare data sets")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    fetch = commands.add_parser("fetch", help="download a data set, or take it from a mirror")
    fetch.set_defaults(run=run_fetch)
    prepare = commands.add_parser("prepare", help="turn a fetched file into sequences.txt")
    prepare.set_defaults(run=run_prepare)
    for command in (fetch, prepare):
        command.add_argument("--dataset", required=True, help="a key under `datasets`")
        command.add_argument("--output", type=Path, metavar="DIR", help="default: of the config")
        add_config(command)


def run_fetch(args: argparse.Namespace) -> None:
    """Fetch a data set and leave `source.json` beside it."""
    from elcrec.data.fetch import fetch
    from elcrec.data.fetched import write_record

    dataset, folder = _told(args)
    fetched = fetch(args.dataset, dataset.places, folder)
    write_record(folder, args.dataset, fetched)
    print(f"{args.dataset}: {fetched.path} ({fetched.origin})")


def run_prepare(args: argparse.Namespace) -> None:
    """Prepare what `source.json` in the output folder describes."""
    from elcrec.data.fetched import read_record
    from elcrec.data.prepare import prepare

    dataset, folder = _told(args)
    path = prepare(args.dataset, dataset, read_record(folder, args.dataset), folder)
    print(f"{args.dataset}: {path}")


def _told(args: argparse.Namespace) -> tuple[Dataset, Path]:
    """What the configuration says of the data set, and the folder that it goes to."""
    from elcrec.config.config import load_config

    config = load_config(args.config)
    if args.dataset not in config.datasets:
        files = ", ".join(Path(file).name for file, _ in config.layers.parts)
        raise InputError(f"{files}: {unknown('data set', args.dataset, config.datasets)}")
    folder = config.sequences_file(args.dataset).parent
    return config.datasets[args.dataset], args.output or folder
