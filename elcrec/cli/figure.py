"""`elcrec figure <name>`: from run folders to figures."""

import argparse
from typing import Any

from elcrec.cli.options import add_any_code, add_command, add_output, writing_to
from elcrec.config.figures import KINDS

# What a command needs is imported when it runs: `elcrec --help` must not wait for matplotlib.


def add_commands(subparsers: Any) -> None:
    """Add `figure` with its commands to the parser of `elcrec`."""
    figure = subparsers.add_parser("figure", help="draw the figures from finished runs")
    names = figure.add_subparsers(dest="figure", required=True, metavar="NAME")
    for name, kind in KINDS.items():
        parser = add_command(names, name, run, kind.about)
        if kind.each:
            parser.add_argument("--dataset", help="default: every data set of the config")
        add_any_code(parser)
        add_output(parser, "folder (default: figures/ in the config's output)")
        parser.set_defaults(dataset=None)


def run(arguments: argparse.Namespace) -> None:
    """Draw one figure, for every data set unless one is named."""
    from elcrec.config.config import load_config
    from elcrec.figures import drawn

    config = load_config(arguments.config)
    with writing_to(arguments, config, "figures", folder=True) as folder:
        drawn.make(config, arguments.figure, folder, arguments.dataset, arguments.any_code)
    print(f"{folder}: figure {arguments.figure} written")
