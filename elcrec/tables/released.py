"""What the authors' published weights give on our evaluator, beside the paper's Table 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from elcrec import paper
from elcrec.config.config import Config
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.files.jsonfile import JsonObject
from elcrec.paper import PaperTable
from elcrec.tables.document import write_table
from elcrec.tables.layout import Column, Table, declared, figure, figures, lines, word

COLUMNS = ("dataset", "model", "file", "metric", "released_weights", "paper", "difference")
"""Of `released.csv`; data set and model by their printed names."""


def frame(
    files: Sequence[Path],
    paper: PaperTable,
    datasets: Mapping[str, str],
    models: Mapping[str, str],
) -> pd.DataFrame:
    """Read the records that `elcrec verify released --output` wrote.

    Args:
        files: The records.
        paper: Table 1 as printed.
        datasets: Printed name of each data set id.
        models: Printed name of each model id.

    Returns:
        `released.csv`: a row per file of weights and metric on the test split.

    Raises:
        InputError: A record that is missing or not whole.
    """
    rows = []
    for file in files:
        record = JsonObject.read(file)
        dataset = datasets[record.one_of("dataset", datasets)]
        model = models[record.one_of("model", models)]
        test = record.section("metrics").section("test")
        for metric in TABLE_METRICS:
            value = test.number(metric, most=1)
            printed = paper.get((dataset, metric, model))
            difference = None if printed is None else value - printed
            rows.append((dataset, model, record.text("file"), metric, value, printed, difference))
    return pd.DataFrame(rows, columns=COLUMNS)


def shown(
    rows: Sequence[Any], links: Mapping[tuple[str, str], tuple[str, str]] | None = None
) -> Table:
    """The rows of `released.csv` as a table.

    Args:
        rows: The rows.
        links: (data set, model) to where on the page it comes from, and that in words.
    """

    def value(row: Any) -> Any:
        link = (links or {}).get((row.text("dataset"), row.text("model")), ("", ""))
        return figure(row.number("released_weights"), 4, *link)

    columns = [
        word("Data set", "dataset"),
        word("Model", "model"),
        word("Metric", "metric"),
        Column("Released weights", value),
        figures("Paper, Table 1", "paper"),
        figures("Difference", "difference"),
    ]
    caption = "The authors' published weights on this project's evaluator, test split"
    return declared("released-weights", caption, columns, rows)


def write(config: Config, folder: Path, files: Sequence[Path]) -> None:
    """Write released.csv, .md and .tex from the records of `elcrec verify released`."""
    datasets = {i: config.dataset_name(i) for i in config.datasets}
    models = {i: config.model_name(i) for i in ("elcrec", "iclrec")}
    found = frame(files, paper.load_accuracy(), datasets, models)
    write_table(folder, "released", found, [shown(lines(found))])
