"""`elcrec data fetch | prepare`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from elcrec.errors import InputError

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
        command.add_argument(
            "--config", required=True, nargs="+", type=Path, metavar="FILE", help="later ones win"
        )
        command.add_argument("--output", required=True, type=Path, metavar="DIR")


def run_fetch(args: argparse.Namespace) -> None:
    """Fetch a data set and leave `source.json` beside it."""
    from elcrec.data.fetch import fetch
    from elcrec.data.fetched import write_record

    fetched = fetch(args.dataset, _dataset(args).places, args.output)
    write_record(args.output, args.dataset, fetched)
    print(f"{args.dataset}: {fetched.path} ({fetched.origin})")


def run_prepare(args: argparse.Namespace) -> None:
    """Prepare what `source.json` in the output folder describes."""
    from elcrec.data.fetched import read_record
    from elcrec.data.prepare import prepare
    from elcrec.data.repeats import counted
    from elcrec.data.statistics import load_statistics

    dataset = _dataset(args)
    fetched = read_record(args.output, args.dataset, dataset.places)
    path = prepare(args.dataset, dataset, fetched, args.output)
    found = load_statistics(args.output / "statistics.json")
    print(f"{args.dataset}: {path}; {counted(found['repeated_targets'], found['users'])}")


def _dataset(args: argparse.Namespace) -> Dataset:
    from elcrec.config.config import load_config

    datasets = load_config(args.config).datasets
    if args.dataset not in datasets:
        raise InputError(
            f"--dataset {args.dataset}: not under `datasets` in "
            f"{', '.join(map(str, args.config))}; allowed are {', '.join(datasets)}"
        )
    return datasets[args.dataset]
