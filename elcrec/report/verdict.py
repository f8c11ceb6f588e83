"""The verdict at the top of the page: how many of the paper's values ours are compatible with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from elcrec.report.evidence import Evidence, Row
from elcrec.report.view import Cell, Table, figure_cell, gap
from elcrec.tables.detectable import EXPLANATION, SEEDS, seeds_text
from elcrec.tables.layout import number
from elcrec.tables.verdict import (
    CANNOT_TELL,
    COMPATIBLE,
    DIFFERS,
    NOT_RUN,
    PROVISIONAL,
    RULE,
    VERDICTS,
)

MARKS = {COMPATIBLE: "✓", DIFFERS: "✗", CANNOT_TELL: "?", NOT_RUN: "○"}
KINDS = {COMPATIBLE: "yes", DIFFERS: "no", CANNOT_TELL: "part", NOT_RUN: "open"}
"""CSS class of each verdict."""


@dataclass(frozen=True)
class Judged:
    """A cell of the paper's Table 1 and what our runs say of it."""

    dataset: str
    """As printed, as is the model."""
    metric: str
    model: str
    verdict: str
    status: str
    """Final or provisional; empty where nothing was run."""
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
    provisional: int
    """Of these, how many still miss seeds."""
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
        verdict, text, status = row.text("verdict"), row.text("verdict"), row.text("status")
        if verdict != NOT_RUN:
            low, high = (number(row.number(k), 4) for k in ("low95", "high95"))
            half = number(row.number("half_width_percent"), 1)
            text = f"{verdict}, {status}: {row.text('seeds')} of {row.text('seeds_asked')} seeds; a"
            text += f" run is expected in {low} to {high} (± {half} %)"
        found[key] = Judged(*key, verdict, status, text, row.text("note"))
    if not found:
        for dataset, metric, model in evidence.paper:
            if model in evidence.paper_models:
                key = dataset, metric, model
                found[key] = Judged(
                    *key, NOT_RUN, "", NOT_RUN, "tables/verdict.csv is not made yet"
                )
    return found


def summary(judged: JudgedCells) -> Summary:
    """Count the verdicts."""
    verdicts = Counter(cell.verdict for cell in judged.values())
    total = len(judged)
    counts = [
        Count(v, KINDS[v], MARKS[v], verdicts[v], 100 * verdicts[v] / max(total, 1))
        for v in VERDICTS
    ]
    notes = (cell.note for cell in judged.values() if cell.verdict == NOT_RUN)
    reasons = Counter(note.split(";")[0] or NOT_RUN for note in notes)
    waiting = sum(cell.status == PROVISIONAL for cell in judged.values())
    return Summary(counts, total, total - verdicts[NOT_RUN], waiting, RULE, reasons.most_common())


def breakdown(judged: JudgedCells) -> list[Table]:
    """The same counts by data set and by model."""
    return [
        _by("Data set", "verdict-datasets", judged, lambda cell: cell.dataset),
        _by("Model", "verdict-models", judged, lambda cell: cell.model),
    ]


def nearest_table(evidence: Evidence) -> Table | None:
    """With which printed columns each of ours agrees; None before any was compared."""
    rows = evidence.table("nearest")
    if not rows:
        return None
    body = [
        [
            Cell(row.text("dataset")),
            Cell(row.text("model")),
            Cell(row.text("seeds"), sort=row.number("seeds")),
            Cell(row.text("not_excluded") or "none"),
            Cell(row.text("nearest")),
            figure_cell(row.number("distance"), 2),
            figure_cell(row.number("own_distance"), 2),
        ]
        for row in rows
    ]
    header = ["Data set", "Ours", "Seeds", "Printed columns not excluded", "Nearest"]
    return Table(
        "nearest",
        "Can the rule tell the printed columns apart?",
        [*header, "Its distance", "Distance to its own"],
        body,
        text_columns=2,
        notes=[
            "Not excluded: all four printed values lie in the prediction intervals. Distance: root"
            " mean square over the metrics, in standard errors of prediction."
        ],
    )


def detectable_table(evidence: Evidence) -> Table | None:
    """Leads that the design detects, beside the paper's; None before there is any."""
    rows = evidence.table("detectable")
    if not rows:
        return None
    body = [
        [
            Cell(evidence.dataset_name(row.text("dataset"))),
            Cell(row.text("metric")),
            figure_cell(row.number("noise_percent"), 1),
            figure_cell(row.number("freedom"), 1),
            *(figure_cell(row.number(f"lead_at_{n}_percent"), 1) for n in SEEDS),
            figure_cell(row.number("design_holm_percent"), 1),
            figure_cell(row.number("paper_lead_percent"), 1),
            _seeds_cell(row),
            figure_cell(row.number("single_run_percent"), 1),
        ]
        for row in rows
    ]
    header = ["Data set", "Metric", "Noise of a run (%)", "Its df"]
    header += [f"{n} seed{'s' if n > 1 else ''}" for n in SEEDS]
    return Table(
        "detectable",
        "Leads that can be detected, in percent",
        [*header, "Configured, Holm", "Paper's lead", "Seeds it needs", "Single run"],
        body,
        text_columns=2,
        notes=[EXPLANATION],
    )


def _seeds_cell(row: Row) -> Cell:
    least, most = row.text("seeds_needed_least"), row.text("seeds_needed")
    if not most:
        return gap("no lead is printed")
    return Cell(seeds_text(least, most), sort=min(float(most), 1e9))


def _by(what: str, id: str, judged: JudgedCells, key: Callable[[Judged], str]) -> Table:
    counts = Counter((key(cell), cell.verdict) for cell in judged.values())
    names = dict.fromkeys(key(cell) for cell in judged.values())
    rows = [[Cell(name), *(_count_cell(counts[name, v], v) for v in VERDICTS)] for name in names]
    header = [what, *(f"{MARKS[v]} {v}" for v in VERDICTS)]
    return Table(id, f"Cells by {what.lower()}", header, rows)


def _count_cell(count: int, verdict: str) -> Cell:
    return Cell(str(count), sort=count, kind=KINDS[verdict] if count else "none")
