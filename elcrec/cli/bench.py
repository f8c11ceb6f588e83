"""`elcrec bench`: its options, and which of its four kinds is run.

Modules that import torch are loaded when the command runs.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elcrec.cli.options import add_config, add_kernels
from elcrec.errors import InputError

if TYPE_CHECKING:
    from elcrec.bench.job import Job
    from elcrec.bench.rounds import Plan


FORMAT = 1


def add_commands(subparsers: Any) -> None:
    """Add `bench` to the parser of `elcrec`."""
    bench = subparsers.add_parser("bench", help="seconds and memory of steps, epochs, evaluations")
    bench.add_argument(
        "--dataset", action="append", help="a data set of the config; may be repeated (beauty)"
    )
    bench.add_argument(
        "--model", action="append", help="a model, or a YAML file; may be repeated (elcrec)"
    )
    bench.add_argument("--repeats", type=int, help="rounds of steps and evaluation (5; suite 2)")
    bench.add_argument("--steps", type=int, help="steps of a round (10; on a GPU an epoch's)")
    bench.add_argument("--epochs", type=int, help="whole epochs (3; else 0: computed)")
    bench.add_argument("--seed", type=int, default=1)
    bench.add_argument("--threads", type=int, help="CPU threads (default: of the config)")
    bench.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    bench.add_argument("--graphs", action="store_true", help="steps from CUDA graphs, on a GPU")
    add_kernels(bench)
    bench.add_argument(
        "--set", nargs="*", action="extend", default=[], metavar="KEY=VALUE", help="overrides"
    )
    bench.add_argument("--json", type=Path, metavar="FILE", help="write everything there, too")
    bench.add_argument("--profile", action="store_true", help="print the operators of some steps")
    add_config(bench)
    kinds = bench.add_mutually_exclusive_group()
    kinds.add_argument(
        "--against",
        type=Path,
        metavar="PATH",
        help="your checkout of the authors' released code, measured in turn with ELCRec",
    )
    kinds.add_argument(
        "--suite", action="store_true", help="every run of the config: its time, and that of all"
    )
    kinds.add_argument("--scale", action="store_true", help="growth with users, items, L and K")
    _add_scale(bench.add_argument_group("with --scale"))
    bench.set_defaults(run=run)


def _add_scale(group: Any) -> None:
    group.add_argument(
        "--scale-budget", type=float, default=300.0, metavar="SECONDS", help="of all points (300)"
    )
    group.add_argument(
        "--scale-memory", type=float, metavar="GIB", help="of a point (80%% of what is free)"
    )
    group.add_argument(
        "--scale-factor",
        action="append",
        choices=("users", "items", "max_length", "intents"),
        help="may be repeated (all)",
    )
    group.add_argument(
        "--scale-from", type=Path, metavar="JSON", help="measure only what this record lacks"
    )
    group.add_argument(
        "--scale-plot", type=Path, default=Path("bench-scale.png"), metavar="PNG", help="figure"
    )


def run(arguments: argparse.Namespace) -> None:
    """Measure, print, and write the JSON file.

    Raises:
        InputError: An option, the checkout, the configuration or the data that is not right.
    """
    for name, least in (("repeats", 1), ("steps", 1), ("epochs", 0), ("threads", 1)):
        value = getattr(arguments, name)
        if value is not None and value < least:
            raise InputError(f"--{name} {value}: must be {least} or more")
    if arguments.suite:
        kind, found, text = _suite(arguments)
    elif arguments.scale:
        kind, found, text = _scale(arguments, _jobs(arguments))
    elif arguments.against:
        kind, found, text = _against(arguments, _jobs(arguments))
    else:
        kind, found, text = _models(arguments, _jobs(arguments))
    print(text, end="")
    if arguments.json:
        from elcrec.files.atomic import write_text

        record = {"format": FORMAT, "kind": kind, "command": list(_command()), **found}
        write_text(arguments.json, json.dumps(record, indent=2) + "\n")


def _models(args: argparse.Namespace, jobs: list[Job]) -> tuple[str, dict[str, Any], str]:
    from elcrec.bench import text
    from elcrec.bench.job import check, measure

    for job in jobs:
        check(job)
    records = []
    for job in jobs:
        _say(f"{job.model} on {job.dataset} ...")
        records.append(measure(job, _plan(args, epochs=3), args.profile))
    return "models", {"models": records}, text.models(records) + text.profiles(records)


def _against(args: argparse.Namespace, jobs: list[Job]) -> tuple[str, dict[str, Any], str]:
    from elcrec.bench import checkout, text
    from elcrec.bench.against import compare, released_settings
    from elcrec.bench.job import check

    _one(jobs, "--against")
    if args.profile:
        raise InputError("--profile: not with --against")
    found = checkout.find(args.against)
    check(jobs[0])
    released_settings(jobs[0])  # refused before anything is said
    _say(f"{jobs[0].model} and the released code on {jobs[0].dataset}, in turn ...")
    compared = compare(jobs[0], found, _plan(args, epochs=0))
    return "against", compared, text.against(compared)


def _scale(args: argparse.Namespace, jobs: list[Job]) -> tuple[str, dict[str, Any], str]:
    from elcrec.bench import plot, scale, text
    from elcrec.bench.capacity import GIB
    from elcrec.bench.growth import Earlier

    _one(jobs, "--scale")
    if args.profile:
        raise InputError("--profile: not with --scale")
    if args.scale_budget <= 0 or (args.scale_memory is not None and args.scale_memory <= 0):
        raise InputError("--scale-budget and --scale-memory: must be more than 0")
    memory = args.scale_memory * GIB if args.scale_memory else None
    earlier = Earlier(args.scale_from) if args.scale_from else None
    limits = scale.Limits(args.scale_budget, memory)
    factors = args.scale_factor or tuple(scale.FACTORS)
    grown = scale.grow(jobs[0], limits, factors, report=_say, earlier=earlier)
    plot.draw(grown, args.scale_plot)
    return "scale", grown, f"{text.scale(grown)}Figure: {args.scale_plot}\n"


def _suite(args: argparse.Namespace) -> tuple[str, dict[str, Any], str]:
    from elcrec.bench import suite, text
    from elcrec.config.config import load_config

    if args.profile:
        raise InputError("--profile: not with --suite")
    config = load_config(args.config)
    jobs = suite.jobs_of(
        _job(args, "", ""), args.dataset or config.use, args.model or config.models
    )
    found = suite.measure_all(jobs, _plan(args, epochs=0, repeats=2), config, _say)
    return "suite", found, text.suite(found)


def _jobs(args: argparse.Namespace) -> list[Job]:
    return [
        _job(args, dataset, model)
        for dataset in args.dataset or ["beauty"]
        for model in args.model or ["elcrec"]
    ]


def _job(args: argparse.Namespace, dataset: str, model: str) -> Job:
    from elcrec.bench.job import Job
    from elcrec.runs.settings import parse_overrides

    return Job(
        dataset=dataset,
        model=model,
        config=tuple(map(str, args.config)),
        overrides=parse_overrides(args.set),
        seed=args.seed,
        device=args.device,
        threads=args.threads,
        graphs=args.graphs,
        kernels=args.kernels,
        command=_command(),
    )


def _plan(args: argparse.Namespace, epochs: int, repeats: int = 5) -> Plan:
    from elcrec.bench.rounds import Plan

    chosen = repeats if args.repeats is None else args.repeats
    return Plan(chosen, args.steps, epochs if args.epochs is None else args.epochs)


def _one(jobs: list[Job], option: str) -> None:
    for what, count in (
        ("--model", len({job.model for job in jobs})),
        ("--dataset", len({job.dataset for job in jobs})),
    ):
        if count > 1:
            raise InputError(f"{option}: takes one {what}, not {count}")


def _command() -> tuple[str, ...]:
    return ("elcrec", *sys.argv[1:])


def _say(line: str) -> None:
    """Progress, on standard error."""
    print(f"bench: {line}", file=sys.stderr, flush=True)
