"""Compare fresh runs with the record; the verdict and how it is printed.

The recorded runs of the same seeds are the reference; all those of a model on a data set come from
one machine: see `elcrec.runs.places`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

from elcrec.config.config import Config
from elcrec.errors import InputError, in_line, shown
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.nightly.tolerance import Tolerance, tolerances
from elcrec.runs.comparison import SeedRuns
from elcrec.runs.reading import Found, Runs
from elcrec.runs.record import read_config
from elcrec.tables.layout import GAP, plain_table, score

Status = Literal["ok", "regression", "no reference", "not comparable"]
Verdict = Literal["ok", "regression", "incomplete"]

EXIT_STATUS: Mapping[Verdict, int] = {"ok": 0, "regression": 1, "incomplete": 3}
"""Exit status of the command; 2 means bad input."""


@dataclass(frozen=True)
class Cell:
    """One metric of one model on one data set, in the order of the verdict's file."""

    dataset: str
    model: str
    metric: str
    seeds: list[int]
    value: float
    """Mean over the seeds, on the test split."""
    reference: float | None
    """The same for the recorded runs."""
    difference: float | None
    """Value minus reference."""
    tolerance: float | None
    """Largest absolute difference that is allowed."""
    tolerance_from: str | None
    ok: bool | None
    """None where nothing could be compared."""
    status: Status
    reason: str
    """Why it is not ok; empty otherwise."""
    commit: str | None
    """Commit of the first seed's run."""
    device: str
    reference_commit: list[str]
    reference_device: list[str]


def check(config: Config, any_code: bool = False) -> list[Cell]:
    """Compare the runs that `config.nightly` names with those of the record.

    Raises:
        InputError: There is no record, a run is missing or incomplete, or it was not made with the
            current code and settings, unless `any_code` allows that.
    """
    nightly = config.nightly
    recorded = references(config)
    config = config.replaced(seeds=list(nightly.seeds))
    runs = Runs(config, "take" if any_code else "refuse").find(nightly.use, nightly.models)
    for (dataset, model), group in runs.items():
        for seed in config.seeds:
            if seed not in _seeds(group):
                raise InputError(
                    f"{config.run_folder(dataset, model, seed)}: no run yet; the check needs it;"
                    f" make all runs with: {config.snakemake('replication_check')}"
                )
    cells: list[Cell] = []
    for dataset in nightly.use:
        by_model = {model: recorded[dataset, model] for model in nightly.models}
        complete = {m: group for m, group in by_model.items() if _seeds(group) == config.seeds}
        allowed = tolerances(complete)
        for model, reference in by_model.items():
            cells += compare(runs[dataset, model], reference, allowed.get(model, {}))
    return cells


def references(config: Config) -> Found:
    """Recorded runs of each (data set, model) that the check compares with.

    Raises:
        InputError: None of them is recorded; whole trainings would be compared with nothing.
    """
    nightly = config.nightly
    record = config.replaced(runs="recorded", seeds=list(nightly.seeds))
    runs = Runs(record, "take", trusted=True).find(nightly.use, nightly.models)
    if not any(runs.values()):
        models, datasets = ", ".join(nightly.models), ", ".join(nightly.use)
        raise InputError(
            f"{config.recorded}: has no run of {models} on {datasets}, so there is nothing to "
            f"compare with; add some with: {config.elcrec('recorded', 'add', 'MACHINE', 'FOLDER')}"
        )
    return runs


def _seeds(runs: SeedRuns) -> list[int]:
    return [run.seed for run in runs]


def _mean(runs: SeedRuns, metric: str) -> float:
    return fmean(run.metrics["test"][metric] for run in runs)


