"""`elcrec table`: from run folders to table files."""

import argparse
from importlib import import_module
from typing import Any

from elcrec.cli.options import add_any_code, add_command, add_output, file_path, writing_to

FROM_RUNS = {
    "accuracy": ("table1_files", "Table 1 and the significance tests"),
    "efficiency": ("tables2_3", "Table 2 (time) and Table 3 (memory)"),
    "verdict": ("verdict", "whether our runs agree with each printed value"),
    "activity": ("activity", "accuracy by history length and by popularity of the test item"),
    "sampled": ("sampled", "what an evaluation with 100 sampled negatives would report"),
    "use": ("use", "accuracy beside training time, size and latency"),
    "lists": ("lists", "coverage, popularity and overlap of the recommended lists"),
    "study": ("study", "effect of changes to the clustering on accuracy and on clusters"),
}
"""Command to the module of `elcrec.tables` that writes the files, and their content."""
FROM_RECORDS = {
    "data-statistics": ("data_statistics", "size of the data sets, from their statistics.json"),
    "released": ("released", "metrics of the authors' published weights"),
    "grid": ("grid", "validation scores of the declared grids"),
}
"""The same, for files made from records that the command line names."""


# Each command imports what it needs when it runs: `elcrec --help` must not wait for scipy.


def add_commands(subparsers: Any) -> None:
    """Add `table` with its commands to the parser of `elcrec`."""
    table = subparsers.add_parser("table", help="make the tables from finished runs")
    kinds = table.add_subparsers(dest="table", required=True, metavar="WHAT")
    for name, (_, text) in (FROM_RUNS | FROM_RECORDS).items():
        command = add_command(kinds, name, run_table, text)
        add_output(command, "folder (default: tables/ in the config's output)")
        if name in FROM_RECORDS:
            command.add_argument("files", nargs="+", type=file_path, metavar="JSON")
        else:
            add_any_code(command)
    add_command(kinds, "headline", run_headline, "print HR@5 and NDCG@20 beside the paper's")


def run_table(args: argparse.Namespace) -> None:
    """Write the files of a table.

    Raises:
        InputError: A configuration, run folder, record or paper file is invalid.
    """
    from elcrec.config.config import load_config

    config = load_config(args.config)
    module, _ = (FROM_RUNS | FROM_RECORDS)[args.table]
    source = args.files if args.table in FROM_RECORDS else args.any_code
    with writing_to(args, config, "tables", folder=True) as folder:
        import_module(f"elcrec.tables.{module}").write(config, folder, source)
    print(f"{folder}: table {args.table} written")


def run_headline(args: argparse.Namespace) -> None:
    """Print the headline rows; errors as for `run_table`."""
    from elcrec.config.config import load_config
    from elcrec.tables import table1, table1_files

    print(table1_files.headline(table1.read(load_config(args.config), any_code=True)), end="")
