"""Compare fresh runs with the reference; the verdict and how it is printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from elcrec.config.config import Config
from elcrec.errors import InputError, in_line, shown
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.nightly.reference import Cell, Reference
from elcrec.runs.reading import load_runs, refuse_other_code
from elcrec.runs.record import RunRecord, read_settings
from elcrec.tables.layout import GAP, plain_table, score

Status = Literal["ok", "regression", "no reference", "not comparable"]
Verdict = Literal["ok", "regression", "incomplete"]

EXIT_STATUS: Mapping[Verdict, int] = {"ok": 0, "regression": 1, "incomplete": 3}
"""Of the command; 2 is bad input."""


@dataclass(frozen=True)
class Outcome:
    """One metric of one model on one data set."""

    dataset: str
    model: str
    metric: str
    seeds: list[int]
    value: float
    """Mean over the seeds, on the test split."""
    reference: float | None
    tolerance: float | None
    """Absolute: of the difference between `value` and `reference`."""
    tolerance_from: str | None
    status: Status
    reason: str
    """Why it is not ok; empty otherwise."""
    commit: str | None
    """Of the runs, the first seed's."""
    device: str
    reference_commit: str | None
    reference_device: list[str] | None

    @property
    def key(self) -> tuple[str, str]:
        """Data set and model."""
        return self.dataset, self.model

    @property
    def difference(self) -> float | None:
        """Value minus reference."""
        return None if self.reference is None else self.value - self.reference

    def as_dict(self) -> dict[str, Any]:
        """For the verdict's file; `ok` is null where nothing could be compared."""
        ok = {"ok": True, "regression": False}.get(self.status)
        return {**vars(self), "difference": self.difference, "ok": ok}


def check(config: Config, reference: Reference, any_code: bool = False) -> list[Outcome]:
    """Compare the runs that `config.replication` names with the reference.

    Raises:
        InputError: A run is missing or not whole, or, unless `any_code` allows it, other code or
            settings than the present made it.
    """
    wanted = config.replication
    outcomes: list[Outcome] = []
    for dataset in wanted.use:
        for model in wanted.models:
            runs, gaps = load_runs(config.output, [dataset], [model], wanted.seeds)
            if gaps:
                folder = config.run_folder(dataset, model, gaps[0].seed)
                raise InputError(
                    f"{folder}: no run yet, which the check needs; "
                    "`snakemake replication_check` makes all of them"
                )
            if not any_code:
                refuse_other_code(config, runs, wanted.models)
            outcomes += compare(runs, reference.get((dataset, model)))
    return outcomes


def compare(runs: Sequence[RunRecord], cell: Cell | None) -> list[Outcome]:
    """Compare all runs of a model on a data set with its cell, metric by metric."""
    if cell is None:
        return [
            _outcome(runs, name, None, "no reference", "no reference yet") for name in TABLE_METRICS
        ]
    other = differences(runs, cell)
    if other:
        reason = f"the reference was recorded with {'; '.join(other)}"
        return [_outcome(runs, name, cell, "not comparable", reason) for name in TABLE_METRICS]
    return [_judge(runs, name, cell) for name in TABLE_METRICS]


def differences(runs: Sequence[RunRecord], cell: Cell) -> list[str]:
    """Say what makes runs and reference different experiments, each `key: then, now …`.

    Settings that only one side has are not compared: they came or went with the code.
    """
    run = runs[0]
    settings = read_settings(run.folder)
    now = {"seeds": [r.seed for r in runs], "protocol": run.protocol, "data": run.data}
    then: dict[str, Any] = {"seeds": cell.seeds, "protocol": cell.protocol, "data": cell.data}
    # Native kernels draw other dropout masks: as another seed would.
    now["kernels"], then["kernels"] = run.kernels.split()[0], cell.kernels.split()[0]
    now["precision"], then["precision"] = settings.precision, cell.precision
    for section, values, present in (
        ("parameters", cell.parameters, settings.parameters),
        ("training", cell.training, settings.training),
    ):
        now |= {f"{section}.{key}": value for key, value in present.items()}
        then |= {f"{section}.{key}": value for key, value in values.items()}
    return [
        f"{in_line(k)} {shown(then[k])}, now {shown(now[k])}"
        for k in then
        if k in now and now[k] != then[k]
    ]


def verdict(outcomes: Iterable[Outcome]) -> Verdict:
    """`ok` only if every cell could be compared and none is a regression."""
    found = {outcome.status for outcome in outcomes}
    if "regression" in found:
        return "regression"
    return "ok" if found == {"ok"} else "incomplete"


def text(outcomes: Sequence[Outcome], config: Config, reference: Path) -> str:
    """A table of all cells, then a line for each one that is not ok and the verdict."""
    header = ["model", "data", "metric", "now", "reference", "difference", "allowed", "from", ""]
    rows = [
        [
            config.model_name(o.model),
            config.dataset_name(o.dataset),
            o.metric,
            score(o.value),
            score(o.reference),
            GAP if o.difference is None else f"{o.difference:+.4f}",
            score(o.tolerance),
            o.tolerance_from or GAP,
            o.status,
        ]
        for o in outcomes
    ]
    faults = [
        f"{o.status.upper()}: {', '.join(row[:3])}: {o.reason}\n"
        for o, row in zip(outcomes, rows, strict=True)
        if o.status != "ok"
    ]
    counts = Counter(o.status for o in outcomes)
    counted = ", ".join(f"{number} {status}" for status, number in counts.items())
    closing = f"Replication check: {verdict(outcomes)} ({counted}; reference {reference})\n"
    return plain_table(header, rows, text=3) + "".join(faults) + closing


def _judge(runs: Sequence[RunRecord], name: str, cell: Cell) -> Outcome:
    value, recorded = _mean(runs, name), cell.metrics[name]
    difference = value - recorded.mean
    if abs(difference) <= recorded.tolerance:
        return _outcome(runs, name, cell, "ok", "")
    side = "above" if difference > 0 else "below"
    reason = (
        f"{score(value)} is {score(abs(difference))} {side} the reference {score(recorded.mean)}, "
        f"allowed {score(recorded.tolerance)}"
    )
    return _outcome(runs, name, cell, "regression", reason)


def _outcome(
    runs: Sequence[RunRecord], name: str, cell: Cell | None, status: Status, reason: str
) -> Outcome:
    recorded = cell.metrics[name] if cell else None
    return Outcome(
        dataset=runs[0].dataset,
        model=runs[0].model,
        metric=name,
        seeds=[run.seed for run in runs],
        value=_mean(runs, name),
        reference=recorded.mean if recorded else None,
        tolerance=recorded.tolerance if recorded else None,
        tolerance_from=recorded.tolerance_from if recorded else None,
        status=status,
        reason=reason,
        commit=runs[0].commit,
        device=runs[0].device,
        reference_commit=cell.commit if cell else None,
        reference_device=cell.device if cell else None,
    )


def _mean(runs: Sequence[RunRecord], name: str) -> float:
    return fmean(run.metrics["test"][name] for run in runs)
