"""Claims about Table 1: ELCRec is the best method, and significantly so."""

import re
from typing import Any

import pandas as pd

from elcrec.config.names import BASELINE, REFERENCE
from elcrec.errors import InputError, shown
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.files.rows import Row, frame_of
from elcrec.paper import IMPROVEMENT, P_VALUE
from elcrec.report.claims.claim import Judged, Numbers, Outcome, Scope
from elcrec.report.evidence import Evidence
from elcrec.statistics.power import LEVEL
from elcrec.tables.table1 import EACH

DIGITS = 4
"""Printed decimals: means that agree in them are equal."""
CELL = ["dataset", "metric"]


def best(evidence: Evidence, scope: Scope) -> Judged:
    """Is ELCRec the best of the paper's methods, cell by cell?"""
    cells = _against_strongest(evidence, scope)
    if cells.empty:
        return Judged(Outcome.NOT_RUN)
    cells["ahead"] = cells["own"].round(DIGITS) - cells["theirs"].round(DIGITS)
    printed, numbers = in_paper(evidence), _numbers(evidence, scope, cells)
    allowed = numbers["needed"] * len(printed["lost"]) // printed["cells"]
    undetectable, extra = int(cells["undetectable"].sum()), int(cells["extra"].sum())
    # Where the design cannot detect the lead that the paper prints, a mean below may be chance.
    if ((cells["ahead"] < 0) & cells["settled"] & ~cells["undetectable"]).sum() > allowed:
        outcome = Outcome.FAILS
    elif undetectable > allowed:
        outcome = Outcome.NOT_DECIDABLE
    else:
        complete = cells["complete"].all() and len(cells) >= numbers["needed"]
        outcome = Outcome.HOLDS if complete else Outcome.PROVISIONAL
    return Judged(outcome, numbers | {"undetectable": undetectable, "extra": extra})


def significance(evidence: Evidence, scope: Scope) -> Judged:
    """Is ELCRec's lead over the strongest other method of the paper significant?"""
    cells = _against_strongest(evidence, scope)
    if cells.empty:
        return Judged(Outcome.NOT_RUN)
    cells["ahead"] = cells["difference"].where(cells["p_holm"] < LEVEL, 0.0)
    printed, numbers = in_paper(evidence), _numbers(evidence, scope, cells)
    needed, won = numbers["needed"], len(numbers["won"])
    allowed = needed * (printed["cells"] - printed["significant"]) // printed["cells"]
    undecided = cells["ahead"] == 0
    undetectable = int((undecided & cells["undetectable"]).sum())
    contradicting = (cells["ahead"] < 0) | (undecided & ~cells["undetectable"])
    if (contradicting & cells["settled"]).sum() > allowed:
        outcome = Outcome.FAILS
    elif won >= needed - allowed and len(cells) == needed and cells["complete"].all():
        outcome = Outcome.HOLDS
    else:
        outcome = Outcome.NOT_DECIDABLE if undetectable > allowed else Outcome.PROVISIONAL
    untested = cells[cells["p_holm"].isna()].to_dict("records")
    return Judged(outcome, numbers | {"undetectable": undetectable, "untested": untested})


def in_paper(evidence: Evidence) -> Numbers:
    """Both claims, counted in the paper's own table."""
    paper, methods = evidence.paper, evidence.paper_models
    cells = sorted({(dataset, metric) for dataset, metric, _ in paper})
    lost = [c for c in cells if max(paper.get((*c, m), 0) for m in methods) > paper[*c, "ELCRec"]]
    significant = [c for c in cells if paper[*c, P_VALUE] < LEVEL and paper[*c, IMPROVEMENT] > 0]
    return {
        "methods": len(methods),
        "cells": len(cells),
        "lost": list(map(" ".join, lost)),
        "significant": len(significant),
    }


