"""From Table 1 to the files of the verdict on each printed value."""

from __future__ import annotations

from pathlib import Path

from elcrec import paper
from elcrec.config.config import Config
from elcrec.files.atomic import write_text
from elcrec.files.csvfile import csv_text
from elcrec.tables import detectable, impossible, table1, verdict


def write(config: Config, folder: Path, any_code: bool = False) -> None:
    """Write the verdict on each printed value and what the design can tell; print the counts.

    Files: verdict.csv, nearest.csv, detectable.csv and impossible.csv.

    Args:
        config: Which runs Table 1 has.
        folder: Where the files go.
        any_code: Take runs that other code made, too.
    """
    table = table1.read(config, any_code)
    printed = paper.load_accuracy()
    found = verdict.judge(table, printed, len(config.seeds))
    columns_near = [verdict.csv_row(n) for n in verdict.nearest(table, printed)]
    powers = detectable.rows(table, printed, len(config.seeds))
    columns = [*impossible.printed_columns(printed), *impossible.own_columns(table)]
    broken = [column.as_csv() for column in columns if column.impossible]
    write_text(folder / "verdict.csv", csv_text([verdict.csv_row(v) for v in found]))
    write_text(folder / "nearest.csv", csv_text(columns_near, verdict.NEAREST_COLUMNS))
    write_text(folder / "detectable.csv", csv_text(powers, detectable.COLUMNS))
    write_text(folder / "impossible.csv", csv_text(broken, impossible.COLUMNS))
    print(verdict.summary(found))
    print(verdict.RULE)
