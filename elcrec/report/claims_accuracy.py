"""Claims about Table 1: ELCRec is the best method, and significantly so."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import product

from elcrec.errors import InputError
from elcrec.metrics import TABLE_METRICS
from elcrec.report.claims import (
    NOT_RUN,
    REFERENCE,
    Definition,
    Finding,
    Scope,
    listed,
    settled,
    unless_open,
    verdict_of,
)
from elcrec.report.evidence import Evidence, Row
from elcrec.tables.efficiency import BASELINE
from elcrec.tables.paper import IMPROVEMENT, P_VALUE
from elcrec.wording import shown

LEVEL = 0.05


@dataclass
class _Cell:
    """What `significance.csv` says of a data set and a metric."""

    strongest: Row
    """ELCRec against the best other method so far."""
    rivals: set[str] = field(default_factory=set)


def best(evidence: Evidence, scope: Scope) -> Finding:
    """Is ELCRec the best of the paper's methods, cell by cell?"""
    names = {m: evidence.model_name(m) for m in evidence.config.models}
    rivals = _rivals(evidence)
    extra = [m for m in names if m not in rivals and m != REFERENCE]
    run: list[Collection[str]] = []
    lost, final, unsettled, beaten_by_extra = [], 0, 0, 0
    for dataset, metric in product(scope.datasets, TABLE_METRICS):
        own = evidence.scores.get((dataset, metric, REFERENCE))
        others = {m: _score(evidence, dataset, metric, m) for m in rivals}
        others = {m: value for m, value in others.items() if not math.isnan(value)}
        if own is None or not others:
            continue
        run.append(others)
        winner = max(others, key=lambda m: others[m])
        stays = settled(evidence, own.seeds, evidence.scores[dataset, metric, winner].seeds)
        unsettled += not stays
        if others[winner] > own.mean:
            final += stays
            cell = f"{evidence.dataset_name(dataset)} {metric}"
            text = f"{cell} ({names[winner]} {others[winner]:.4f}, ELCRec {own.mean:.4f})"
            lost.append(text)
        beaten_by_extra += any(_score(evidence, dataset, metric, m) > own.mean for m in extra)
    if not run:
        return Finding(NOT_RUN, "No cell has a run of ELCRec and of another method yet.")
    done, needed = len(run), len(TABLE_METRICS) * scope.expected
    sentence = f"ELCRec is best among the paper's methods on {done - len(lost)} of the {done} cells"
    sentence += f" run so far (of {needed})" if done < needed else ""
    sentence += f", {_how_many(evidence, run)}"
    sentence += f"; not on {listed(lost, 2)}" if lost else ""
    if unsettled:
        sentence += (
            f". On {unsettled} of these cells ELCRec or the best other has fewer than"
            f" {len(evidence.config.seeds)} seeds, so that it may change"
        )
    if beaten_by_extra:
        sentence += f". Rows that the paper does not have are above it on {beaten_by_extra}"
    allowed = needed * len(_lost_in_paper(evidence)) // len(_cells_in_paper(evidence))
    outcome = verdict_of(done, final, needed, allowed)
    complete = _all_run(evidence, run) and not unsettled
    return Finding(unless_open(outcome, complete), sentence + ".")


def significance(evidence: Evidence, scope: Scope) -> Finding:
    """Is ELCRec's lead over the strongest other method of the paper significant?"""
    cells = _cells(evidence, scope)
    rows = [cell.strongest for cell in cells]
    seeds = [row for row in rows if not math.isnan(row.number("welch_p_holm"))]
    users = [row for row in rows if not math.isnan(row.number("paired_t_p_holm"))]
    if not cells:
        return Finding(NOT_RUN, "ELCRec and another method have not both been run yet.")
    over_users = _won(users, "paired_t_p_holm")
    if not seeds:
        return Finding(
            NOT_RUN,
            "Over seeds it takes two runs of each model or more. Over users (paired t-test, Holm)"
            f" ELCRec's lead is significant on {over_users} of {len(users)} cells.",
        )
    run = [cell.rivals for cell in cells]
    won = _won(seeds, "welch_p_holm")
    needed = len(TABLE_METRICS) * scope.expected
    sentence = (
        f"Against the strongest of the others ELCRec's lead has p < {LEVEL} over seeds (Welch,"
        f" Holm) on {won} of {len(seeds)} cells, and over users (paired t, Holm) on {over_users}"
        f" of {len(users)}, {_how_many(evidence, run)}."
    )
    untested = [_named(evidence, row) for row in rows if row not in seeds]
    if untested:
        sentence += (
            f" Over seeds {len(untested)} of {len(rows)} cells cannot be tested, for ELCRec or the"
            f" strongest other has one run: {listed(untested)}."
        )
    paper_cells = _cells_in_paper(evidence)
    allowed = needed * (len(paper_cells) - len(_won_in_paper(evidence))) // len(paper_cells)
    final = [row for row in seeds if settled(evidence, *_seeds(row))]
    failed = len(final) - _won(final, "welch_p_holm")
    complete = _all_run(evidence, run) and len(final) == len(seeds)
    return Finding(unless_open(verdict_of(len(seeds), failed, needed, allowed), complete), sentence)


