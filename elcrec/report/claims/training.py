"""Claims about training: ablation, sensitivity, convergence."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from itertools import product
from typing import Any

from elcrec.files.jsonfile import JsonObject
from elcrec.report.claims.claim import (
    REFERENCE,
    Judged,
    Numbers,
    Outcome,
    Scope,
    own_runs,
    settled,
    unless_open,
    verdict_of,
)
from elcrec.report.evidence import Evidence, Row, mean

ARMS = {"B": "iclrec", "B+ICL": "iclrec_icl", "B+ELCM": "elcrec_elcm", "ELCRec": REFERENCE}
"""Arms of the paper's ablation by the model that is each of them here."""
STEPS = (("B+ICL", "B"), ("B+ELCM", "B"), ("ELCRec", "B+ICL"), ("ELCRec", "B+ELCM"))
"""Pairs of arms of which the first should be the better one."""
SENSITIVE = 0.10  # our threshold: relative distance of the worst value from the best


def ablation(evidence: Evidence, scope: Scope) -> Judged:
    """Does each part improve the sum of the four metrics?"""
    steps = list(_steps(evidence, scope))
    if not steps:
        return Judged(Outcome.NOT_RUN)
    failed = [step for step in steps if step["sum"] < step["base"]]
    unsettled = sum(not step["settled"] for step in steps)
    needed, printed = len(STEPS) * scope.expected, ablation_in_paper(evidence)
    allowed = needed * len(printed["failed"]) // printed["steps"]
    outcome = verdict_of(len(steps), sum(s["settled"] for s in failed), needed, allowed)
    seeds = len(evidence.config.seeds)
    numbers = {"done": len(steps), "needed": needed, "failed": failed, "open": unsettled}
    return Judged(unless_open(outcome, not unsettled), numbers | {"seeds": seeds})


def _steps(evidence: Evidence, scope: Scope) -> Iterator[dict[str, Any]]:
    """Every step that adds a part where both arms have been run, with their sums."""
    drawn = {(r.text("dataset"), r.text("model")): r for r in evidence.figure("ablation")}
    for dataset, (better, worse) in product(scope.datasets, STEPS):
        rows = [drawn.get((dataset, ARMS[arm])) for arm in (better, worse)]
        run = [row for row in rows if row and not math.isnan(row.number("mean"))]
        sums = [row.number("mean") for row in run]
        if len(set(sums)) < 2:
            continue  # not run, or the same settings where the part is off
        yield {
            "better": better,
            "worse": worse,
            "sum": sums[0],
            "base": sums[1],
            "dataset": evidence.dataset_name(dataset),
            "settled": settled(evidence, *(row.integer("seeds") for row in run)),
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
    values: dict[str, set[float]] = defaultdict(set)
    for row in evidence.printed("sensitivity"):
        values[row.text("parameter")].add(row.number("value"))
    # Worst first, for only some are named.
    panels = sorted(_panels(evidence, scope, values), key=lambda panel: -panel["fall"])
    if not panels:
        return Judged(Outcome.NOT_RUN)
    needed = len(values) * scope.expected
    complete = sum(panel["done"] == panel["of"] for panel in panels) >= needed
    # More values only widen a panel's spread, so one that fails early fails for good; those that
    # are still open count as holding, and the claim fails when even then too many fail.
    outcome = verdict_of(needed, sum(panel["fall"] > SENSITIVE for panel in panels), needed)
    return Judged(unless_open(outcome, complete), {"panels": panels})


def _panels(
    evidence: Evidence, scope: Scope, values: Mapping[str, Collection[float]]
) -> Iterator[dict[str, Any]]:
    """How far HR@5 falls, for each data set and parameter with three of the paper's values."""
    panels: dict[tuple[str, str], dict[float, float]] = defaultdict(dict)
    for row in evidence.figure("sensitivity"):
        dataset, parameter, value = row.text("dataset"), row.text("parameter"), row.number("value")
        known = dataset in scope.datasets and value in values.get(parameter, ())
        if known and not math.isnan(row.number("mean")):
            panels[dataset, parameter][value] = row.number("mean")
    for (dataset, parameter), means in panels.items():
        best = max(means.values())
        if len(means) > 2 and best > 0:
            yield {
                "dataset": evidence.dataset_name(dataset),
                "parameter": "K" if parameter == "intents" else parameter,
                "fall": (best - min(means.values())) / best,
                "done": len(means),
                "of": len(values[parameter]),
            }


def convergence(evidence: Evidence, scope: Scope) -> Judged:
    """Does the loss fall, validation rise, and training end because nothing improves any more?"""
    histories = [(values, evidence.history(values)) for values in own_runs(evidence, scope)]
    known = [(values, rows) for values, rows in histories if len(rows) > 1]
    if not known:
        return Judged(Outcome.NOT_RUN)
    learned = [_learned(values, rows) for values, rows in known]
    ended = sum(values.integer("best_epoch") < len(rows) for values, rows in known)
    numbers = {
        "done": len(known),
        "learned": sum(learned),
        "ended": ended,
        "epoch": mean([values.integer("best_epoch") for values, _ in known]),
    }
    if not any(learned):
        return Judged(Outcome.FAILS, numbers)
    datasets = {values.text("dataset") for values, _ in known}
    complete = len(datasets) >= scope.expected and all(learned) and ended == len(known)
    return Judged(Outcome.HOLDS if complete else Outcome.PARTLY, numbers)


def _learned(values: JsonObject, rows: list[Row]) -> bool:
    first, tested = rows[0], rows[max(values.integer("best_epoch"), 1) - 1]
    fell = tested.number("loss_total") < first.number("loss_total")
    return fell and tested.number("HR@5") > first.number("HR@5")
