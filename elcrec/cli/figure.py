"""`elcrec figure <name>`: from run folders to figures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from elcrec.cli.options import add_config

# What a command needs is imported when it runs: `elcrec --help` must not wait for matplotlib.
ABOUT = {
    "ablation": "parts of ELCRec added one after the other",
    "sensitivity": "test HR@5 against alpha and K",
    "convergence": "validation HR@5 and training loss per epoch",
    "diagnostics": "centers in use, cosines, and the cluster loss computed in two ways, per epoch",
    "activity": "accuracy of users by the length of their history",
    "tsne": "user embeddings in the plane at several epochs, by intent",
    "case_study": "intents of users by activity",
}


def add_commands(subparsers: Any) -> None:
    """Add `figure` with its commands to the parser of `elcrec`."""
    figure = subparsers.add_parser("figure", help="draw the figures from finished runs")
    kinds = figure.add_subparsers(dest="figure", required=True, metavar="NAME")
    for kind, text in ABOUT.items():
        parser = kinds.add_parser(kind, help=text, description=text)
        if kind in ("tsne", "case_study"):
            parser.add_argument("--dataset", help="default: every data set of the config")
        parser.add_argument(
            "--any-code", action="store_true", help="take runs that other code made, too"
        )
        parser.add_argument(
            "--output", type=Path, metavar="DIR", help="default: figures/ in the config's output"
        )
        add_config(parser)
        parser.set_defaults(run=run, dataset=None)


def run(arguments: argparse.Namespace) -> None:
    """Draw one figure, of every data set unless one is named."""
    from elcrec.config.config import load_config
    from elcrec.figures import drawn

    config = load_config(arguments.config)
    folder = arguments.output or config.output / "figures"
    drawn.make(config, arguments.figure, folder, arguments.dataset, arguments.any_code)