def best_in_paper(evidence: Evidence) -> str:
    """The paper's claim, counted in its own table."""
    cells, lost = _cells_in_paper(evidence), _lost_in_paper(evidence)
    text = f"ELCRec is the best of {len(evidence.paper_models)} methods on "
    return text + f"{len(cells) - len(lost)} of {len(cells)} cells of Table 1 (not {listed(lost)})."


def significant_in_paper(evidence: Evidence) -> str:
    """The paper's claim, counted in its own table."""
    cells, won = _cells_in_paper(evidence), _won_in_paper(evidence)
    return (
        f"ELCRec's lead over the runner-up is significant (p < {LEVEL}) on {len(won)} of"
        f" {len(cells)} cells; which test, and over what, is not said for each."
    )


def _cells_in_paper(evidence: Evidence) -> list[tuple[str, str]]:
    return sorted({(d, m) for d, m, _ in evidence.paper})


def _lost_in_paper(evidence: Evidence) -> list[str]:
    """Cells of the paper's table where another of its methods is above ELCRec."""
    return [
        f"{d} {m}"
        for d, m in _cells_in_paper(evidence)
        if evidence.paper[d, m, "ELCRec"]
        < max(v for (x, y, k), v in evidence.paper.items() if (x, y) == (d, m) and _method(k))
    ]


def _won_in_paper(evidence: Evidence) -> list[tuple[str, str]]:
    """Cells of the paper's table with a significant lead of ELCRec."""
    return [
        cell
        for cell in _cells_in_paper(evidence)
        if evidence.paper[*cell, P_VALUE] < LEVEL and evidence.paper[*cell, IMPROVEMENT] > 0
    ]


def _method(column: str) -> bool:
    return column not in (IMPROVEMENT, P_VALUE)


def _score(evidence: Evidence, dataset: str, metric: str, model: str) -> float:
    score = evidence.scores.get((dataset, metric, model))
    return score.mean if score else math.nan


def _rivals(evidence: Evidence) -> list[str]:
    """Ids of the configured methods that the paper's table has, without ELCRec."""
    models = (m for m in evidence.config.models if m != REFERENCE)
    return [m for m in models if evidence.model_name(m) in evidence.paper_models]


def _all_run(evidence: Evidence, run: Sequence[Collection[str]]) -> bool:
    """Whether every cell has all configured rivals; without ICLRec there is nothing to be won."""
    required = {*_rivals(evidence), BASELINE}
    return all(required.issubset(rivals) for rivals in run)


def _how_many(evidence: Evidence, run: Sequence[Collection[str]]) -> str:
    """How many of the other methods of the paper's table have been run, for a sentence."""
    fewest, most = min(map(len, run)), max(map(len, run))
    count = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    return f"with {count} of the {len(evidence.paper_models) - 1} rivals in the paper's table run"


def _named(evidence: Evidence, row: Row) -> str:
    where = f"{evidence.dataset_name(row.text('dataset'))} {row.text('metric')}"
    return f"{where} ({evidence.model_name(row.text('model_b'))})"


def _cells(evidence: Evidence, scope: Scope) -> list[_Cell]:
    """ELCRec against the other methods of the paper, cell by cell."""
    found: dict[tuple[str, str], _Cell] = {}
    for row in evidence.table("significance"):
        dataset, rival = row.text("dataset"), row.text("model_b")
        each = row.text("family") == "reference_against_each_model"
        known = evidence.model_name(rival) in evidence.paper_models
        if not (each and known and dataset in scope.datasets and row.text("model_a") == REFERENCE):
            continue
        cell = found.setdefault((dataset, row.text("metric")), _Cell(row))
        cell.rivals.add(rival)
        if row.number("mean_b") > cell.strongest.number("mean_b"):
            cell.strongest = row
    return list(found.values())


def _seeds(row: Row) -> list[int]:
    """How many seeds each of the compared models has."""
    text = row.text("welch_n")
    if not re.fullmatch(r"[0-9]{1,6}\+[0-9]{1,6}", text):
        raise InputError(f"{row.path}: welch_n is {shown(text)}; allowed: two counts, as in 3+3")
    return [int(count) for count in text.split("+")]


def _won(rows: list[Row], key: str) -> int:
    return sum(row.number(key) < LEVEL and row.number("difference") > 0 for row in rows)


BEST = Definition(
    "best",
    "ELCRec is best on almost all cells",
    best_in_paper,
    "Holds if ELCRec's mean is the highest among the paper's methods on as large a share of the"
    " cells as in the paper, with ICLRec and every other method of the configuration run. A cell"
    " counts, won or lost, once ELCRec and the best other have all seeds of the configuration;"
    " methods that this project does not have do not count.",
    best,
    {"table1": "Table 1"},
)
SIGNIFICANT = Definition(
    "significance",
    "The lead is significant",
    significant_in_paper,
    "Holds if, on as large a share of the cells as in the paper, ELCRec is above the strongest"
    f" other method with p < {LEVEL} over seeds, Welch's t-test, Holm-corrected, with ICLRec and"
    " every other method of the configuration run. A cell counts once both have all seeds of the"
    " configuration.",
    significance,
    {"significance": "Significance"},
)
