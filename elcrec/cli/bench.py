"""`elcrec bench`: its options, and which kind of benchmark runs.

Modules that import torch are loaded only when the command runs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elcrec.cli.options import add_command, add_device, add_force, add_kernels, file_path
from elcrec.errors import InputError

if TYPE_CHECKING:
    from elcrec.bench.measure import Plan
    from elcrec.bench.subject import Job

FORMAT = 2
FIGURE = Path("bench-scale.png")
Results = tuple[dict[str, Any], str]
"""What goes into the JSON file, and what is printed."""


def add_commands(subparsers: Any) -> None:
    """Add `bench` to the parser of `elcrec`."""
    text = "measure time and memory of training steps, epochs and evaluations"
    bench = add_command(subparsers, "bench", run, text)
    add = bench.add_argument
    add("--dataset", action="append", help="a data set of the config; repeatable (default: beauty)")
    add("--model", action="append", help="a model or a YAML file; repeatable (default: elcrec)")
    add("--repeats", type=int, help="rounds of steps and evaluation (default: 5; --suite: 2)")
    add("--steps", type=int, help="steps per round (default: 10; on a GPU: one epoch)")
    add("--epochs", type=int, help="full epochs to time (3; else 0: computed from the steps)")
    add_device(bench)
    add_kernels(bench)
    add("--set", nargs="*", action="extend", default=[], metavar="KEY=VALUE", help="overrides")
    add("--json", type=file_path, metavar="FILE", help="also write all results to this file")
    add_force(bench, "replace existing files")
    add("--profile", action="store_true", help="profile some steps and print their operators")
    add("--scale-budget", type=float, default=300.0, metavar="SECONDS", help="total time (300)")
    add("--scale-from", type=file_path, metavar="JSON", help="measure only what this record lacks")
    add = bench.add_mutually_exclusive_group().add_argument
    add("--against", type=file_path, metavar="DIR", help="time a checkout of the authors' code too")
    add("--peer", choices=["recbole"], help="time another framework too; must be installed")
    add("--suite", action="store_true", help="time of every run of the config, and the total")
    add("--scale", action="store_true", help="scaling with users, items, L and K")
    add("--serve", action="store_true", help="latency of 1 and 1,024 requests, and size, by model")


def run(args: argparse.Namespace) -> int:
    """Measure, print, and write the JSON file.

    Returns:
        The exit status: 2 if a model could not be measured; a suite only lists such gaps.

    Raises:
        InputError: An option, the checkout, the configuration or the data is invalid.
    """
    for name, least in (("repeats", 1), ("steps", 1), ("epochs", 0)):
        value = getattr(args, name)
        if value is not None and value < least:
            raise InputError(f"--{name} {value}: must be {least} or more")
    if not args.scale_budget > 0:
        raise InputError(f"--scale-budget {args.scale_budget:g}: must be more than 0")
    kinds = {"scale": _scale, "against": _against, "peer": _peer, "serve": _serve}
    kind = next((k for k in ("suite", *kinds) if getattr(args, k)), "models")
    if args.profile and kind != "models":
        raise InputError(f"--profile: cannot be combined with --{kind}")
    _check_places(args, kind)
    results, text = kinds.get(kind, _models)(args)
    print(text, end="")
    if args.json:
        from elcrec.files.atomic import write_json
        from elcrec.jobs.environment import command

        record = {"format": FORMAT, "kind": kind, "command": command(), **results}
        write_json(args.json, record)
    return 2 if kind == "models" and any("not_run" in m for m in results["models"]) else 0


def _check_places(args: argparse.Namespace, kind: str) -> None:
    """Refuse, before anything is measured, a device or file that cannot be used."""
    from elcrec.files.atomic import check_replaceable, protecting
    from elcrec.files.paths import check_folder
    from elcrec.jobs.device import find

    find(args.device)
    for path in filter(None, [args.json, FIGURE if kind == "scale" else None]):
        with protecting(None if args.force else path):
            check_folder(path.parent)
            check_replaceable(path)


def _models(args: argparse.Namespace) -> Results:
    from elcrec.bench import suite, text
    from elcrec.config.config import load_config

    config = load_config(args.config)
    if args.suite:
        datasets, models = args.dataset or config.use, args.model or config.models
        jobs = suite.jobs_of(_job(args, "", ""), datasets, models)
    else:
        pairs = [(d, m) for d in args.dataset or ["beauty"] for m in args.model or ["elcrec"]]
        jobs = [_job(args, dataset, model) for dataset, model in pairs]
        for job in jobs:  # refused before anything is measured; a suite lists its gaps
            job.check()
    plan = _plan(args, repeats=2, epochs=0) if args.suite else _plan(args)
    records = suite.measure_all(jobs, plan, args.profile, _report)
    results: dict[str, Any] = {"models": records}
    if args.suite:
        results["total"] = suite.total(records, config)
    return results, text.models(results)


def _against(args: argparse.Namespace) -> Results:
    from elcrec.bench import released, text

    job = _single_job(args, "--against")
    results = released.against(args.against, job, _plan(args, epochs=0), _report)
    return results, text.against(results)


def _peer(args: argparse.Namespace) -> Results:
    from elcrec.bench import recbole, text

    results = recbole.peer(_single_job(args, "--peer"), _plan(args, epochs=0), _report)
    return results, text.against(results)


def _scale(args: argparse.Namespace) -> Results:
    from elcrec.bench import growth, plot, text

    job = _single_job(args, "--scale")
    record = growth.grow(job, args.scale_budget, report=_report, earlier=args.scale_from)
    plot.draw(record, FIGURE)
    return record, f"{text.scale(record)}Figure: {FIGURE}\n"


def _serve(args: argparse.Namespace) -> Results:
    from elcrec.bench import serve, text
    from elcrec.config.config import load_config
    from elcrec.runs.plan import SIMPLE

    models = args.model or dict.fromkeys([*load_config(args.config).models, *SIMPLE])
    jobs = [_job(args, d, m) for d in args.dataset or ["beauty"] for m in models]
    for job in jobs:  # refused before anything is measured
        job.check()
    results = serve.measure_all(jobs, _plan(args).repeats, _report)
    return results, text.served(results)


def _single_job(args: argparse.Namespace, option: str) -> Job:
    """The only job."""
    for name in ("model", "dataset"):
        count = len(set(getattr(args, name) or ()))
        if count > 1:
            raise InputError(f"{option}: takes one --{name}, not {count}")
    return _job(args, *(args.dataset or ["beauty"])[:1], *(args.model or ["elcrec"])[:1])


def _job(args: argparse.Namespace, dataset: str, model: str) -> Job:
    from elcrec.bench.subject import Job
    from elcrec.runs.settings import parse_overrides

    options = {key: getattr(args, key) for key in ("device", "threads", "kernels")}
    config, overrides = tuple(map(str, args.config)), parse_overrides(args.set)
    return Job(dataset, model, config, overrides, **options)


def _plan(args: argparse.Namespace, repeats: int = 5, epochs: int = 3) -> Plan:
    from elcrec.bench.measure import Plan

    rounds = repeats if args.repeats is None else args.repeats
    return Plan(rounds, args.steps, epochs if args.epochs is None else args.epochs)


def _report(line: str) -> None:
    """Progress, on standard error."""
    print(f"bench: {line}", file=sys.stderr, flush=True)
