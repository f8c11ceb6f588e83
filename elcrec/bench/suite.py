"""`elcrec bench --suite`: what every run of a configuration takes, and all of them together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from elcrec.bench.job import Job, check, measure
from elcrec.bench.rounds import Plan
from elcrec.config.config import Config
from elcrec.errors import InputError

Measure = Callable[[Job, Plan], dict[str, Any]]
"""Measures a job: `elcrec.bench.job.measure`."""


def jobs_of(template: Job, datasets: Iterable[str], models: Sequence[str]) -> list[Job]:
    """A job for every data set and model; one that others start from comes once, before them.

    Args:
        template: Everything but data set and model.
        datasets: Data sets of the configuration.
        models: Model ids, or paths to YAML files.

    Raises:
        InputError: A configuration, model, setting or data set that is not right.
    """
    jobs: dict[tuple[str, str], Job] = {}
    for dataset in datasets:
        for model in models:
            job = replace(template, dataset=dataset, model=model)
            config, settings = job.resolve()
            config.dataset(dataset)
            if settings.starts_from:
                before = replace(job, model=settings.starts_from)
                jobs.setdefault((dataset, before.model), before)
            jobs.setdefault((dataset, settings.model), job)
    return list(jobs.values())


def measure_all(
    jobs: Sequence[Job],
    plan: Plan,
    config: Config,
    report: Callable[[str], None] = lambda line: None,
    measure: Measure = measure,
) -> dict[str, Any]:
    """Measure every job in a process of its own, and reckon what all runs take.

    Args:
        jobs: As `jobs_of` gives them.
        plan: How much is measured of each.
        config: Says how many seeds there are, and what is measured for Tables 2 and 3.
        report: Called with a line before each job.
        measure: Measures a job.

    Returns:
        `pairs`: for every job what `measure` gives and `run` (see `run_seconds`), or `not_run`, the
        reason; `total`: see `total`.

    Raises:
        InputError: No job could be measured; the first reason.
    """
    pairs: list[dict[str, Any]] = []
    for number, job in enumerate(jobs, 1):
        report(f"{number} of {len(jobs)}: {job.model} on {job.dataset} ...")
        try:
            check(job)
            record = measure(job, plan)
        except InputError as error:
            report(str(error))
            named = {"dataset": job.dataset, "model": job.model}
            pairs.append({**named, "name": job.resolve()[1].name, "not_run": str(error)})
        else:
            pairs.append({**record, "run": run_seconds(record)})
    if all("not_run" in pair for pair in pairs):
        raise InputError(str(pairs[0]["not_run"]))
    return {"pairs": pairs, "total": total(pairs, config)}


def run_seconds(record: dict[str, Any]) -> dict[str, float]:
    """Bounds of a run's time, from medians.

    Args:
        record: What `elcrec.bench.job.measure` gave.

    Returns:
        `once`: seconds before the first epoch, and of the test; `epoch`: of an epoch with
        validation; `epochs_most` and `epochs_least`: with early stopping, the best epoch is at
        least the first; `most` and `least`: seconds of a run with so many.
    """
    training, seconds = record["settings"]["training"], record["seconds"]
    most = training["max_epochs"]
    least = min(most, training["patience"] + 1) if training["patience"] else most
    evaluation, epoch = seconds["evaluation"]["median"], seconds["epoch"]["median"]
    once = record["seconds_to_prepare"] + seconds["start_training"] + evaluation
    return {
        "once": once,
        "epoch": epoch,
        "epochs_most": most,
        "epochs_least": least,
        "most": once + most * epoch,
        "least": once + least * epoch,
    }


def total(pairs: Iterable[dict[str, Any]], config: Config) -> dict[str, Any]:
    """Seconds of all runs, one after the other.

    Returns:
        `seeds`; `runs`: their number, and `most` and `least`: their seconds; `measurements`: number
        of those for Tables 2 and 3, and `measuring`: their seconds; `missing`: pairs not measured,
        which no sum contains.
    """
    pairs = list(pairs)
    runs = [p["run"] for p in pairs if "not_run" not in p]
    seeds, efficiency = len(config.seeds), config.efficiency
    measured = [p["run"] for p in pairs if "run" in p and p["model"] in efficiency.models]
    epochs = efficiency.epochs + 1  # one more warms up
    return {
        "seeds": seeds,
        "runs": seeds * len(runs),
        "most": seeds * sum(run["most"] for run in runs),
        "least": seeds * sum(run["least"] for run in runs),
        "measurements": len(measured),
        "measuring": sum(run["once"] + epochs * run["epoch"] for run in measured),
        "missing": len(pairs) - len(runs),
    }
