"""Claims about training: ablation, sensitivity, convergence."""

from collections.abc import Iterator
from itertools import product
from statistics import fmean
from typing import Any

from elcrec.files.rows import Row, frame_of
from elcrec.paper import ARMS
from elcrec.report.claims.claim import Judged, Numbers, Outcome, Scope, own_runs, verdict_of
from elcrec.report.evidence import Evidence
from elcrec.runs.record import RunRecord

STEPS = (("B+ICL", "B"), ("B+ELCM", "B"), ("ELCRec", "B+ICL"), ("ELCRec", "B+ELCM"))
"""Pairs of arms of which the first should be the better one."""
SENSITIVE = 0.10  # our threshold: relative distance of the worst value from the best
PANEL = ["dataset", "parameter"]
"""The key of one curve of the sensitivity."""


def ablation(evidence: Evidence, scope: Scope) -> Judged:
    """Does each part improve the sum of the four metrics?"""
    steps = list(_steps(evidence, scope))
    if not steps:
        return Judged(Outcome.NOT_RUN)
    failed = [step for step in steps if step["sum"] < step["base"]]
    unsettled = sum(not step["settled"] for step in steps)
    needed, printed = len(STEPS) * scope.expected, ablation_in_paper(evidence)
    allowed = needed * len(printed["failed"]) // printed["steps"]
    certain = sum(step["settled"] for step in failed)
    outcome = verdict_of(len(steps), certain, needed, allowed, complete=not unsettled)
    numbers = {"done": len(steps), "needed": needed, "failed": failed, "open": unsettled}
    return Judged(outcome, numbers | {"seeds": len(evidence.config.seeds)})


def _steps(evidence: Evidence, scope: Scope) -> Iterator[dict[str, Any]]:
    """Every step that adds a part where both arms have been run, with their sums."""
    run = {
        (row.text("dataset"), row.text("model")): (row.number("mean"), row.number("seeds"))
        for row in evidence.figure("ablation")
        if row.text("mean")
    }
    for dataset, (better, worse) in product(scope.datasets, STEPS):
        arms = [run[key] for arm in (better, worse) if (key := (dataset, ARMS[arm])) in run]
        sums = [mean for mean, _ in arms]
        if len(set(sums)) < 2:
            continue  # not run, or the same settings where the part is off
        yield {
            "better": better,
            "worse": worse,
            "sum": sums[0],
            "base": sums[1],
            "dataset": evidence.dataset_name(dataset),
            "settled": min(seeds for _, seeds in arms) >= len(evidence.config.seeds),
        }


def ablation_in_paper(evidence: Evidence) -> Numbers:
    """The paper's claim, counted in its own Table 10."""
    rows = evidence.printed("ablation")
    failed = [
        {"better": better, "worse": worse, "dataset": row.text("dataset")}
        for row, (better, worse) in product(rows, STEPS)
        if row.number(better) <= row.number(worse)
    ]
    return {"steps": len(STEPS) * len(rows), "failed": failed}


def sensitivity(evidence: Evidence, scope: Scope) -> Judged:
    """How far is the worst value of alpha and of K from the best one?"""
    printed = frame_of(evidence.printed("sensitivity"), ["parameter"], ["value"]).drop_duplicates()
    drawn = frame_of(evidence.figure("sensitivity"), PANEL, ["value", "mean"]).dropna()
    drawn = drawn[drawn["dataset"].isin(scope.datasets)].merge(printed)
    panels = drawn.groupby(PANEL, sort=False)["mean"].agg(["min", "max", "count"]).reset_index()
    panels = panels[(panels["count"] > 2) & (panels["max"] > 0)]
    if panels.empty:
        return Judged(Outcome.NOT_RUN)
    panels["fall"] = (panels["max"] - panels["min"]) / panels["max"]
    panels["of"] = panels["parameter"].map(printed["parameter"].value_counts())
    panels["dataset"] = panels["dataset"].map(evidence.dataset_name)
    panels["parameter"] = panels["parameter"].replace("intents", "K")
    panels = panels.sort_values("fall", ascending=False, kind="stable")  # only some are named
    needed = printed["parameter"].nunique() * scope.expected
    complete = (panels["count"] == panels["of"]).sum() >= needed
    # More values only widen a panel's spread, so one that fails early fails for good; those that
    # are still open count as holding, and the claim fails when even then too many fail.
    failed = int((panels["fall"] > SENSITIVE).sum())
    outcome = verdict_of(needed, failed, needed, complete=complete)
    return Judged(outcome, {"panels": panels.to_dict("records")})


def convergence(evidence: Evidence, scope: Scope) -> Judged:
    """Does the loss fall, validation rise, and training end because nothing improves any more?"""
    histories = [(run, evidence.history(run)) for run in own_runs(evidence, scope)]
    with_history = [(run, rows) for run, rows in histories if len(rows) > 1]
    if not with_history:
        return Judged(Outcome.NOT_RUN)
    learned = [_learned(run, rows) for run, rows in with_history]
    ended = sum(run.best_epoch < len(rows) for run, rows in with_history)
    numbers = {
        "done": len(with_history),
        "learned": sum(learned),
        "ended": ended,
        "epoch": fmean(run.best_epoch for run, _ in with_history),
    }
    if not any(learned):
        return Judged(Outcome.FAILS, numbers)
    datasets = {run.dataset for run, _ in with_history}
    complete = len(datasets) >= scope.expected and all(learned) and ended == len(with_history)
    return Judged(Outcome.HOLDS if complete else Outcome.PARTLY, numbers)


def _learned(run: RunRecord, rows: list[Row]) -> bool:
    first, tested = rows[0], rows[max(run.best_epoch, 1) - 1]
    loss_fell = tested.number("loss_total") < first.number("loss_total")
    return loss_fell and tested.number("HR@5") > first.number("HR@5")
