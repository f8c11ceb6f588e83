"""`elcrec table verdict|activity|data-statistics`: what follows from Table 1's runs and data."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elcrec.tables.accuracy import AccuracyTable

# As in elcrec.tables.commands, each imports what it needs when it runs.


def write_verdict(args: argparse.Namespace, table: AccuracyTable) -> None:
    """Write the verdict on each printed value and what the design can tell; print the counts.

    Files: verdict.csv, nearest.csv, detectable.csv and impossible.csv.

    Args:
        args: With `config` and `output`.
        table: Table 1.
    """
    from elcrec.atomic import write_text
    from elcrec.config import load_config
    from elcrec.tables import detectable, impossible, paper, verdict
    from elcrec.tables.markdown import csv_text

    config = load_config(args.config)
    printed = paper.load_accuracy()
    found = verdict.judge(table, printed, len(config.seeds))
    columns_near = [verdict.csv_row(n) for n in verdict.nearest(table, printed)]
    powers = detectable.rows(table, printed, len(config.seeds))
    columns = [*impossible.printed_columns(printed), *impossible.own_columns(table)]
    broken = [column.as_csv() for column in columns if column.impossible]
    folder = args.output or config.output / "tables"
    write_text(folder / "verdict.csv", csv_text([verdict.csv_row(v) for v in found]))
    write_text(folder / "nearest.csv", csv_text(columns_near, verdict.NEAREST_COLUMNS))
    write_text(folder / "detectable.csv", csv_text(powers, detectable.COLUMNS))
    write_text(folder / "impossible.csv", csv_text(broken, impossible.COLUMNS))
    print(verdict.summary(found))
    print(verdict.RULE)


def write_activity(args: argparse.Namespace, table: AccuracyTable) -> None:
    """Write activity.csv, activity.md and activity.tex.

    A data set that is not prepared and has no run is left out and named in the notes.

    Args:
        args: With `config` and `output`.
        table: Table 1, whose runs are grouped by user.

    Raises:
        InputError: A data set has runs and is not prepared, or they are of other histories.
    """
    from elcrec.atomic import write_text
    from elcrec.config import load_config
    from elcrec.data.sequences import read_sequences
    from elcrec.tables import activity, activity_text
    from elcrec.tables.markdown import csv_text

    config = load_config(args.config)
    run = {record.dataset for record in table.records}
    there = [d for d in table.datasets if d in run or config.sequences_file(d).exists()]
    histories = {d: read_sequences(config.prepared_file(d)) for d in there}
    rows = activity.build(table.records, histories, list(table.models))
    names = {"datasets": table.datasets, "models": table.models}
    notes = activity_text.notes(table.records, table.gaps, **names)
    header = activity.csv_header(list(table.models))
    folder = args.output or config.output / "tables"
    write_text(folder / "activity.csv", csv_text([activity.csv_row(r) for r in rows], header))
    write_text(folder / "activity.md", activity_text.markdown(rows, notes, **names))
    write_text(folder / "activity.tex", activity_text.latex(rows, notes, **names))


def run_data_statistics(args: argparse.Namespace) -> None:
    """Write data_statistics.tex from the statistics.json of prepared data sets."""
    from elcrec.atomic import write_text
    from elcrec.config import load_config
    from elcrec.tables import data_statistics

    folder: Path = args.output or load_config(args.config).output / "tables"
    write_text(folder / "data_statistics.tex", data_statistics.latex(args.files))
