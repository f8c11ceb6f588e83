"""The size of the data sets beside the paper's Table 6: CSV, Markdown, LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from elcrec.data.sources import COUNTS
from elcrec.data.statistics import load_statistics
from elcrec.files.atomic import write_text
from elcrec.paper import SIZES, printed_sizes
from elcrec.tables.latex import latex_file, latex_table
from elcrec.tables.layout import GAP, TextTable, number

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


def write_tables(folder: Path, paths: Sequence[Path]) -> list[Path]:
    """Write `data_statistics.csv` and `.md`: each data set's numbers beside the paper's.

    Args:
        folder: Where the two files go.
        paths: One `statistics.json` per data set, in the order of the rows.

    Raises:
        InputError: A file cannot be read; nothing is written then.
    """
    records = [load_statistics(path) for path in paths]
    targets = [folder / "data_statistics.csv", folder / "data_statistics.md"]
    for target, text in zip(targets, (_csv(records), _markdown(records)), strict=True):
        write_text(target, text)
    return targets


def _csv(records: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    paper = printed_sizes()
    writer.writerow(["dataset", "name", *SIZES, *(f"paper_{column}" for column in SIZES)])
    for record in records:
        ours = [record[column] for column in SIZES]
        printed = paper.get(record["dataset"], ("",) * len(SIZES))
        writer.writerow([record["dataset"], record["name"], *ours, *printed])
    return text.getvalue()


def _markdown(records: list[dict[str, Any]]) -> str:
    paper = printed_sizes()
    titles = [f"{title} | paper" for title in _TITLES]
    lines = [
        "| Data set | " + " | ".join(titles) + " |",
        "|---|" + "---:|" * (2 * len(_TITLES)),
    ]
    for record in records:
        printed = paper.get(record["dataset"], ("–",) * len(SIZES))
        ours = [f"{record[key]:,}" for key in COUNTS]
        ours += [f"{record['mean_length']:.1f}", f"{record['sparsity_percent']:.2f}"]
        cells = [cell for pair in zip(ours, printed, strict=True) for cell in pair]
        lines.append(f"| {record['name']} | " + " | ".join(cells) + " |")
    lines.append("\nThe paper's columns are those of its Table 6, as printed.")
    return "\n".join(lines) + "\n"