def _numbers(evidence: Evidence, scope: Scope, cells: pd.DataFrame) -> dict[str, Any]:
    """What both claims report about the cells that have been run; `ahead` says who won."""
    rivals = cells["rivals"].map(len)
    return {
        "done": len(cells),
        "needed": len(TABLE_METRICS) * scope.expected,
        "won": cells[cells["ahead"] > 0].to_dict("records"),
        "even": cells[cells["ahead"] == 0].to_dict("records"),
        "lost": cells[cells["ahead"] < 0].to_dict("records"),
        "open": int((~cells["settled"]).sum()),
        "seeds": len(evidence.config.seeds),
        "fewest": rivals.min(),
        "most": rivals.max(),
        "rivals": len(evidence.paper_models) - 1,
    }


def _against_strongest(evidence: Evidence, scope: Scope) -> pd.DataFrame:
    """ELCRec against the best other method of the paper on every data set and metric with both.

    Returns:
        `own`, `theirs` and `difference` of the means, and `p_holm`; `rivals`, the ids of the other
        methods of the paper that were run; `extra`: a method that the paper lacks is above ELCRec;
        `settled`: both have all seeds; `complete`: in addition, every method of the paper that is
        configured has been run, and ICLRec in any case; `undetectable`: the lead that the paper
        prints is below what the configured seeds can detect after Holm. `where` and `rival` are
        for a reader.
    """
    rows = [
        row
        for row in evidence.table("significance")
        if (row.text("family"), row.text("model_a")) == (EACH, REFERENCE)
        and row.text("dataset") in scope.datasets
        and row.text("metric") in TABLE_METRICS  # others may be shown besides
    ]
    pairs = frame_of(rows, [*CELL, "model_b"], ["mean_a", "mean_b", "difference", "p_holm"])
    pairs = pairs.rename(columns={"mean_a": "own", "mean_b": "theirs"})
    pairs["seeds"] = list(map(_fewest_seeds, rows))
    pairs["rival"] = pairs["model_b"].map(evidence.model_name)
    in_paper = pairs["rival"].isin(evidence.paper_models) & pairs["theirs"].notna()
    if not in_paper.any():
        return pairs[in_paper]
    methods = pairs[in_paper].groupby(CELL, sort=False)
    cells = pairs.loc[methods["theirs"].idxmax()].set_index(CELL)
    cells["rivals"] = methods["model_b"].agg(set)
    # A method that the paper lacks is reported but decides nothing.
    other_methods = pairs[~in_paper].groupby(CELL)["theirs"].max()
    cells["extra"] = other_methods.reindex(cells.index) > cells["own"]
    # Seeds or rivals that are still to be run can change who is ahead.
    cells["settled"] = cells["seeds"] >= len(evidence.config.seeds)
    required = _required(evidence)
    cells["complete"] = cells["settled"] & cells["rivals"].map(lambda run: run >= required)
    cells["undetectable"] = cells.index.isin(_below_design(evidence))
    cells["where"] = [f"{evidence.dataset_name(d)} {metric}" for d, metric in cells.index]
    return cells


def _required(evidence: Evidence) -> set[str]:
    """The rivals that must have been run before a claim can hold."""
    models, methods = evidence.config.models, evidence.paper_models
    return {BASELINE} | {m for m in models if evidence.model_name(m) in methods} - {REFERENCE}


def _below_design(evidence: Evidence) -> pd.Index:
    """Data sets and metrics where the printed lead is below what the design can detect."""
    columns = ["paper_lead_percent", "design_holm_percent"]
    cells = frame_of(evidence.table("detectable"), CELL, columns).set_index(CELL)
    return cells.index[cells["paper_lead_percent"] < cells["design_holm_percent"]]


def _fewest_seeds(row: Row) -> int:
    """How many seeds each of the compared models has at least: the smaller of `3+2`."""
    text = row.text("seeds")
    if not re.fullmatch(r"[0-9]{1,6}\+[0-9]{1,6}", text):
        raise InputError(f"{row.path}: seeds is {shown(text)}; allowed: two counts, as in 3+3")
    return min(map(int, text.split("+")))
