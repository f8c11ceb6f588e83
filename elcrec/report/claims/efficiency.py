"""Claims about Table 2: ELCRec trains faster than ICLRec and needs less memory."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from elcrec import paper
from elcrec.report.claims.claim import REFERENCE, Judged, Numbers, Outcome, Scope
from elcrec.report.evidence import Evidence
from elcrec.tables.tables2_3 import BASELINE, CUDA

Pairs = Mapping[str, tuple[float, float]]
"""Data set to (ICLRec's, ELCRec's)."""
DEVICE, MEASURED = "device", "measured"


def time(evidence: Evidence, scope: Scope) -> Judged:
    """Does a training of ELCRec take less time than one of ICLRec?"""
    epoch = _pairs(evidence, scope, "table2", "seconds_per_epoch")
    whole = _pairs(evidence, scope, "table2", "projected_training_seconds")
    if not epoch:
        return Judged(Outcome.NOT_RUN)
    devices = (r.text(DEVICE) for r in evidence.table("table2") if r.text("dataset") in epoch)
    numbers = {
        "epoch": _ratio(epoch),
        "where": [evidence.dataset_name(d) for d in epoch],
        "devices": list(dict.fromkeys(filter(None, devices))),
    }
    if not whole:
        return Judged(Outcome.NOT_RUN, numbers | {"done": 0})
    return _judged(whole, scope, True, numbers)


def memory(evidence: Evidence, scope: Scope) -> Judged:
    """Does ELCRec need less memory than ICLRec?"""
    pairs = _pairs(evidence, scope, "table3", "megabytes", (DEVICE, MEASURED))
    if not pairs:
        return Judged(Outcome.NOT_RUN)
    on_gpu = all(
        row.text(MEASURED) == CUDA
        for row in evidence.table("table3")
        if row.text("dataset") in pairs and row.text("model") in (BASELINE, REFERENCE)
    )
    where = [evidence.dataset_name(d) for d in pairs]
    return _judged(pairs, scope, on_gpu, {"where": where, "on_gpu": on_gpu})


def _judged(pairs: Pairs, scope: Scope, alike: bool, numbers: Numbers) -> Judged:
    """Whether ELCRec takes less in all; `alike`: what was measured is what the paper measured."""
    ratio, counts = _ratio(pairs), {"done": len(pairs), "needed": scope.expected}
    outcome = Outcome.HOLDS if ratio < 1 else Outcome.FAILS
    if len(pairs) < scope.expected or not alike:
        outcome = Outcome.PARTLY
    return Judged(outcome, {**numbers, **counts, "ratio": ratio, "less": _less(pairs)})


def in_paper(column: str) -> Numbers:
    """The paper's claim about a column of its Table 2, from its own averages and rows."""
    printed = paper.load_efficiency()
    pairs = {
        dataset: (printed[dataset, "ICLRec", column], printed[dataset, "ELCRec", column])
        for dataset in dict.fromkeys(d for d, _, _ in printed)
    }
    other, own = pairs.pop("Average")
    return {"own": own, "other": other, "less": _less(pairs), "of": len(pairs)}


def _pairs(
    evidence: Evidence, scope: Scope, table: str, column: str, same: Sequence[str] = (DEVICE,)
) -> Pairs:
    """Both models' figures, where both are known and measured alike: on one device."""
    found = {(r.text("dataset"), r.text("model")): r for r in evidence.table(table)}
    pairs = {}
    for dataset in scope.datasets:
        other, own = found.get((dataset, BASELINE)), found.get((dataset, REFERENCE))
        if other is None or own is None:
            continue
        pair = other.number(column), own.number(column)
        alike = all(other.text(c) and other.text(c) == own.text(c) for c in same)
        if alike and not any(map(math.isnan, pair)):
            pairs[dataset] = pair
    return pairs


def _ratio(pairs: Pairs) -> float:
    """ELCRec's sum over ICLRec's: as the paper's averages, over the same data sets."""
    return sum(own for _, own in pairs.values()) / sum(other for other, _ in pairs.values())


def _less(pairs: Pairs) -> int:
    """On how many data sets ELCRec takes less."""
    return sum(own < other for other, own in pairs.values())
