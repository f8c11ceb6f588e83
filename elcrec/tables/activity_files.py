"""Accuracy by user activity as Markdown and LaTeX: one table per data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from elcrec.config.config import Config
from elcrec.data.sequences import read_sequences
from elcrec.files.atomic import write_text
from elcrec.files.csvfile import csv_text
from elcrec.runs.reading import Gap
from elcrec.runs.record import RunRecord
from elcrec.tables import activity, table1
from elcrec.tables.activity import GROUPS, GroupRow
from elcrec.tables.latex import latex_file, latex_table
from elcrec.tables.layout import GAP, TextTable, bullets, percent, score
from elcrec.tables.layout import markdown as markdown_of
from elcrec.tables.wording import PRIMARY, interval_of, missing, origin, with_holm

Names = Mapping[str, str]


def notes(
    records: Sequence[RunRecord], gaps: Sequence[Gap], *, datasets: Names, models: Names
) -> list[str]:
    """Return what a reader must know, and what is missing."""
    return [
        f"{GROUPS} equally large groups of users by the number of items in their history, "
        "validation and test item included; users with histories of the same length are put in a "
        "random order, always the same one, so neighboring groups can share a length.",
        "Test split, mean over seeds. Improvement: ELCRec over ICLRec, in percent of ICLRec.",
        PRIMARY,
        "The training noise is that of the group's users. Paired p: paired t-test over these "
        "users, with these trained weights. In brackets: Holm-corrected over all rows here.",
        "The paper's Table 4 shows groups of users of a private app, with metrics that cannot be "
        "had from public data; there are no figures of its to stand beside these.",
        *origin(records),
        *missing(gaps, datasets, models),
    ]


def markdown(
    rows: Sequence[GroupRow], notes: Sequence[str], *, datasets: Names, models: Names
) -> str:
    """Return `activity.md`."""
    parts = [
        f"## {name}\n\n{markdown_of(table)}\n" for name, table in _tables(rows, datasets, models)
    ]
    return f"# Accuracy by user activity\n\n{''.join(parts)}## Notes\n\n{bullets(notes)}"


def latex(rows: Sequence[GroupRow], notes: Sequence[str], *, datasets: Names, models: Names) -> str:
    """Return `activity.tex`, the notes as comments."""
    tables = [
        latex_table(
            table,
            caption=f"{name}: accuracy on the test split by length of the users' histories "
            "(means over seeds), and the improvement of ELCRec over ICLRec.",
            label=f"tab:activity-{number}",
        )
        for number, (name, table) in enumerate(_tables(rows, datasets, models), start=1)
    ]
    return latex_file(tables, notes)


def _tables(
    rows: Sequence[GroupRow], datasets: Names, models: Names
) -> list[tuple[str, TextTable]]:
    header = ["Metric", "Group", "History", "Users", *models.values()]
    header += ["Improvement", "95 %", "p (Holm)", "Paired p (Holm), these weights"]
    return [
        (name, TextTable(header, [_line(r, models) for r in rows if r.dataset == dataset], text=3))
        for dataset, name in datasets.items()
        if any(row.dataset == dataset for row in rows)
    ]


def _line(row: GroupRow, models: Names) -> list[str]:
    history = f"{row.shortest}–{row.longest}" if row.shortest < row.longest else str(row.longest)
    return [
        row.metric if row.group == 1 else "",
        str(row.group),
        history,
        f"{row.users:,}",
        *(score(row.cells[model].mean) for model in models),
        *_lead(row),
    ]


def _lead(row: GroupRow) -> list[str]:
    lead = row.lead
    if lead is None:
        return [GAP] * 4
    return [
        percent(lead.improvement),
        interval_of(lead.primary, lead.mean_b),
        with_holm(lead.primary.p_value, lead.primary_holm),
        with_holm(lead.paired.p_value, lead.paired_holm),
    ]


def write(config: Config, folder: Path, any_code: bool = False) -> None:
    """Write activity.csv, activity.md and activity.tex.

    A data set that is not prepared and has no run is left out and named in the notes.

    Args:
        config: Which runs Table 1 has.
        folder: Where the files go.
        any_code: Take runs that other code made, too.

    Raises:
        InputError: A data set has runs and is not prepared, or they are of other histories.
    """
    table = table1.read(config, any_code)
    run = {record.dataset for record in table.records}
    there = [d for d in table.datasets if d in run or config.sequences_file(d).exists()]
    histories = {d: read_sequences(config.prepared_file(d)) for d in there}
    rows = activity.build(table.records, histories, list(table.models))
    names = {"datasets": table.datasets, "models": table.models}
    lines = notes(table.records, table.gaps, **names)
    header = activity.csv_header(list(table.models))
    write_text(folder / "activity.csv", csv_text([activity.csv_row(r) for r in rows], header))
    write_text(folder / "activity.md", markdown(rows, lines, **names))
    write_text(folder / "activity.tex", latex(rows, lines, **names))
