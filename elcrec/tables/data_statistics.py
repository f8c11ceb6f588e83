"""The size of the data sets beside the paper's Tables 6 and 7."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from elcrec.config.config import Config
from elcrec.data.sequences import SPLITS
from elcrec.data.statistics import load_statistics
from elcrec.paper import SIZES, printed_sizes
from elcrec.tables.document import write_table
from elcrec.tables.layout import GAP, Column, Table, declared, figures, lines, word

_SHOWN = {
    "users": ("Users", 0),
    "items": ("Items", 0),
    "actions": ("Actions", 0),
    "mean_length": ("Mean length", 1),
    "sparsity_percent": ("Sparsity (%)", 2),
}
"""Title and decimals of each of `SIZES`."""
NOTE = "Repeated: targets of validation and test that stand in the user's own history."


def shown(rows: Sequence[Any]) -> Table:
    """The rows of `data_statistics.csv` as a table; the paper's numbers as printed."""
    columns = [word("Data set", "name")]
    for key, (title, digits) in _SHOWN.items():
        columns.append(figures(title, key, digits))
        columns.append(_printed(f"paper_{key}"))
    columns += [figures(f"Repeated, {split}", f"repeated_{split}", 0) for split in SPLITS]
    caption = "Data sets after the 5-core, beside the paper's Table 6 as printed."
    origins = [f"{row.text('name')}: {row.text('origin')}." for row in rows]
    return declared("data", caption, columns, rows, [NOTE, *origins])


def write(config: Config, folder: Path, files: Sequence[Path]) -> None:
    """Write data_statistics.csv, data_statistics.md and data_statistics.tex.

    Args:
        config: Not looked at.
        folder: Where the files go.
        files: One `statistics.json` per data set, in the order of the rows.

    Raises:
        InputError: A file is missing, lacks a key, or its numbers do not belong together; nothing
            is written then.
    """
    records = [load_statistics(path) for path in files]
    printed = printed_sizes()
    columns = ["dataset", "name", *SIZES, *(f"paper_{key}" for key in SIZES)]
    columns += [*(repeated := [f"repeated_{split}" for split in SPLITS]), "origin"]
    rows = [
        {key: record[key] for key in ("dataset", "name", *SIZES, "origin")}
        | {f"paper_{key}": printed.get(record["dataset"], {}).get(key) for key in SIZES}
        | {f"repeated_{split}": record["repeated_targets"].get(split) for split in SPLITS}
        for record in records
    ]
    frame = pd.DataFrame(rows, columns=columns)
    frame[repeated] = frame[repeated].astype("Int64")  # whole beside gaps
    whole = [
        (record, printed[record["dataset"]]["actions_per_item"])
        for record in records
        if record.get("before_core") and "actions_per_item" in printed.get(record["dataset"], {})
    ]
    write_table(folder, "data_statistics", frame, [shown(lines(frame))], whole=whole)


def _printed(key: str) -> Column:
    return Column("paper", lambda row: row.text(key) or GAP)
