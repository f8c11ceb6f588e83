"""Compare fresh runs with the record; the verdict and how it is printed.

The recorded runs of the same seeds are the reference, all of a model on a data set from one
machine: see `elcrec.runs.places`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any, Literal

from elcrec.config.config import Config
from elcrec.errors import InputError, in_line, shown
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.files.yamlfile import read_yaml
from elcrec.nightly.tolerance import Tolerance, tolerances
from elcrec.runs.comparison import SeedRuns
from elcrec.runs.plan import runs_of
from elcrec.runs.reading import Runs
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
    """The same of the recorded runs."""
    tolerance: float | None
    """Absolute: of the difference between `value` and `reference`."""
    tolerance_from: str | None
    status: Status
    reason: str
    """Why it is not ok; empty otherwise."""
    commit: str | None
    """Of the runs, the first seed's."""
    device: str
    reference_commit: list[str]
    reference_device: list[str]

    @property
    def difference(self) -> float | None:
        """Value minus reference."""
        return None if self.reference is None else self.value - self.reference

    def as_dict(self) -> dict[str, Any]:
        """For the verdict's file; `ok` is null where nothing could be compared."""
        ok = {"ok": True, "regression": False}.get(self.status)
        return asdict(self) | {"difference": self.difference, "ok": ok}


def check(config: Config, any_code: bool = False) -> list[Outcome]:
    """Compare the runs that `config.nightly` names with those of the record.

    Raises:
        InputError: There is no record, a run is missing or not whole, or, unless `any_code` allows
            it, other code or settings than the present made it.
    """
    wanted = config.nightly
    config = config.replaced(seeds=list(wanted.seeds))
    planned = runs_of(config, wanted.use, wanted.models)
    runs, gaps = Runs(config, "take" if any_code else "refuse").read(planned)
    if gaps:
        folder = config.run_folder(gaps[0].dataset, gaps[0].model, gaps[0].seed)
        raise InputError(
            f"{folder}: no run yet, which the check needs; "
            "`snakemake replication_check` makes all of them"
        )
    reader = Runs(config.replaced(runs="recorded"), "take", trusted=True)
    recorded = reader.find(wanted.use, wanted.models)
    outcomes: list[Outcome] = []
    for dataset in wanted.use:
        own = {model: recorded[dataset, model] for model in wanted.models}
        whole = {model: found for model, found in own.items() if _seeds(found) == config.seeds}
        allowed = tolerances(whole)
        for model, reference in own.items():
            fresh = [run for run in runs if (run.dataset, run.model) == (dataset, model)]
            outcomes += compare(fresh, reference, allowed.get(model, {}))
    return outcomes


def _seeds(runs: SeedRuns) -> list[int]:
    return [run.seed for run in runs]


def compare(runs: SeedRuns, recorded: SeedRuns, allowed: Mapping[str, Tolerance]) -> list[Outcome]:
    """Compare the runs of a model on a data set with the recorded ones, metric by metric.

    Args:
        runs: All seeds of the check.
        recorded: Those of them that are recorded.
        allowed: Metric to tolerance; of recorded runs of all seeds.
    """
    other = differences(runs, recorded) if recorded else []
    outcomes = []
    for name in TABLE_METRICS:
        value = _mean(runs, name)
        reference = _mean(recorded, name) if recorded else None
        tolerance = None if other else allowed.get(name)
        status, reason = _judge(value, reference, other, tolerance)
        outcomes.append(
            Outcome(
                dataset=runs[0].dataset,
                model=runs[0].model,
                metric=name,
                seeds=_seeds(runs),
                value=value,
                reference=reference,
                tolerance=tolerance.value if tolerance else None,
                tolerance_from=tolerance.source if tolerance else None,
                status=status,
                reason=reason,
                commit=runs[0].commit,
                device=runs[0].device,
                reference_commit=sorted({str(run.commit) for run in recorded}),
                reference_device=sorted({run.device for run in recorded}),
            )
        )
    return outcomes


def _judge(
    value: float, reference: float | None, other: Sequence[str], allowed: Tolerance | None
) -> tuple[Status, str]:
    """What becomes of a cell, and why if it is not ok."""
    if reference is None:
        return "no reference", "no reference yet"
    if allowed is None:
        return "not comparable", f"the reference was recorded with {'; '.join(other)}"
    difference = value - reference
    if abs(difference) <= allowed.value:
        return "ok", ""
    side = "above" if difference > 0 else "below"
    return "regression", (
        f"{score(value)} is {score(abs(difference))} {side} the reference {score(reference)}, "
        f"allowed {score(allowed.value)}"
    )


def differences(runs: SeedRuns, recorded: SeedRuns) -> list[str]:
    """Say what makes the two different experiments, each `key: then, now …`.

    Settings that only one side has are not compared: they came or went with the code. Kernels and
    device may differ, for they change what another seed would.
    """
    now, then = _made_with(runs), _made_with(recorded)
    return [
        f"{in_line(k)} {shown(then[k])}, now {shown(now[k])}"
        for k in then
        if k in now and now[k] != then[k]
    ]


def _made_with(runs: SeedRuns) -> dict[str, Any]:
    first = runs[0]
    path = first.folder / "config.yaml"
    settings = {"precision": "float32"} | read_yaml(path)
    found = {"seeds": _seeds(runs), "protocol": first.protocol, "data": first.data}
    found["precision"] = settings["precision"]
    for section in ("parameters", "training"):
        values = settings.get(section)
        if not isinstance(values, dict):
            raise InputError(f"{path}: {section}: must be a mapping of settings to values")
        found |= {f"{section}.{key}": value for key, value in values.items()}
    return found


def verdict(outcomes: Iterable[Outcome]) -> Verdict:
    """`ok` only if every cell could be compared and none is a regression."""
    found = {outcome.status for outcome in outcomes}
    if "regression" in found:
        return "regression"
    return "ok" if found == {"ok"} else "incomplete"


def text(outcomes: Sequence[Outcome], config: Config) -> str:
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
    closing = f"Replication check: {verdict(outcomes)} ({counted}; reference {config.recorded})\n"
    return plain_table(header, rows, text=3) + "".join(faults) + closing


def _mean(runs: SeedRuns, name: str) -> float:
    return fmean(run.metrics["test"][name] for run in runs)
