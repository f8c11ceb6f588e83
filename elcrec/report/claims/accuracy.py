"""Claims about Table 1: ELCRec is the best method, and significantly so."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import product

from elcrec.errors import InputError, shown
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.paper import IMPROVEMENT, P_VALUE
from elcrec.report.claims.claim import (
    FAILS,
    HOLDS,
    NOT_DECIDABLE,
    NOT_RUN,
    PROVISIONAL,
    REFERENCE,
    Definition,
    Finding,
    Scope,
    listed,
    settled,
)
from elcrec.report.evidence import Evidence, Row, Score
from elcrec.statistics.power import LEVEL, POWER
from elcrec.tables.table1 import EACH
from elcrec.tables.tables2_3 import BASELINE

DIGITS = 4
"""Printed decimals: means that agree in them are equal."""


@dataclass
class _Tested:
    """What `significance.csv` says of a data set and a metric."""

    strongest: Row
    """ELCRec against the best other method so far."""
    rivals: set[str] = field(default_factory=set)

    @property
    def significant(self) -> bool:
        """By the primary test, Holm-corrected."""
        return self.strongest.number("p_holm") < LEVEL

    @property
    def won(self) -> bool:
        return self.significant and self.strongest.number("difference") > 0

    @property
    def lost(self) -> bool:
        return self.significant and self.strongest.number("difference") < 0


def best(evidence: Evidence, scope: Scope) -> Finding:
    """Is ELCRec the best of the paper's methods, cell by cell?"""
    rivals = _rivals(evidence)
    extra = [m for m in evidence.config.models if m not in rivals and m != REFERENCE]
    run: list[Collection[str]] = []
    undecidable = _undecidable(evidence)
    won, equal, lost, final, unsettled, beaten_by_extra, weak = 0, [], [], 0, 0, 0, 0
    for dataset, metric in product(scope.datasets, TABLE_METRICS):
        own = evidence.scores.get((dataset, metric, REFERENCE))
        found = {m: evidence.scores.get((dataset, metric, m)) for m in rivals}
        others = {m: score for m, score in found.items() if score}
        if own is None or not others:
            continue
        run.append(others)
        winner = max(others, key=lambda m: others[m].mean)
        stays = settled(evidence, own.seeds, others[winner].seeds)
        unsettled += not stays
        weak += (dataset, metric) in undecidable
        ahead = round(own.mean, DIGITS) - round(others[winner].mean, DIGITS)
        won += ahead > 0
        if ahead == 0:
            equal.append(_cell_text(evidence, dataset, metric, winner, others[winner], own))
        elif ahead < 0:
            final += stays and (dataset, metric) not in undecidable
            lost.append(_cell_text(evidence, dataset, metric, winner, others[winner], own))
        above = (evidence.scores.get((dataset, metric, m)) for m in extra)
        beaten_by_extra += any(score.mean > own.mean for score in above if score)
    if not run:
        return Finding(NOT_RUN, "No cell has a run of ELCRec and of another method yet.")
    done, needed = len(run), len(TABLE_METRICS) * scope.expected
    sentence = f"ELCRec's mean is above the best other method of the paper on {won} of the {done}"
    sentence += f" cells run so far (of {needed})" if done < needed else " cells"
    sentence += f", equal to four digits on {len(equal)} and below on {len(lost)}"
    sentence += f" ({listed([*lost, *equal], 3)})" if lost or equal else ""
    sentence += f", {_how_many(evidence, run)}"
    sentence += _open_text(evidence, unsettled)
    if beaten_by_extra:
        sentence += f". Rows that the paper does not have are above it on {beaten_by_extra}"
    if weak:
        sentence += (
            f". On {weak} of them the lead that the paper prints is below what the design detects,"
            " so that who is best there may be chance"
        )
    allowed = needed * len(_lost_in_paper(evidence)) // len(_cells_in_paper(evidence))
    complete = _all_run(evidence, run) and not unsettled and done >= needed
    if final > allowed:
        return Finding(FAILS, sentence + ".")
    if weak > allowed:
        return Finding(NOT_DECIDABLE, sentence + ".")
    return Finding(HOLDS if complete else PROVISIONAL, sentence + ".")


