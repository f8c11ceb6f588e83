"""`elcrec recommend`: from a finished run and histories to a file of recommended items."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elcrec.cli.options import add_command, add_device, add_force, file_path
from elcrec.errors import InputError, brief

if TYPE_CHECKING:
    from elcrec.inference.histories import LeftOut, Part
    from elcrec.inference.recommender import Recommender


def add_commands(subparsers: Any) -> None:
    """Add `recommend` to the parser of `elcrec`."""
    text = "recommend items with a finished run"
    parser = add_command(subparsers, "recommend", run, text)
    add = parser.add_argument
    run_help = "folder of a run, or a recorded one such as beauty/elcrec/2"
    add("--run", required=True, dest="folder", metavar="RUN", help=run_help)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--users",
        type=_users,
        metavar="FILE|all",
        help="users in the training data: all, or a file of ids, one per line",
    )
    source.add_argument(
        "--history",
        type=_history,
        metavar="FILE|IDS",
        help="histories of any users: lines `user item item ...`, a table of interactions (.csv), "
        "or in quotes the item ids of a single history, oldest first",
    )
    add("--top", type=int, default=20, metavar="K", help="items per user (default: 20)")
    add("--with-seen", action="store_true", help="also recommend items of the history")
    add("--skip-unknown", action="store_true", help="leave out items that the run does not know")
    add(
        "--output", type=file_path, metavar="FILE", help=".csv or .parquet (default: print the CSV)"
    )
    add_force(parser, "replace an existing file")
    add("--quiet", action="store_true", help="no progress bar")
    add_device(parser)


def _users(text: str) -> Path | str:
    return text if text == "all" else file_path(text)


def _history(text: str) -> Path | list[str]:
    # os.path: Path.is_file raises for a text that is too long for a name.
    return file_path(text) if os.path.isfile(os.path.expanduser(text)) else text.split()


def run(arguments: argparse.Namespace) -> None:
    """Recommend, part by part, and write the file.

    Raises:
        InputError: A run, file, user, item or number is invalid; nothing is written then.
    """
    from elcrec.config.config import load_config
    from elcrec.files.atomic import protecting
    from elcrec.inference.histories import LeftOut
    from elcrec.inference.output import check_ending, table, writing
    from elcrec.inference.recommender import load
    from elcrec.jobs.device import choose
    from elcrec.jobs.progress import Bar

    if arguments.output:
        check_ending(arguments.output)
    device = choose(arguments.device, arguments.threads or load_config(arguments.config).threads)
    recommender = load(arguments.folder, arguments.config, device)
    left_out = LeftOut() if arguments.skip_unknown else None
    total, parts = _parts(arguments, recommender, left_out)
    name = recommender.run.name
    users = lines = 0
    protected = protecting(None if arguments.force else arguments.output)
    bar = Bar(name, total, "user", arguments.quiet)
    with protected, writing(arguments.output) as write, bar:
        for part in parts:
            best = recommender.best(part, arguments.top, arguments.with_seen)
            recommendations = table(part, best, recommender.ids)
            write(recommendations)
            users, lines = users + len(part.rows), lines + len(recommendations)
            bar.to(users, f"{users:,} of {total:,} users")
        if isinstance(arguments.history, list) and not users:
            text = brief(" ".join(arguments.history))
            raise InputError(f"--history {text}: neither a file nor an item that the run knows")
    if left_out and left_out.actions:
        print(f"elcrec: {left_out}", file=sys.stderr)
    if arguments.output:
        print(f"{name}: {lines:,} recommendations for {users:,} users -> {arguments.output}")


def _parts(
    arguments: argparse.Namespace, recommender: Recommender, left_out: LeftOut | None
) -> tuple[int, Iterator[Part]]:
    """Number of users, and their histories."""
    from elcrec.inference.histories import of_words, read_histories, read_users

    if arguments.history is None:
        selected = None if arguments.users == "all" else read_users(arguments.users)
        total = recommender.run.metrics.users if selected is None else len(selected)
        return total, recommender.users(selected)
    if isinstance(arguments.history, Path):
        total, histories = read_histories(arguments.history)
    else:
        total, histories = 1, iter([of_words(arguments.history)])
    return total, recommender.parts(histories, left_out)
