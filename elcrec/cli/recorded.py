"""`elcrec recorded add|readme|calibrate`."""

import argparse
import sys
from typing import Any

from elcrec.cli.options import add_command, file_path
from elcrec.errors import InputError

# Each command imports what it needs when it runs: `elcrec --help` must not wait for torch.


def add_commands(subparsers: Any) -> None:
    """Add `recorded` with its commands to the parser of `elcrec`."""
    recorded = subparsers.add_parser("recorded", help="runs of the full protocol, kept in git")
    kinds = recorded.add_subparsers(dest="recorded", required=True, metavar="WHAT")
    text = "put finished runs into the record of a machine"
    adding = add_command(kinds, "add", run_add, text)
    adding.add_argument("machine", help="folder in the record: cpu-2-cores, gpu-h200")
    adding.add_argument(
        "folders",
        nargs="*",
        type=file_path,
        metavar="FOLDER",
        help="of a single run, an output folder or a machine's folder in another record "
        "(default: the config's output)",
    )
    adding.add_argument(
        "--replace", action="store_true", help="take the place of what is recorded otherwise"
    )
    text_of_weights = "keep their weights and lists, too (a few MB each), for `elcrec.load`"
    adding.add_argument("--weights", action="store_true", help=text_of_weights)
    text = "write the results in README.md and docs/results.md from the record"
    readme = add_command(kinds, "readme", run_readme, text)
    readme.add_argument(
        "--check", action="store_true", help="write nothing; status 1 if they are others"
    )
    text = "try the significance tests on the recorded runs: are two seeds of a model different?"
    add_command(kinds, "calibrate", run_calibrate, text)


def run_add(arguments: argparse.Namespace) -> None:
    """Record finished runs and print what is new.

    Raises:
        InputError: Something that may not be recorded; nothing is written then.
    """
    from elcrec.config.config import load_config
    from elcrec.recorded.add import add
    from elcrec.recorded.folder import machine_folder

    config = load_config(arguments.config)
    machine = machine_folder(config.recorded, arguments.machine)
    folders = arguments.folders or [config.output]
    lines = add(config, machine, folders, arguments.replace, arguments.weights)
    print(*lines, sep="\n")


def run_readme(arguments: argparse.Namespace) -> int:
    """Write README's parts and docs/results.md, or compare them; the status says if all was right.

    Raises:
        InputError: The record is not whole, or the README has no place for a part.
    """
    from elcrec import ROOT
    from elcrec.config.config import load_config
    from elcrec.files.atomic import write_text
    from elcrec.recorded.readme import PARTS, put, texts

    readme, details = ROOT / "README.md", ROOT / "docs" / "results.md"
    if not readme.exists():
        raise InputError(f"{readme}: is not there; results are written in a checkout")
    made = texts(load_config(arguments.config))
    after = {readme: readme.read_text(encoding="utf-8"), details: made["docs"]}
    for part in PARTS:
        after[readme] = put(part, made[part], after[readme], readme)
    status = 0
    for path, text in after.items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if arguments.check:
            print(f"elcrec: {path}: the results are not those of the record", file=sys.stderr)
            status = 1
        else:
            write_text(path, text)
            print(f"{path}: results written")
    return status


def run_calibrate(arguments: argparse.Namespace) -> None:
    """Write statistics/rejections.csv and pairs.csv below the record; takes about two minutes.

    Raises:
        InputError: Too few recorded runs, or a damaged record.
    """
    from elcrec.config.config import load_config
    from elcrec.recorded.calibrate import FOLDER, calibration, pairs, rejections, runs_of
    from elcrec.tables.document import write_csv

    config = load_config(arguments.config)
    runs = runs_of(config)
    folder = config.recorded / FOLDER
    write_csv(folder / "pairs.csv", pairs(runs))
    write_csv(folder / "rejections.csv", rejections(runs))
    print(calibration(config), end="")
