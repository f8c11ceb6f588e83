"""`elcrec table`: from run folders to table files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elcrec.cli.options import add_config

if TYPE_CHECKING:
    from elcrec.config.config import Config


# Each command imports what it needs when it runs: `elcrec --help` must not wait for scipy.


def add_commands(subparsers: Any) -> None:
    """Add `table` with its commands to the parser of `elcrec`."""
    table = subparsers.add_parser("table", help="make the tables from finished runs")
    kinds = table.add_subparsers(dest="table", required=True, metavar="WHAT")
    accuracy = _add(kinds, "accuracy", run_accuracy, "Table 1 and the significance tests")
    efficiency = _add(kinds, "efficiency", run_efficiency, "Table 2 (time) and Table 3 (memory)")
    verdict = _add(kinds, "verdict", run_verdict, "whether ours agrees with each printed value")
    activity = _add(kinds, "activity", run_activity, "accuracy by length of the users' histories")
    for command in (accuracy, efficiency, verdict, activity):
        command.add_argument(
            "--any-code", action="store_true", help="take runs that other code made, too"
        )
    text = "size of the data sets as LaTeX, from their statistics.json"
    data = _add(kinds, "data-statistics", run_data_statistics, text)
    data.add_argument("files", nargs="+", type=Path, metavar="JSON")
    released = _add(kinds, "released", run_released, "what the authors' weights give")
    released.add_argument("files", nargs="+", type=Path, metavar="JSON")
    grid = _add(kinds, "grid", run_grid, "validation scores of the declared grids")
    grid.add_argument("files", nargs="+", type=Path, metavar="JSON")
    optional = _add(kinds, "optional", run_optional, "Tables 7 and 8 (ML-1M), 9 (MIND-small)")
    optional.add_argument("--dataset", required=True, choices=("ml-1m", "mind-small"))
    optional.add_argument(
        "--any-code", action="store_true", help="take runs that other code made, too"
    )
    _add(kinds, "headline", run_headline, "print HR@5 and NDCG@20 beside the paper's", False)


def run_accuracy(args: argparse.Namespace) -> None:
    """Write table1.csv, table1.md, table1.tex and significance.csv."""
    from elcrec.tables import table1_files

    config, folder = _place(args)
    table1_files.write(config, folder, args.any_code)


def run_verdict(args: argparse.Namespace) -> None:
    """Write verdict.csv and what belongs to it; errors as for `run_accuracy`."""
    from elcrec.tables import verdict_files

    config, folder = _place(args)
    verdict_files.write(config, folder, args.any_code)


def run_activity(args: argparse.Namespace) -> None:
    """Write activity.csv, activity.md and activity.tex; errors as for `run_accuracy`."""
    from elcrec.tables import activity_files

    config, folder = _place(args)
    activity_files.write(config, folder, args.any_code)


def run_headline(args: argparse.Namespace) -> None:
    """Print the headline rows; errors as for `run_accuracy`."""
    from elcrec.config.config import load_config
    from elcrec.tables import table1, table1_files

    print(table1_files.headline(table1.read(load_config(args.config), any_code=True)), end="")


def run_efficiency(args: argparse.Namespace) -> None:
    """Write table2 and table3, each as CSV, Markdown and LaTeX."""
    from elcrec.tables import tables2_3_files

    config, folder = _place(args)
    tables2_3_files.write(config, folder, args.any_code)


def run_released(args: argparse.Namespace) -> None:
    """Write released.csv and released.md from the records of `elcrec verify released`."""
    from elcrec.tables import released

    config, folder = _place(args)
    released.write(config, folder, args.files)


def run_grid(args: argparse.Namespace) -> None:
    """Write grid.csv and grid.md from the records of `elcrec try`."""
    from elcrec.tables import grid

    config, folder = _place(args)
    grid.write(config, folder, args.files)


def run_optional(args: argparse.Namespace) -> None:
    """Write table8.* and table7.* (ML-1M) or table9.* (MIND-small) as CSV, Markdown and LaTeX.

    Raises:
        InputError: A configuration, run folder, record or paper file that is not right.
    """
    from elcrec.tables import tables8_9_files

    config, folder = _place(args)
    tables8_9_files.write(config, args.dataset, folder, args.any_code)


def _place(args: argparse.Namespace) -> tuple[Config, Path]:
    """The configuration, and the folder that the tables go to."""
    from elcrec.config.config import load_config

    config = load_config(args.config)
    return config, args.output or config.output / "tables"


def _add(kinds: Any, name: str, function: Any, text: str, writes: bool = True) -> Any:
    parser = kinds.add_parser(name, help=text, description=text)
    add_config(parser)
    if writes:
        parser.add_argument(
            "--output", type=Path, metavar="DIR", help="default: tables/ in the config's output"
        )
    parser.set_defaults(run=function)
    return parser


def run_data_statistics(args: argparse.Namespace) -> None:
    """Write data_statistics.tex from the statistics.json of prepared data sets."""
    from elcrec.config.config import load_config
    from elcrec.files.atomic import write_text
    from elcrec.tables import data_statistics

    folder: Path = args.output or load_config(args.config).output / "tables"
    write_text(folder / "data_statistics.tex", data_statistics.latex(args.files))
