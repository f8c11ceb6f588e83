"""Claims about Table 1: ELCRec is the best method, and significantly so."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from elcrec.errors import InputError, shown
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.paper import IMPROVEMENT, P_VALUE
from elcrec.report.claims.claim import REFERENCE, Judged, Numbers, Outcome, Scope, settled
from elcrec.report.evidence import Evidence, Row
from elcrec.statistics.power import LEVEL
from elcrec.tables.table1 import EACH
from elcrec.tables.tables2_3 import BASELINE

DIGITS = 4
"""Printed decimals: means that agree in them are equal."""


@dataclass(frozen=True)
class _Cell:
    """ELCRec against the best other method of the paper so far, on a data set and a metric."""

    where: str
    """Data set and metric, for a reader; as is `rival`."""
    rival: str
    rivals: frozenset[str]
    """Ids of the other methods of the paper that have been run."""
    ahead: float
    """Above 0 where ELCRec counts as better, below 0 where it counts as worse."""
    settled: bool
    """Both have all seeds."""
    weak: bool
    """The lead that the paper prints is below what the configured seeds can detect after Holm."""
    own: float = math.nan
    theirs: float = math.nan
    extra: bool = False
    """A method that the paper does not have is above ELCRec."""
    tested: bool = True


def best(evidence: Evidence, scope: Scope) -> Judged:
    """Is ELCRec the best of the paper's methods, cell by cell?"""
    cells = list(_run(evidence, scope))
    if not cells:
        return Judged(Outcome.NOT_RUN)
    printed, numbers = in_paper(evidence), _numbers(evidence, scope, cells)
    allowed = numbers["needed"] * len(printed["lost"]) // printed["cells"]
    weak = sum(c.weak for c in cells)
    if sum(c.ahead < 0 and c.settled and not c.weak for c in cells) > allowed:
        outcome = Outcome.FAILS
    elif weak > allowed:
        outcome = Outcome.NOT_DECIDABLE
    else:
        complete = _complete(evidence, cells) and len(cells) >= numbers["needed"]
        outcome = Outcome.HOLDS if complete else Outcome.PROVISIONAL
    return Judged(outcome, numbers | {"weak": weak, "extra": sum(c.extra for c in cells)})


def significance(evidence: Evidence, scope: Scope) -> Judged:
    """Is ELCRec's lead over the strongest other method of the paper significant?"""
    cells = list(_tested(evidence, scope))
    if not cells:
        return Judged(Outcome.NOT_RUN)
    printed, numbers = in_paper(evidence), _numbers(evidence, scope, cells)
    needed, won = numbers["needed"], len(numbers["won"])
    allowed = needed * (printed["cells"] - printed["significant"]) // printed["cells"]
    weak = sum(c.weak and c.ahead == 0 for c in cells)
    failed = sum(c.settled and (c.ahead < 0 or (c.ahead == 0 and not c.weak)) for c in cells)
    if failed > allowed:
        outcome = Outcome.FAILS
    elif won >= needed - allowed and len(cells) == needed and _complete(evidence, cells):
        outcome = Outcome.HOLDS
    else:
        outcome = Outcome.NOT_DECIDABLE if weak > allowed else Outcome.PROVISIONAL
    untested = [vars(c) for c in cells if not c.tested]
    return Judged(outcome, numbers | {"weak": weak, "untested": untested})


def in_paper(evidence: Evidence) -> Numbers:
    """Both claims, counted in the paper's own table."""
    paper = evidence.paper
    cells = sorted({(dataset, metric) for dataset, metric, _ in paper})
    lost = [
        " ".join(cell)
        for cell in cells
        if any(paper.get((*cell, m), 0) > paper[*cell, "ELCRec"] for m in evidence.paper_models)
    ]
    significant = sum(
        paper[*cell, P_VALUE] < LEVEL and paper[*cell, IMPROVEMENT] > 0 for cell in cells
    )
    methods = len(evidence.paper_models)
    return {"methods": methods, "cells": len(cells), "lost": lost, "significant": significant}


