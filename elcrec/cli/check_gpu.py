"""`elcrec check-gpu`."""

import argparse
import sys
from pathlib import Path
from typing import Any

from elcrec import ROOT
from elcrec.cli.options import add_command, add_device, add_force, file_path
from elcrec.errors import InputError

PLAN = ROOT / "workflow" / "config" / "gpu-plan.yaml"


def add_commands(subparsers: Any) -> None:
    """Add `check-gpu` to the parser of `elcrec`."""
    text = "check what works on this GPU and how fast, then use the remaining time for full runs"
    parser = add_command(subparsers, "check-gpu", run, text)
    add = parser.add_argument
    add("--minutes", type=float, default=8.0, help="total time (default: 8)")
    add("--dataset", default="beauty", help="a data set of the config (default: beauty)")
    add("--plan", type=file_path, default=PLAN, help="full runs, a plan as for batch")
    add_device(parser)
    add("--output", type=file_path, help="folder (default: check-gpu in the config's output)")
    add_force(parser, "continue in a folder outside the config's output, replacing its files")
    add("--stamp", action="store_true", help="only stamp the files for a machine without git")


def run(args: argparse.Namespace) -> int:
    """Check, print the findings and where they are written; status 1 if a part failed.

    Raises:
        InputError: The device, data set, plan or folder cannot be used; nothing is done then.
    """
    from elcrec.jobs.environment import stamp

    if args.stamp:
        print(stamp())
        return 0
    from elcrec.bench.check_gpu import NAMES, Check
    from elcrec.bench.subject import Job
    from elcrec.config.config import load_config
    from elcrec.files.atomic import protecting
    from elcrec.files.paths import check_folder
    from elcrec.jobs.device import find

    if not args.minutes > 0:
        raise InputError(f"--minutes {args.minutes:g}: must be above 0")
    if find(args.device).type == "cpu" and args.device != "cpu":
        raise InputError("no GPU found; --device cpu tries out the command on the CPU")
    config = load_config(args.config)
    config.prepared_file(args.dataset)
    folder: Path = args.output or config.output / "check-gpu"
    in_output = folder.resolve().is_relative_to(config.output.resolve())
    with protecting(None if args.force or in_output else folder / NAMES[0]):
        check_folder(folder)
    files = tuple(map(str, args.config))
    job = Job(args.dataset, "", files, device=args.device, threads=args.threads)
    check = Check(config, job, folder, 60 * args.minutes, _plan(args.plan, config), _report)
    print(check.carry_out(), end="")
    print(f"\nFull results: {folder / NAMES[2]}")
    return int(any("failed" in part for part in check.parts.values()))


def _plan(path: Path, config: Any) -> list[dict[str, list[Any]]]:
    """The runs of a plan, one per entry: on prepared data sets, and not yet recorded on a GPU.

    Runs recorded on a CPU do not count, because a mean is over runs of one machine.
    """
    from elcrec.jobs.batch import read_plan
    from elcrec.recorded.folder import recorded_runs
    from elcrec.runs.places import machines

    recorded = (run for machine in machines(config.recorded) for run in recorded_runs(machine))
    recorded_keys = {run.key for run in recorded if run.environment.cuda}
    return [
        {"datasets": [run.dataset], "models": [run.model], "seeds": [run.seed]}
        for run in read_plan(path, config)
        if (run.dataset, run.model, "", run.seed) not in recorded_keys
        and config.sequences_file(run.dataset).exists()
    ]


def _report(line: str) -> None:
    """Progress, on standard error."""
    print(f"check-gpu: {line}", file=sys.stderr, flush=True)
