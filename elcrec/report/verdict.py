"""The verdict at the top of the page: how many of the paper's values ours are compatible with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from elcrec.paper import IMPROVEMENT, P_VALUE, printed_in
from elcrec.report.evidence import Evidence
from elcrec.report.view import Cell, Table
from elcrec.tables import detectable, nearest, verdict
from elcrec.tables.layout import Line, number
from elcrec.tables.verdict import CANNOT_TELL, COMPATIBLE, DIFFERS, NOT_RUN, PROVISIONAL, VERDICTS

MARKS = {COMPATIBLE: "✓", DIFFERS: "✗", CANNOT_TELL: "?", NOT_RUN: "○"}
KINDS = {COMPATIBLE: "yes", DIFFERS: "no", CANNOT_TELL: "part", NOT_RUN: "open"}
"""CSS class of each verdict."""
JudgedCells = Mapping[tuple[str, str, str], Any]
"""(data set, metric, model), all as printed, to the row of `verdict.csv`."""


def judged_cells(evidence: Evidence) -> JudgedCells:
    """Read `verdict.csv`; before it is there, every cell of the paper is not yet run."""
    rows: list[Any] = list(evidence.table("verdict")) or [
        Line(
            dataset=dataset,
            metric=metric,
            model=model,
            verdict=NOT_RUN,
            status="",
            note="tables/verdict.csv is not made yet",
        )
        for dataset, metric, model in evidence.accuracy_printed
        if model not in (IMPROVEMENT, P_VALUE)
    ]
    return {(row.text("dataset"), row.text("metric"), row.text("model")): row for row in rows}


def in_words(row: Any) -> str:
    """A verdict with the numbers that it rests on."""
    found: str = row.text("verdict")
    if found == NOT_RUN:
        return found
    low, high = (number(row.number(key), 4) for key in ("low95", "high95"))
    half = number(row.number("half_width_percent"), 1)
    return (
        f"{found}, {row.text('status')}: {row.text('seeds')} of {row.text('seeds_asked')} seeds; a"
        f" run is expected in {low} to {high} (± {half} %)"
    )


def summary(judged: JudgedCells) -> dict[str, Any]:
    """Count the verdicts, and why cells are not yet run."""
    verdicts = Counter(row.text("verdict") for row in judged.values())
    notes = (row.text("note") for row in judged.values() if row.text("verdict") == NOT_RUN)
    return {
        "printed_in": printed_in(dataset for dataset, _, _ in judged),
        "counts": {v: verdicts[v] for v in VERDICTS},
        "total": len(judged),
        "run": len(judged) - verdicts[NOT_RUN],
        "provisional": sum(row.text("status") == PROVISIONAL for row in judged.values()),
        "rule": verdict.rule(),
        "reasons": Counter(note.split(";")[0] or NOT_RUN for note in notes).most_common(),
        "marks": MARKS,
        "kinds": KINDS,
    }


def breakdown(judged: JudgedCells) -> list[Table]:
    """The same counts by data set and by model."""
    return [
        _by("Data set", "verdict-datasets", judged, 0),
        _by("Model", "verdict-models", judged, 2),
    ]


def nearest_table(evidence: Evidence) -> Table | None:
    """With which printed columns each of ours agrees; None before any was compared."""
    rows = evidence.table("nearest")
    return nearest.shown(rows) if rows else None


def detectable_table(evidence: Evidence) -> Table | None:
    """Leads that the design detects, beside the paper's; None before there is any."""
    rows = evidence.table("detectable")
    return detectable.shown(rows, evidence) if rows else None


def _by(what: str, id: str, judged: JudgedCells, part: int) -> Table:
    counts = Counter((key[part], row.text("verdict")) for key, row in judged.items())
    names = dict.fromkeys(key[part] for key in judged)
    rows = [[Cell(name), *(_count_cell(counts[name, v], v) for v in VERDICTS)] for name in names]
    header = [what, *(f"{MARKS[v]} {v}" for v in VERDICTS)]
    return Table(id, f"Cells by {what.lower()}", header, rows)


def _count_cell(count: int, verdict: str) -> Cell:
    return Cell(str(count), sort=count, kind=KINDS[verdict] if count else "none")
