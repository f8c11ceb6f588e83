"""Claims about Table 1: ELCRec is the best method, and significantly so."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

from elcrec.metrics import TABLE_METRICS
from elcrec.report.claims import (
    NOT_RUN,
    REFERENCE,
    Definition,
    Finding,
    Scope,
    listed,
    verdict_of,
)
from elcrec.report.evidence import Evidence, Row
from elcrec.tables.paper import IMPROVEMENT, P_VALUE

LEVEL = 0.05
CELLS_PER_EXCEPTION = 16  # the paper's claims allow one cell of its sixteen


@dataclass(frozen=True)
class _Lost:
    cell: str
    text: str


def best(evidence: Evidence, scope: Scope) -> Finding:
    """Is ELCRec the best of the paper's methods, cell by cell?"""
    names = {m: evidence.model_name(m) for m in evidence.config.models}
    rivals = [m for m in names if names[m] in evidence.paper_models and m != REFERENCE]
    extra = [m for m in names if m not in rivals and m != REFERENCE]
    done, lost, beaten_by_extra = 0, [], 0
    for dataset, metric in product(scope.datasets, TABLE_METRICS):
        own = evidence.scores.get((dataset, metric, REFERENCE))
        others = {m: _score(evidence, dataset, metric, m) for m in rivals}
        others = {m: value for m, value in others.items() if not math.isnan(value)}
        if own is None or not others:
            continue
        done += 1
        winner = max(others, key=lambda m: others[m])
        if others[winner] > own.mean:
            cell = f"{evidence.dataset_name(dataset)} {metric}"
            text = f"{cell} ({names[winner]} {others[winner]:.4f}, ELCRec {own.mean:.4f})"
            lost.append(_Lost(cell, text))
        beaten_by_extra += any(_score(evidence, dataset, metric, m) > own.mean for m in extra)
    if not done:
        return Finding(NOT_RUN, "No cell has a run of ELCRec and of another method yet.")
    needed = len(TABLE_METRICS) * scope.expected
    sentence = f"ELCRec is best among the paper's methods on {done - len(lost)} of the {done} cells"
    sentence += f" run so far (of {needed})" if done < needed else ""
    sentence += f"; not on {listed([x.text for x in lost], 2)}" if lost else ""
    if beaten_by_extra:
        sentence += f". Rows that the paper does not have are above it on {beaten_by_extra}"
    outcome = verdict_of(done, len(lost), needed, needed // CELLS_PER_EXCEPTION)
    return Finding(outcome, sentence + ".")


def significance(evidence: Evidence, scope: Scope) -> Finding:
    """Is ELCRec's lead over the strongest other method of the paper significant?"""
    cells = _strongest(evidence, scope)
    seeds = [row for row in cells if not math.isnan(row.number("welch_p_holm"))]
    users = [row for row in cells if not math.isnan(row.number("paired_t_p_holm"))]
    if not cells:
        return Finding(NOT_RUN, "ELCRec and another method have not both been run yet.")
    over_users = _won(users, "paired_t_p_holm")
    if not seeds:
        return Finding(
            NOT_RUN,
            "Over seeds it takes two runs of each model or more. Over users (paired t-test, Holm)"
            f" ELCRec's lead is significant on {over_users} of {len(users)} cells.",
        )
    won = _won(seeds, "welch_p_holm")
    needed = len(TABLE_METRICS) * scope.expected
    sentence = (
        f"Against the strongest of the others ELCRec's lead has p < {LEVEL} over seeds (Welch,"
        f" Holm) on {won} of {len(seeds)} cells, and over users (paired t, Holm) on {over_users}"
        f" of {len(users)}."
    )
    allowed = needed // CELLS_PER_EXCEPTION
    return Finding(verdict_of(len(seeds), len(seeds) - won, needed, allowed), sentence)


def best_in_paper(evidence: Evidence) -> str:
    """The paper's claim, counted in its own table."""
    cells = sorted({(d, m) for d, m, _ in evidence.paper})
    lost = [
        f"{d} {m}"
        for d, m in cells
        if evidence.paper[d, m, "ELCRec"]
        < max(v for (x, y, k), v in evidence.paper.items() if (x, y) == (d, m) and _method(k))
    ]
    text = f"ELCRec is the best of {len(evidence.paper_models)} methods on "
    return text + f"{len(cells) - len(lost)} of {len(cells)} cells of Table 1 (not {listed(lost)})."


def significant_in_paper(evidence: Evidence) -> str:
    """The paper's claim, counted in its own table."""
    cells = sorted({(d, m) for d, m, _ in evidence.paper})
    won = [
        cell
        for cell in cells
        if evidence.paper[*cell, P_VALUE] < LEVEL and evidence.paper[*cell, IMPROVEMENT] > 0
    ]
    return (
        f"ELCRec's lead over the runner-up is significant (p < {LEVEL}) on {len(won)} of"
        f" {len(cells)} cells; which test, and over what, is not said for each."
    )


def _method(column: str) -> bool:
    return column not in (IMPROVEMENT, P_VALUE)


def _score(evidence: Evidence, dataset: str, metric: str, model: str) -> float:
    score = evidence.scores.get((dataset, metric, model))
    return score.mean if score else math.nan


def _strongest(evidence: Evidence, scope: Scope) -> list[Row]:
    """ELCRec against the best other method of the paper: one comparison per cell."""
    found: dict[tuple[str, str], Row] = {}
    for row in evidence.table("significance"):
        dataset, rival = row.text("dataset"), row.text("model_b")
        each = row.text("family") == "reference_against_each_model"
        known = evidence.model_name(rival) in evidence.paper_models
        if not (each and known and dataset in scope.datasets and row.text("model_a") == REFERENCE):
            continue
        cell = dataset, row.text("metric")
        if cell not in found or row.number("mean_b") > found[cell].number("mean_b"):
            found[cell] = row
    return list(found.values())


def _won(rows: list[Row], key: str) -> int:
    return sum(row.number(key) < LEVEL and row.number("difference") > 0 for row in rows)


BEST = Definition(
    "best",
    "ELCRec is best on 15 of 16 cells",
    best_in_paper,
    "Holds if ELCRec's mean is the highest among the paper's methods on all cells but one; methods"
    " that this project does not have do not count.",
    best,
    {"table1": "Table 1"},
)
SIGNIFICANT = Definition(
    "significance",
    "The lead is significant",
    significant_in_paper,
    f"Holds if, on all cells but one, ELCRec is above the strongest other method with p < {LEVEL}"
    " over seeds, Welch's t-test, Holm-corrected.",
    significance,
    {"significance": "Significance"},
)