def significance(evidence: Evidence, scope: Scope) -> Finding:
    """Is ELCRec's lead over the strongest other method of the paper significant?"""
    cells = _tested(evidence, scope)
    if not cells:
        return Finding(NOT_RUN, "ELCRec and another method have not both been run yet.")
    undecidable = _undecidable(evidence)
    settled_ones = [c for c in cells if settled(evidence, *_seeds(c.strongest))]
    won, lost = sum(c.won for c in cells), sum(c.lost for c in cells)
    weak = [c for c in cells if not c.significant and _key(c.strongest) in undecidable]
    done, needed = len(cells), len(TABLE_METRICS) * scope.expected
    run = [cell.rivals for cell in cells]
    sentence = (
        f"Against the strongest of the others, by the primary test (Holm, p < {LEVEL}), ELCRec is"
        f" significantly above on {won} and below on {lost} of the {done} cells run so far (of"
        f" {needed}); on {done - won - lost} no difference is found, {_how_many(evidence, run)}"
    )
    if weak:
        seeds = len(evidence.config.seeds)
        sentence += (
            f". On {len(weak)} of these the lead that the paper prints is below what {seeds} seeds"
            f" of each model detect with {POWER:.0%} power at that level, so this design cannot"
            " decide them"
        ).replace("%", " %")
    untested = [_named(evidence, c.strongest) for c in cells if _untested(c.strongest)]
    if untested:
        sentence += f". Without a test, as no model has two seeds: {listed(untested)}"
    sentence += _open_text(evidence, done - len(settled_ones))
    paper_cells = _cells_in_paper(evidence)
    allowed = needed * (len(paper_cells) - len(_won_in_paper(evidence))) // len(paper_cells)
    failed = sum(c.lost or (not c.won and c not in weak) for c in settled_ones)
    complete = _all_run(evidence, run) and len(settled_ones) == needed
    if failed > allowed:
        outcome = FAILS
    elif complete and won >= needed - allowed:
        outcome = HOLDS
    else:
        outcome = NOT_DECIDABLE if len(weak) > allowed else PROVISIONAL
    return Finding(outcome, sentence + ".")


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


def _open_text(evidence: Evidence, unsettled: int) -> str:
    """That cells may change, because seeds are missing."""
    if not unsettled:
        return ""
    return (
        f". {unsettled} of these cells are provisional: ELCRec or the best other has fewer than"
        f" {len(evidence.config.seeds)} seeds"
    )


def _cell_text(
    evidence: Evidence, dataset: str, metric: str, rival: str, theirs: Score, own: Score
) -> str:
    where = f"{evidence.dataset_name(dataset)} {metric}"
    return f"{where}: {evidence.model_name(rival)} {theirs.mean:.4f}, ELCRec {own.mean:.4f}"


def _named(evidence: Evidence, row: Row) -> str:
    where = f"{evidence.dataset_name(row.text('dataset'))} {row.text('metric')}"
    return f"{where} ({evidence.model_name(row.text('model_b'))})"


def _tested(evidence: Evidence, scope: Scope) -> list[_Tested]:
    """ELCRec against the other methods of the paper, cell by cell."""
    found: dict[tuple[str, str], _Tested] = {}
    for row in evidence.table("significance"):
        dataset, rival = row.text("dataset"), row.text("model_b")
        each = row.text("family") == EACH
        known = evidence.model_name(rival) in evidence.paper_models
        if not (each and known and dataset in scope.datasets and row.text("model_a") == REFERENCE):
            continue
        cell = found.setdefault(_key(row), _Tested(row))
        cell.rivals.add(rival)
        if row.number("mean_b") > cell.strongest.number("mean_b"):
            cell.strongest = row
    return list(found.values())


def _undecidable(evidence: Evidence) -> set[tuple[str, str]]:
    """Cells whose printed lead is below what the configured seeds can detect after Holm."""
    return {
        _key(row)
        for row in evidence.table("detectable")
        if row.number("paper_lead_percent") < row.number("design_holm_percent")
    }


def _key(row: Row) -> tuple[str, str]:
    return row.text("dataset"), row.text("metric")


def _untested(row: Row) -> bool:
    return math.isnan(row.number("p_holm"))


def _seeds(row: Row) -> list[int]:
    """How many seeds each of the compared models has."""
    text = row.text("seeds")
    if not re.fullmatch(r"[0-9]{1,6}\+[0-9]{1,6}", text):
        raise InputError(f"{row.path}: seeds is {shown(text)}; allowed: two counts, as in 3+3")
    return [int(count) for count in text.split("+")]


BEST = Definition(
    "best",
    "ELCRec is best on almost all cells",
    best_in_paper,
    "Counts the cells where ELCRec's mean is above, equal to (in the four printed digits) or below"
    " the best other method of the paper. Holds if it is below on no larger a share than in the"
    " paper; provisional until ELCRec and the best other have all seeds of the configuration on"
    " every cell, with ICLRec and every other method of the configuration run. Where the design"
    " cannot detect the lead that the paper prints, a mean below is no evidence against the claim;"
    " with too many such cells it is not decidable. Methods that this project does not have do not"
    " count.",
    best,
    {"table1": "Table 1"},
)
SIGNIFICANT = Definition(
    "significance",
    "The lead is significant",
    significant_in_paper,
    "Counts the cells where ELCRec is significantly above and below the strongest other method"
    f" (p < {LEVEL}, Holm), by the primary test, in which users and trainings both vary. Holds if"
    " it is above on as large a share as in the paper. A cell without a significant difference"
    " speaks against the claim only where the design can detect the lead that the paper prints;"
    " where too many cannot be decided, neither can the claim. Provisional until both models have"
    " all seeds.",
    significance,
    {"significance": "Significance"},
)