def compare(runs: SeedRuns, recorded: SeedRuns, allowed: Mapping[str, Tolerance]) -> Iterator[Cell]:
    """Compare the runs of a model on a data set with the recorded ones, metric by metric.

    Args:
        runs: All seeds of the check.
        recorded: Those of them that are recorded.
        allowed: Metric to tolerance; empty unless all seeds are recorded.
    """
    changes = differences(runs, recorded) if recorded else []
    for metric in TABLE_METRICS:
        value = _mean(runs, metric)
        reference = _mean(recorded, metric) if recorded else None
        tolerance = None if changes else allowed.get(metric)
        status, reason = _judge(value, reference, changes, tolerance)
        yield Cell(
            dataset=runs[0].dataset,
            model=runs[0].model,
            metric=metric,
            seeds=_seeds(runs),
            value=value,
            reference=reference,
            difference=None if reference is None else value - reference,
            tolerance=tolerance.value if tolerance else None,
            tolerance_from=tolerance.source if tolerance else None,
            ok={"ok": True, "regression": False}.get(status),
            status=status,
            reason=reason,
            commit=runs[0].commit,
            device=runs[0].device,
            reference_commit=sorted({str(run.commit) for run in recorded}),
            reference_device=sorted({run.device for run in recorded}),
        )


def _judge(
    value: float, reference: float | None, changes: Sequence[str], allowed: Tolerance | None
) -> tuple[Status, str]:
    """Status of a cell, and the reason if it is not ok."""
    if reference is None:
        return "no reference", "no reference yet"
    if allowed is None:
        return "not comparable", f"the reference was recorded with {'; '.join(changes)}"
    difference = value - reference
    if abs(difference) <= allowed.value:
        return "ok", ""
    side = "above" if difference > 0 else "below"
    return "regression", (
        f"{score(value)} is {score(abs(difference))} {side} the reference {score(reference)}, "
        f"allowed {score(allowed.value)}"
    )


def differences(runs: SeedRuns, recorded: SeedRuns) -> list[str]:
    """What makes the two different experiments, each as `key then, now …`.

    Settings that only one side has are not compared: they came or went with the code. Kernels and
    device may differ, because they change results like another seed would.
    """
    current, reference = _conditions(runs), _conditions(recorded)
    return [
        f"{in_line(k)} {shown(reference[k])}, now {shown(current[k])}"
        for k in reference
        if k in current and current[k] != reference[k]
    ]


def _conditions(runs: SeedRuns) -> dict[str, Any]:
    first = runs[0]
    settings = read_config(first.folder)
    values = {"seeds": _seeds(runs), "protocol": first.protocol, "data": first.data}
    values |= {"precision": settings.precision}
    values |= {f"parameters.{key}": value for key, value in settings.parameters.items()}
    return values | {f"training.{key}": value for key, value in settings.training.items()}


def verdict(cells: Iterable[Cell]) -> Verdict:
    """`ok` only if every cell could be compared and none is a regression."""
    statuses = {cell.status for cell in cells}
    if "regression" in statuses:
        return "regression"
    return "ok" if statuses == {"ok"} else "incomplete"


def text(cells: Sequence[Cell], config: Config) -> str:
    """A table of all cells, then a line for each one that is not ok and the verdict."""
    columns = ["model", "data", "metric", "now", "reference", "difference", "allowed", "from", ""]
    rows = [
        [
            *(config.model_name(cell.model), config.dataset_name(cell.dataset), cell.metric),
            *(score(cell.value), score(cell.reference)),
            GAP if cell.difference is None else f"{cell.difference:+.4f}",
            *(score(cell.tolerance), cell.tolerance_from or GAP, cell.status),
        ]
        for cell in cells
    ]
    lines = [
        f"{cell.status.upper()}: {config.model_name(cell.model)}, "
        f"{config.dataset_name(cell.dataset)}, {cell.metric}: {cell.reason}\n"
        for cell in cells
        if cell.status != "ok"
    ]
    counts = Counter(cell.status for cell in cells)
    counted = ", ".join(f"{number} {status}" for status, number in counts.items())
    lines.append(f"Replication check: {verdict(cells)} ({counted}; reference {config.recorded})\n")
    return plain_table(columns, rows, text=3) + "".join(lines)
