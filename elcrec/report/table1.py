"""Table 1 as the page shows it: one table per data set, models down, metrics across."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.paper import IMPROVEMENT, P_VALUE
from elcrec.report.evidence import Evidence, Score
from elcrec.report.provenance import Links
from elcrec.report.verdict import MARKS, JudgedCells, in_words
from elcrec.report.view import Cell, Table, deviation
from elcrec.tables import data_statistics, released, table1_files
from elcrec.tables.layout import BEST, GAP, number, score
from elcrec.tables.stopping import marks
from elcrec.tables.table1 import BEST as OF_THE_BEST
from elcrec.tables.verdict import NOT_RUN


def tables(evidence: Evidence, judged: JudgedCells, links: Links) -> list[Table]:
    """One table for each data set of the configuration."""
    return [
        Table(
            f"table1-{dataset}",
            f"{evidence.dataset_name(dataset)}: accuracy on the test split",
            ["Model", *TABLE_METRICS],
            list(_rows(evidence, dataset, judged, links)),
        )
        for dataset in evidence.config.use
    ]


def significance_table(evidence: Evidence) -> Table | None:
    """The best model against the runner-up on each cell; None before there are two."""
    found = [r for r in evidence.table("significance") if r.text("family") == OF_THE_BEST]
    table = table1_files.compared(found, evidence, evidence.accuracy_printed)
    return replace(table, id="significance-best") if found else None


def statistics_table(evidence: Evidence) -> Table | None:
    """Size of the data sets beside the paper's; None before they are prepared."""
    rows = evidence.table("data_statistics")
    return replace(data_statistics.shown(rows), id="statistics") if rows else None


def released_table(evidence: Evidence, links: Links) -> Table | None:
    """What the authors' weights give; None before `released.csv` is there."""
    rows = evidence.table("released")
    named = {
        (evidence.dataset_name(dataset), evidence.model_name(model)): link
        for (kind, dataset, model), link in links.items()
        if kind == "released weights"
    }
    return released.shown(rows, named) if rows else None


def _rows(
    evidence: Evidence, dataset: str, judged: JudgedCells, links: Links
) -> Iterator[list[Cell]]:
    """A row for each model that is run, and for each other method of the paper."""
    name, models = evidence.dataset_name(dataset), evidence.config.compared
    best = {metric: _best(evidence, dataset, metric) for metric in TABLE_METRICS}
    for model in models:
        shown = evidence.model_name(model)
        link = links.get(("run", dataset, model), ("", ""))
        cells = [Cell(shown)]
        for metric in TABLE_METRICS:
            ours = evidence.scores.get((dataset, metric, model))
            key = name, metric, shown
            marked = BEST if model == best[metric] else ""
            cells.append(
                _cell(evidence, ours, key, judged.get(key), link, marked)
                if ours
                else _gap(evidence, key, NOT_RUN)
            )
        yield cells
    run = {evidence.model_name(model) for model in models} | {IMPROVEMENT, P_VALUE}
    methods = dict.fromkeys(m for d, _, m in evidence.accuracy_printed if d == name)
    for model in (m for m in methods if m not in run):
        gaps = [_gap(evidence, (name, m, model), "not run here") for m in TABLE_METRICS]
        yield [Cell(model, note="not run here", kind="other"), *gaps]


def _best(evidence: Evidence, dataset: str, metric: str) -> str | None:
    found = {m: evidence.scores.get((dataset, metric, m)) for m in evidence.config.compared}
    means = {model: score.mean for model, score in found.items() if score}
    return max(means, key=lambda model: means[model]) if means else None


def _cell(
    evidence: Evidence,
    ours: Score,
    key: tuple[str, str, str],
    judged: Any | None,
    link: tuple[str, str],
    marked: str,
) -> Cell:
    """Our mean; below it deviation and seeds, the paper's value, and how far ours is from it."""
    note = "1 seed" if math.isnan(ours.std) else f"± {number(ours.std, 4)}, {ours.seeds} seeds"
    note += f" {marks(ours.stopping)}" if ours.stopping else ""
    away = deviation(ours.deviation)
    if away:
        mark = MARKS[judged.text("verdict")] + " " if judged else ""
        note += (
            f"\n{mark}paper {score(evidence.accuracy_printed.get(key))}\t{away.sign} {away.text}"
        )
    said = [in_words(judged) if judged else "", ours.stopping, link[1]]
    return Cell(
        score(ours.mean),
        sort=ours.mean,
        note=note,
        kind=" ".join(filter(None, [marked, away.kind if away else ""])),
        href=link[0],
        title=". ".join(filter(None, said)),
    )


def _gap(evidence: Evidence, key: tuple[str, str, str], reason: str) -> Cell:
    printed = evidence.accuracy_printed.get(key, math.nan)
    note = "" if math.isnan(printed) else f"paper {score(printed)}"
    return Cell(GAP, note=note, kind="gap", title=reason)
