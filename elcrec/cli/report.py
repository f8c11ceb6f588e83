"""`elcrec report`: the replication report as one HTML page."""

import argparse
from typing import Any

from elcrec.cli.options import add_any_code, add_command, add_output, writing_to


def add_commands(subparsers: Any) -> None:
    """Add `report` to the parser of `elcrec`."""
    text = "write the replication report, one HTML page, from tables, figures and runs"
    parser = add_command(subparsers, "report", run_report, text)
    add_output(parser, "file (default: report/index.html in the config's output)")
    add_any_code(parser)


def run_report(arguments: argparse.Namespace) -> None:
    """Write the page; runs not made yet are shown as gaps, runs of other code are left out.

    Raises:
        InputError: A configuration, record, table or figure is invalid.
    """
    from elcrec.config.config import load_config
    from elcrec.files.atomic import write_text
    from elcrec.report.page import render

    config = load_config(arguments.config)
    with writing_to(arguments, config, "report", "index.html") as path:
        write_text(path, render(config, arguments.any_code))
    print(f"{path}: open it in a browser")
