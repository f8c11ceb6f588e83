"""`elcrec data fetch | prepare`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from elcrec.cli.options import add_command, add_output, writing_to
from elcrec.errors import InputError

if TYPE_CHECKING:
    from elcrec.config.config import Config
    from elcrec.data.sources import Dataset

# Each command imports what it needs when it runs: `elcrec --help` must not wait for pandas.


def add_commands(subparsers: argparse._SubParsersAction) -> None:
    """Add `data` with its two commands to the parser of `elcrec`."""
    parser = subparsers.add_parser("data", help="fetch and prepare data sets")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    text = "download a data set, or copy it from a mirror"
    fetch = add_command(commands, "fetch", run_fetch, text)
    text = "turn a fetched file into sequences.txt"
    prepare = add_command(commands, "prepare", run_prepare, text)
    for command in (fetch, prepare):
        command.add_argument("--dataset", required=True, help="a key under `datasets`")
        add_output(command, "folder (default: from the config)")


def run_fetch(args: argparse.Namespace) -> None:
    """Fetch a data set and write `source.json` beside it."""
    from elcrec.data.fetch import fetch
    from elcrec.data.fetched import write_record
    from elcrec.data.sources import PREPARED
    from elcrec.files.atomic import check_replaceable

    config, dataset = _configured(args)
    with writing_to(args, config, ours=_is_ours(args), folder=True) as folder:
        for name in PREPARED:
            check_replaceable(folder / name)  # not ours: `prepare` would replace it
        fetched = fetch(args.dataset, dataset.places, folder)
        write_record(folder, args.dataset, fetched)
    print(f"{args.dataset}: {fetched.path} ({fetched.origin})")


def run_prepare(args: argparse.Namespace) -> None:
    """Prepare what `source.json` in the output folder describes."""
    from elcrec.data.fetched import read_record
    from elcrec.data.prepare import prepare
    from elcrec.data.repeats import describe_repeats
    from elcrec.data.statistics import load_statistics

    config, dataset = _configured(args)
    with writing_to(args, config, ours=_is_ours(args), folder=True) as folder:
        try:
            fetched = read_record(folder, args.dataset, dataset.places)
        except InputError as error:
            options = ("--dataset", args.dataset, "--output", str(folder))
            command = config.elcrec("data", "fetch", *options)
            raise InputError(f"{error}; fetch it with: {command}") from None
        path = prepare(args.dataset, dataset, fetched, folder)
        stats = load_statistics(folder / "statistics.json")
    print(f"{args.dataset}: {path}; {describe_repeats(stats['repeated_targets'], stats['users'])}")


def _configured(args: argparse.Namespace) -> tuple[Config, Dataset]:
    """The configuration and its entry for the data set, whose folder is the default output."""
    from elcrec.config.config import load_config

    config = load_config(args.config)
    dataset = config.dataset(args.dataset)
    args.output = args.output or config.sequences_file(args.dataset).parent
    return config, dataset


def _is_ours(args: argparse.Namespace) -> bool:
    from elcrec.data.fetched import earlier

    record = earlier(args.output)
    return record is not None and record.dataset == args.dataset
