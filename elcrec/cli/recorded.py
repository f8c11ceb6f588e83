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
    text = "add finished runs to the record of a machine"
    parser = add_command(kinds, "add", run_add, text)
    parser.add_argument("machine", help="folder in the record, e.g. cpu-2-cores or gpu-h200")
    parser.add_argument(
        "folders",
        nargs="*",
        type=file_path,
        metavar="FOLDER",
        help="a single run, an output folder or a machine's folder in another record "
        "(default: the config's output)",
    )
    parser.add_argument(
        "--replace", action="store_true", help="replace recorded runs that differ from these"
    )
    text_of_weights = "also keep their weights and lists (a few MB each), for `elcrec.load`"
    parser.add_argument("--weights", action="store_true", help=text_of_weights)
    text = "write the results of the record into README.md, docs/results.md and its own READMEs"
    readme = add_command(kinds, "readme", run_readme, text)
    readme.add_argument(
        "--check", action="store_true", help="write nothing; exit status 1 if they differ"
    )
    text = "calibrate the significance tests on the recorded runs: do two seeds of a model differ?"
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
    """Write what follows from the record, or compare it; status 1 if a file differs.

    That is: the results in README.md, docs/results.md, and README.md of each recorded machine.

    Raises:
        InputError: The record is incomplete, or the README has no place for a part.
    """
    from elcrec import ROOT
    from elcrec.config.config import load_config
    from elcrec.files.atomic import write_text
    from elcrec.recorded.about import about
    from elcrec.recorded.folder import recorded_runs
    from elcrec.recorded.readme import PARTS, put, texts
    from elcrec.runs.places import machines

    readme, details = ROOT / "README.md", ROOT / "docs" / "results.md"
    if not readme.exists():
        raise InputError(f"{readme}: does not exist; results can be written only in a checkout")
    config = load_config(arguments.config)
    generated = texts(config)
    contents = {readme: readme.read_text(encoding="utf-8"), details: generated["docs"]}
    for part in PARTS:
        contents[readme] = put(part, generated[part], contents[readme], readme)
    for machine in machines(config.recorded):
        contents[machine / "README.md"] = about(config, recorded_runs(machine))
    status = 0
    for path, text in contents.items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if arguments.check:
            print(f"elcrec: {path}: the results differ from the record", file=sys.stderr)
            status = 1
        else:
            write_text(path, text)
            print(f"{path}: results written")
    return status


def run_calibrate(arguments: argparse.Namespace) -> None:
    """Write statistics/rejections.csv and pairs.csv in the record; takes about two minutes.

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
