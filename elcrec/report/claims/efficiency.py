"""Claims about Table 2: ELCRec trains faster than ICLRec and needs less memory."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from elcrec import paper
from elcrec.report.claims.claim import (
    FAILS,
    HOLDS,
    NOT_RUN,
    PARTLY,
    REFERENCE,
    Definition,
    Finding,
    Scope,
    names,
    percent_less,
)
from elcrec.report.evidence import Evidence, Row
from elcrec.tables.tables2_3 import BASELINE, CUDA

Pairs = Mapping[str, tuple[float, float]]
"""Data set id to (ICLRec's, ELCRec's)."""
DEVICE, MEASURED = "device", "measured"
NONE_YET = "ELCRec and ICLRec have not both been measured on the same device yet."


def time(evidence: Evidence, scope: Scope) -> Finding:
    """Does a training of ELCRec take less time than one of ICLRec?"""
    whole = _pairs(evidence, scope, "table2", "projected_training_seconds")
    epoch = _pairs(evidence, scope, "table2", "seconds_per_epoch")
    if not epoch:
        return Finding(NOT_RUN, NONE_YET)
    per_epoch = f"Per epoch ELCRec takes {percent_less(_ratio(epoch))} time than ICLRec"
    sentence = f"{per_epoch} ({_where(evidence, epoch)}, {_devices(evidence, 'table2', epoch)})"
    if not whole:
        return Finding(NOT_RUN, f"{sentence}; whole trainings have not been run yet.")
    ratio = _ratio(whole)
    faster = sum(own < other for other, own in whole.values())
    sentence += (
        f"; over the whole training, seconds per epoch times the epochs of the full runs,"
        f" {percent_less(ratio)}, and faster on {faster} of {len(whole)} data sets"
    )
    complete = len(whole) >= scope.expected
    sentence += "" if complete else f" measured so far (of {scope.expected})"
    return Finding(_outcome(ratio, complete), sentence + ".")


def memory(evidence: Evidence, scope: Scope) -> Finding:
    """Does ELCRec need less memory than ICLRec?"""
    pairs = _pairs(evidence, scope, "table3", "megabytes", (DEVICE, MEASURED))
    if not pairs:
        return Finding(NOT_RUN, NONE_YET)
    ratio = _ratio(pairs)
    on_gpu = all(
        row.text(MEASURED) == CUDA
        for row in evidence.table("table3")
        if row.text("dataset") in pairs and row.text("model") in (BASELINE, REFERENCE)
    )
    sentence = f"ELCRec's peak is {percent_less(ratio)} than ICLRec's ({_where(evidence, pairs)})"
    complete = len(pairs) >= scope.expected and on_gpu
    if len(pairs) < scope.expected:
        sentence += f", on {len(pairs)} of {scope.expected} data sets so far"
    if not on_gpu:
        sentence += "; some or all of it is main memory of a process without GPU, the paper's is"
        sentence += " GPU memory"
    return Finding(_outcome(ratio, complete), sentence + ".")


def in_paper(column: str, what: str) -> str:
    """The paper's claim, from its own averages and rows."""
    printed = paper.load_efficiency()
    pairs = {
        dataset: (printed[dataset, "ICLRec", column], printed[dataset, "ELCRec", column])
        for dataset in dict.fromkeys(d for d, _, _ in printed)
    }
    average = pairs.pop("Average")
    better = sum(own < other for other, own in pairs.values())
    return (
        f"On average a training of ELCRec takes {percent_less(average[1] / average[0])} {what} than"
        f" one of ICLRec ({average[1]:,.0f} against {average[0]:,.0f}), and less on {better} of"
        f" {len(pairs)} data sets."
    )


def _pairs(
    evidence: Evidence, scope: Scope, table: str, column: str, same: Sequence[str] = (DEVICE,)
) -> Pairs:
    """Both models' figures, where both are known and measured alike: on one device."""
    found = {(r.text("dataset"), r.text("model")): r for r in evidence.table(table)}
    pairs = {}
    for dataset in scope.datasets:
        other, own = found.get((dataset, BASELINE)), found.get((dataset, REFERENCE))
        if other is None or own is None or not _alike(other, own, same):
            continue
        pair = other.number(column), own.number(column)
        if not any(map(math.isnan, pair)):
            pairs[dataset] = pair
    return pairs


def _alike(a: Row, b: Row, columns: Sequence[str]) -> bool:
    return all(a.text(c) and a.text(c) == b.text(c) for c in columns)


def _ratio(pairs: Pairs) -> float:
    """ELCRec's sum over ICLRec's: as the paper's averages, over the same data sets."""
    return sum(own for _, own in pairs.values()) / sum(other for other, _ in pairs.values())


def _outcome(ratio: float, complete: bool) -> str:
    if not complete:
        return PARTLY
    return HOLDS if ratio < 1 else FAILS


def _where(evidence: Evidence, pairs: Pairs) -> str:
    return names(evidence, list(pairs))


def _devices(evidence: Evidence, table: str, pairs: Pairs) -> str:
    rows = (r for r in evidence.table(table) if r.text("dataset") in pairs)
    return "; ".join(dict.fromkeys(r.text("device") for r in rows if r.text("device")))


TIME = Definition(
    "time",
    "ELCRec trains faster than ICLRec",
    lambda evidence: in_paper("seconds", "time (s)"),
    "Holds if the projected trainings of ELCRec take less time than those of ICLRec, summed over"
    " the paper's data sets, both measured on the same device; partly while some of these are not.",
    time,
    {"table2": "Table 2"},
)
MEMORY = Definition(
    "memory",
    "ELCRec needs less memory than ICLRec",
    lambda evidence: in_paper("megabytes", "GPU memory (MB)"),
    "Holds if ELCRec's peak GPU memory is below ICLRec's, summed over the paper's data sets,"
    " both measured on the same device; partly while some are not or only main memory was.",
    memory,
    {"table3": "Table 3"},
)
