"""How long every run of a configuration takes, and all of them together."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import pandas as pd

from elcrec.bench.measure import Plan, Report, measure
from elcrec.bench.subject import Job
from elcrec.config.config import Config
from elcrec.errors import InputError


def jobs_of(template: Job, datasets: Iterable[str], models: Sequence[str]) -> list[Job]:
    """A job for every data set and model; a model that others start from comes once, first.

    Args:
        template: Everything but data set and model.
        datasets: Data sets of the configuration.
        models: Model ids, or paths to YAML files.

    Raises:
        InputError: A configuration, model, setting or data set is invalid.
    """
    jobs: list[Job] = []
    for dataset, model in product(datasets, models):
        job = replace(template, dataset=dataset, model=model)
        config, settings = job.resolve()
        config.dataset(dataset)
        candidates = [replace(job, model=name) for name in (settings.starts_from, model) if name]
        jobs += [job for job in candidates if job not in jobs]
    return jobs


def measure_all(
    jobs: Sequence[Job],
    plan: Plan,
    profile: bool = False,
    report: Report = lambda line: None,
    measure: Callable[[Job, Plan, bool], dict[str, Any]] = measure,
) -> list[dict[str, Any]]:
    """Measure every job; returns for each the result of `measure`, or `not_run`, the reason.

    Args:
        jobs: What is measured.
        plan: How much of each.
        profile: As for `measure`.
        report: Called before each job, and with each error.
        measure: Measures a job.

    Raises:
        InputError: No job could be measured; the first reason.
    """
    records: list[dict[str, Any]] = []
    for number, job in enumerate(jobs, 1):
        report(f"{number} of {len(jobs)}: {job.model} on {job.dataset} ...")
        try:
            job.check()
            record = measure(job, plan, profile)
            records.append(record | {"run": run_seconds(record)})
        except InputError as error:
            report(str(error))
            named = {"dataset": job.dataset, "name": job.resolve()[1].name}
            records.append(named | {"not_run": str(error)})
    if all("not_run" in record for record in records):
        raise InputError(records[0]["not_run"])
    return records


def run_seconds(record: dict[str, Any]) -> dict[str, float]:
    """Bounds of a run's time, from medians.

    Args:
        record: What `measure` gave.

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
    bounds = {"most": once + most * epoch, "least": once + least * epoch}
    return {"once": once, "epoch": epoch, "epochs_most": most, "epochs_least": least, **bounds}


def total(records: Sequence[dict[str, Any]], config: Config) -> dict[str, Any]:
    """Seconds of all runs of a configuration, one after another.

    Args:
        records: As from `measure_all`.
        config: Says how many seeds there are, and what is measured for Tables 2 and 3.

    Returns:
        `seeds`; `runs`: their number, and `most` and `least`: their seconds; `measurements`: number
        of those for Tables 2 and 3, and `measuring`: their seconds; `missing`: number of those
        not measured, which the sums leave out.
    """
    runs = pd.DataFrame([{"model": r["model"], **r["run"]} for r in records if "run" in r])
    seeds, efficiency = len(config.seeds), config.efficiency
    measured = runs[runs["model"].isin(efficiency.models)]
    epochs = efficiency.epochs + 1  # one more warms up
    return {
        "seeds": seeds,
        "runs": seeds * len(runs),
        "most": seeds * runs["most"].sum(),
        "least": seeds * runs["least"].sum(),
        "measurements": len(measured),
        "measuring": (measured["once"] + epochs * measured["epoch"]).sum(),
        "missing": len(records) - len(runs),
    }
