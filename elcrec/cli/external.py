"""`elcrec compare` and `elcrec export-split`: models of other frameworks on the same users."""

import argparse
from typing import Any

from elcrec.cli.options import add_command, add_output, file_path, writing_to
from elcrec.data.repeats import PROTOCOLS
from elcrec.errors import InputError, brief

IDS = "raw: as in the raw data (default); numbers: as in sequences.txt"

# Each command imports what it needs when it runs: `elcrec --help` must not wait for pandas.


def add_commands(subparsers: Any) -> None:
    """Add `compare` and `export-split` to the parser of `elcrec`."""
    text = "compare predictions of any framework with our runs on the same test users"
    compare = add_command(subparsers, "compare", run_compare, text)
    compare.add_argument(
        "files", nargs="+", type=file_path, metavar="FILE", help="one file per seed"
    )
    compare.add_argument("--name", help="of the model (default: the file's name)")
    compare.add_argument("--seed", type=int, default=1, help="of the first file; others count up")
    compare.add_argument("--against", metavar="MODELS", help="comma-separated ids (default: all)")
    compare.add_argument(
        "--runs", type=file_path, metavar="FOLDER", help="output folder (default: recorded runs)"
    )
    compare.add_argument(
        "--protocol",
        choices=PROTOCOLS,
        help="repeats: items seen before compete, else not (default: from the config)",
    )
    compare.add_argument(
        "--missing", choices=("refuse", "miss"), default="refuse", help="miss: no list means a miss"
    )
    text = "write training, validation and test interactions for another framework"
    export = add_command(subparsers, "export-split", run_export, text)
    add_output(export, "folder (default: split/DATASET in the config's output)")
    forms = "comma-separated: recbole, csv, text (default: all)"
    export.add_argument("--format", default="recbole,csv,text", metavar="FORMATS", help=forms)
    for command in (compare, export):
        command.add_argument("--dataset", required=True, help="a key under `datasets`")
        command.add_argument("--ids", choices=("raw", "numbers"), default="raw", help=IDS)


def run_compare(args: argparse.Namespace) -> None:
    """Print the metrics of predictions, and how they compare with our runs.

    Raises:
        InputError: A file, data set or run is invalid, or no metric can be computed.
    """
    from elcrec.config.build import LARGEST
    from elcrec.config.config import load_config
    from elcrec.config.sections import External
    from elcrec.evaluation.metrics import METRICS
    from elcrec.external.record import THEIRS, known_metrics, read_external, read_rivals
    from elcrec.tables.compared import compared

    if not 0 <= args.seed <= LARGEST - len(args.files):
        raise InputError(f"--seed {args.seed}: must be from 0 to {LARGEST - len(args.files)}")
    config, files = load_config(args.config), {args.dataset: args.files}
    fields = {
        "name": brief(args.name or args.files[0].stem),
        "ids": args.ids,
        "missing": args.missing,
    }
    external = {THEIRS: External.model_construct(files=files, **fields)}
    config = config.replaced(protocol=args.protocol or config.protocol, external=external)
    theirs = read_external(config, args.dataset, THEIRS)
    metrics = known_metrics(theirs, config.metrics or METRICS)
    against = args.against.split(",") if args.against else []
    rivals = read_rivals(config, theirs[0], against, args.runs)
    print(compared(config, theirs, rivals, metrics, args.seed), end="")


def run_export(args: argparse.Namespace) -> None:
    """Write the split.

    Raises:
        InputError: An unknown format, a data set that is not prepared, ids that do not match, or a
            file that already exists.
    """
    from elcrec.config.config import load_config
    from elcrec.external.record import histories
    from elcrec.external.split import export

    config, formats = load_config(args.config), args.format.split(",")
    sequences = histories(config, args.dataset, args.ids)
    with writing_to(args, config, "split", args.dataset, folder=True) as folder:
        for path in export(f"elcrec-{args.dataset}", sequences, folder, formats):
            print(path)
