"""The verdict at the top of the page: how many of the paper's cells were reproduced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from elcrec.report.evidence import Evidence
from elcrec.report.view import Cell, Table
from elcrec.tables.markdown import number
from elcrec.tables.verdict import NOT_REPRODUCED, NOT_RUN, REPRODUCED, VERDICTS, rule_text

MARKS = {REPRODUCED: "✓", NOT_REPRODUCED: "✗", NOT_RUN: "○"}
KINDS = {REPRODUCED: "yes", NOT_REPRODUCED: "no", NOT_RUN: "open"}
"""CSS class of each verdict."""


@dataclass(frozen=True)
class Judged:
    """A cell of the paper's Table 1 and what our runs say of it."""

    dataset: str
    """As printed, as is the model."""
    metric: str
    model: str
    verdict: str
    text: str
    """The verdict with the numbers that it rests on."""
    note: str


@dataclass(frozen=True)
class Count:
    """How many cells have a verdict."""

    verdict: str
    kind: str
    mark: str
    cells: int
    share: float
    """In percent of all cells."""


@dataclass(frozen=True)
class Summary:
    """What stands at the top."""

    counts: Sequence[Count]
    total: int
    run: int
    """Cells with at least one run."""
    rule: str
    reasons: Sequence[tuple[str, int]]
    """Why cells are not yet run, and how many for each reason."""


JudgedCells = Mapping[tuple[str, str, str], Judged]
"""(data set, metric, model), all as printed, to the judged cell."""


def judged_cells(evidence: Evidence) -> JudgedCells:
    """Read `verdict.csv`; before it is there, every cell of the paper is not yet run."""
    found = {}
    for row in evidence.table("verdict"):
        key = row.text("dataset"), row.text("metric"), row.text("model")
        verdict, text = row.text("verdict"), row.text("verdict")
        if verdict != NOT_RUN:
            rule = f" ({row.text('rule')})" if row.text("rule") else ""
            low, high = (number(row.number(k), 4) for k in ("low95", "high95"))
            text = f"{verdict}{rule}; {row.text('seeds')} seeds, 95 % interval {low} to {high}"
        found[key] = Judged(*key, verdict, text, row.text("note"))
    if not found:
        for dataset, metric, model in evidence.paper:
            if model in evidence.paper_models:
                key = dataset, metric, model
                found[key] = Judged(*key, NOT_RUN, NOT_RUN, "tables/verdict.csv is not made yet")
    return found


def summary(evidence: Evidence, judged: JudgedCells) -> Summary:
    """Count the verdicts."""
    verdicts = Counter(cell.verdict for cell in judged.values())
    total = len(judged)
    counts = [
        Count(v, KINDS[v], MARKS[v], verdicts[v], 100 * verdicts[v] / max(total, 1))
        for v in VERDICTS
    ]
    notes = (cell.note for cell in judged.values() if cell.verdict == NOT_RUN)
    reasons = Counter(note.split(";")[0] or NOT_RUN for note in notes)
    rule = rule_text(evidence.config.tolerance_percent)
    return Summary(counts, total, total - verdicts[NOT_RUN], rule, reasons.most_common())


def breakdown(judged: JudgedCells) -> list[Table]:
    """The same counts by data set and by model."""
    return [
        _by("Data set", "verdict-datasets", judged, lambda cell: cell.dataset),
        _by("Model", "verdict-models", judged, lambda cell: cell.model),
    ]


def _by(what: str, id: str, judged: JudgedCells, key: Callable[[Judged], str]) -> Table:
    counts = Counter((key(cell), cell.verdict) for cell in judged.values())
    names = dict.fromkeys(key(cell) for cell in judged.values())
    rows = [[Cell(name), *(_count_cell(counts[name, v], v) for v in VERDICTS)] for name in names]
    header = [what, *(f"{MARKS[v]} {v}" for v in VERDICTS)]
    return Table(id, f"Cells by {what.lower()}", header, rows)


def _count_cell(count: int, verdict: str) -> Cell:
    return Cell(str(count), sort=count, kind=KINDS[verdict] if count else "none")
