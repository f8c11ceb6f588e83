"""The verdict at the top of the page: how many of the paper's values ours are compatible with."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd

from elcrec.files.rows import Row, rows_of
from elcrec.paper import of_methods, printed_in
from elcrec.report.evidence import Evidence
from elcrec.tables import verdict
from elcrec.tables.layout import Cell, Table, number
from elcrec.tables.verdict import CANNOT_TELL, CELL, COMPATIBLE, DIFFERS, NOT_RUN, VERDICTS

MARKS = {COMPATIBLE: "✓", DIFFERS: "✗", CANNOT_TELL: "?", NOT_RUN: "○"}
KINDS = {COMPATIBLE: "yes", DIFFERS: "no", CANNOT_TELL: "part", NOT_RUN: "open"}
"""CSS class of each verdict."""
JudgedCells = Mapping[tuple[str, ...], Row]
"""`CELL`, all as printed, to the row of `verdict.csv`."""


def judged_cells(evidence: Evidence) -> JudgedCells:
    """Read `verdict.csv`; before it exists, every cell of the paper is not yet run."""
    rows = evidence.table("verdict")
    if not rows:
        printed = pd.DataFrame(list(of_methods(evidence.accuracy_printed)), columns=CELL)
        note = "tables/verdict.csv has not been made yet"
        rows = rows_of(printed.assign(verdict=NOT_RUN, status="", note=note))
    return {tuple(map(row.text, CELL)): row for row in rows}


def in_words(row: Row) -> str:
    """A verdict with the numbers that it rests on."""
    outcome = row.text("verdict")
    if outcome == NOT_RUN:
        return outcome
    low, high = (number(row.number(key), 4) for key in ("low95", "high95"))
    half_width = number(row.number("half_width_percent"), 1)
    return (
        f"{outcome}, {row.text('status')}: {row.text('seeds')} of {row.text('seeds_asked')} seeds;"
        f" expected of a run: {low} to {high} (± {half_width} %)"
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
        "provisional": sum(row.text("status") == verdict.PROVISIONAL for row in judged.values()),
        "rule": verdict.rule(),
        "reasons": Counter(note.split(";")[0] or NOT_RUN for note in notes).most_common(),
        "marks": MARKS,
        "kinds": KINDS,
    }


def breakdown(judged: JudgedCells) -> list[Table]:
    """The same counts by data set and by model."""
    return [
        _counts_by("Data set", "verdict-datasets", judged, 0),
        _counts_by("Model", "verdict-models", judged, 2),
    ]


def _counts_by(title: str, id: str, judged: JudgedCells, index: int) -> Table:
    counts = Counter((key[index], row.text("verdict")) for key, row in judged.items())
    names = dict.fromkeys(key[index] for key in judged)
    rows = [[Cell(name), *(_count(counts[name, v], v) for v in VERDICTS)] for name in names]
    header = [title, *(f"{MARKS[v]} {v}" for v in VERDICTS)]
    return Table(id, f"Cells by {title.lower()}", header, rows)


def _count(cells: int, verdict: str) -> Cell:
    return Cell(str(cells), sort=cells, kind=KINDS[verdict] if cells else "none")
