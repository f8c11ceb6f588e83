"""The size of the data sets beside the paper's Tables 6 and 7."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from elcrec.config.config import Config
from elcrec.data.sequences import SPLITS
from elcrec.data.statistics import load_statistics
from elcrec.files.rows import Row, rows_of
from elcrec.paper import SIZES, printed_sizes
from elcrec.tables.document import write_table
from elcrec.tables.layout import GAP, Column, Table, declared, figures, word

_FORMATS = {
    "users": ("Users", 0),
    "items": ("Items", 0),
    "actions": ("Actions", 0),
    "mean_length": ("Mean length", 1),
    "sparsity_percent": ("Sparsity (%)", 2),
}
"""Title and decimals of each of `SIZES`."""


def shown(rows: Sequence[Row]) -> Table:
    """The rows of `data_statistics.csv` as a table; the paper's numbers as printed."""
    columns = [word("Data set", "name")]
    for key, (title, digits) in _FORMATS.items():
        columns += [figures(title, key, digits), _printed(f"paper_{key}")]
    columns += [figures(f"Repeated, {split}", f"repeated_{split}", 0) for split in SPLITS]
    origins = [f"{row.text('name')}: {row.text('origin')}." for row in rows]
    table = declared("data", columns, rows)
    return replace(table, notes=[*table.notes, *origins])


def write(config: Config, folder: Path, files: Sequence[Path]) -> None:
    """Write data_statistics.csv, data_statistics.md and data_statistics.tex.

    Args:
        config: Not used.
        folder: Where the files go.
        files: One `statistics.json` per data set, in the order of the rows.

    Raises:
        InputError: A file is missing, lacks a key, or its numbers are inconsistent; nothing is
            written then.
    """
    records, printed = list(map(load_statistics, files)), printed_sizes()
    columns = ["dataset", "name", *SIZES, *(f"paper_{key}" for key in SIZES)]
    columns += [*(repeated := [f"repeated_{split}" for split in SPLITS]), "origin"]
    rows = [
        record
        | {f"paper_{k}": v for k, v in printed.get(record["dataset"], {}).items()}
        | {f"repeated_{split}": n for split, n in record["repeated_targets"].items()}
        for record in records
    ]
    frame = pd.DataFrame(rows, columns=columns)
    frame[repeated] = frame[repeated].astype("Int64")  # whole numbers beside gaps
    before_core = [row for row in rows if row["before_core"] and "paper_actions_per_item" in row]
    write_table(folder, "data_statistics", frame, [shown(rows_of(frame))], whole=before_core)


def _printed(key: str) -> Column:
    return Column("paper", lambda row: row.text(key) or GAP)