def _numbers(evidence: Evidence, scope: Scope, cells: Sequence[_Cell]) -> dict[str, Any]:
    """What both claims tell of the cells that have been run."""
    run = [len(c.rivals) for c in cells]
    return {
        "done": len(cells),
        "needed": len(TABLE_METRICS) * scope.expected,
        "won": [vars(c) for c in cells if c.ahead > 0],
        "even": [vars(c) for c in cells if c.ahead == 0],
        "lost": [vars(c) for c in cells if c.ahead < 0],
        "open": sum(not c.settled for c in cells),
        "seeds": len(evidence.config.seeds),
        "fewest": min(run),
        "most": max(run),
        "rivals": len(evidence.paper_models) - 1,
    }


def _complete(evidence: Evidence, cells: Iterable[_Cell]) -> bool:
    """Whether all cells have all seeds and all rivals; without ICLRec nothing can be won."""
    required = {*_rivals(evidence), BASELINE}
    return all(c.settled and c.rivals >= required for c in cells)


def _rivals(evidence: Evidence) -> list[str]:
    """Ids of the configured methods that the paper's table has, without ELCRec."""
    models = (m for m in evidence.config.models if m != REFERENCE)
    return [m for m in models if evidence.model_name(m) in evidence.paper_models]


def _run(evidence: Evidence, scope: Scope) -> Iterator[_Cell]:
    """The cells of Table 1 where ELCRec and another method of the paper have a run."""
    rivals, weak = _rivals(evidence), _undecidable(evidence)
    for key in product(scope.datasets, TABLE_METRICS):
        scores = {m: s for m in evidence.config.models if (s := evidence.scores.get((*key, m)))}
        own, others = scores.get(REFERENCE), [m for m in rivals if m in scores]
        if own is None or not others:
            continue
        rival = max(others, key=lambda m: scores[m].mean)
        theirs = scores[rival]
        yield _Cell(
            _where(evidence, *key),
            evidence.model_name(rival),
            frozenset(others),
            round(own.mean, DIGITS) - round(theirs.mean, DIGITS),
            settled(evidence, own.seeds, theirs.seeds),
            key in weak,
            own.mean,
            theirs.mean,
            any(s.mean > own.mean for m, s in scores.items() if m not in others),
        )


def _tested(evidence: Evidence, scope: Scope) -> Iterator[_Cell]:
    """The cells where ELCRec was compared with other methods of the paper."""
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in evidence.table("significance"):
        known = evidence.model_name(row.text("model_b")) in evidence.paper_models
        ours = row.text("family") == EACH and row.text("model_a") == REFERENCE
        if known and ours and row.text("dataset") in scope.datasets:
            found[_key(row)].append(row)
    weak = _undecidable(evidence)
    for key, rows in found.items():
        strongest = max(rows, key=lambda row: row.number("mean_b"))
        p = strongest.number("p_holm")
        yield _Cell(
            _where(evidence, *key),
            evidence.model_name(strongest.text("model_b")),
            frozenset(row.text("model_b") for row in rows),
            strongest.number("difference") if p < LEVEL else 0.0,
            settled(evidence, *_seeds(strongest)),
            key in weak,
            tested=not math.isnan(p),
        )


def _undecidable(evidence: Evidence) -> set[tuple[str, str]]:
    """Cells whose printed lead is below what the configured seeds can detect after Holm."""
    return {
        _key(row)
        for row in evidence.table("detectable")
        if row.number("paper_lead_percent") < row.number("design_holm_percent")
    }


def _key(row: Row) -> tuple[str, str]:
    return row.text("dataset"), row.text("metric")


def _where(evidence: Evidence, dataset: str, metric: str) -> str:
    return f"{evidence.dataset_name(dataset)} {metric}"


def _seeds(row: Row) -> list[int]:
    """How many seeds each of the compared models has."""
    text = row.text("seeds")
    if not re.fullmatch(r"[0-9]{1,6}\+[0-9]{1,6}", text):
        raise InputError(f"{row.path}: seeds is {shown(text)}; allowed: two counts, as in 3+3")
    return [int(count) for count in text.split("+")]
