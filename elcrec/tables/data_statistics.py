"""The size of the data sets as LaTeX, beside the paper's Table 6.

`elcrec data statistics` writes the same as CSV and Markdown.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from elcrec.data.sources import COUNTS
from elcrec.data.statistics import load_statistics, printed_sizes
from elcrec.tables.latex import latex_file, latex_table
from elcrec.tables.layout import TextTable
from elcrec.tables.markdown import GAP, number

_TITLES = ("Users", "Items", "Actions", "Mean length", "Sparsity (%)")


def latex(paths: Sequence[Path]) -> str:
    """Return `data_statistics.tex`.

    Args:
        paths: One `statistics.json` per data set, in the order of the rows.

    Raises:
        InputError: A file is missing or lacks a key.
    """
    header = ["Data set", *(name for title in _TITLES for name in (title, "paper"))]
    rows = [_row(load_statistics(path)) for path in paths]
    table = latex_table(
        TextTable(header, rows),
        caption="Data sets after the 5-core, beside the paper's Table 6 as printed.",
        label="tab:data",
    )
    return latex_file([table])


def _row(record: dict[str, Any]) -> list[str]:
    ours = [number(record[key], 0) for key in COUNTS]
    ours += [number(record["mean_length"], 1), number(record["sparsity_percent"], 2)]
    printed = printed_sizes().get(record["dataset"], (GAP,) * len(ours))
    return [record["name"], *(cell for pair in zip(ours, printed, strict=True) for cell in pair)]
