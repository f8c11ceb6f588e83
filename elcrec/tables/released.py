"""Results of the authors' published weights with our evaluator, beside the paper's Table 1."""

from collections.abc import Mapping, Sequence
from math import nan
from pathlib import Path

import pandas as pd

from elcrec import paper
from elcrec.config.config import Config
from elcrec.config.names import BASELINE, REFERENCE
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.files.jsonfile import read_json
from elcrec.files.rows import Row, rows_of
from elcrec.paper import PaperTable
from elcrec.runs.records import ReleasedRecord
from elcrec.tables.document import write_table
from elcrec.tables.layout import Cell, Column, Names, Table, declared, figure, figures, word

COLUMNS = ("dataset", "model", "file", "metric", "released_weights", "paper", "difference")
"""Of `released.csv`; data set and model by their printed names."""


def frame(files: Sequence[Path], printed: PaperTable, names: Names) -> pd.DataFrame:
    """Read the records that `elcrec verify released --output` wrote.

    Args:
        files: The records.
        printed: Table 1 as printed.
        names: Of data sets and models, the paper's where it has them.

    Returns:
        `released.csv`: a row per file of weights and metric on the test split.

    Raises:
        InputError: A record that is missing or incomplete.
    """
    rows = []
    for record in (read_json(file, ReleasedRecord) for file in files):
        dataset, model = names.dataset_name(record.dataset), names.model_name(record.model)
        for metric in TABLE_METRICS:
            ours, theirs = record.metrics.test[metric], printed.get((dataset, metric, model), nan)
            rows.append((dataset, model, record.file, metric, ours, theirs, ours - theirs))
    return pd.DataFrame(rows, columns=COLUMNS)


def shown(rows: Sequence[Row], links: Mapping[tuple[str, str], tuple[str, str]]) -> Table:
    """The rows of `released.csv` as a table.

    Args:
        rows: The rows.
        links: (data set, model) to the anchor of its source on the page, and the source in words.
    """

    def value(row: Row) -> Cell:
        link = links.get((row.text("dataset"), row.text("model")), ("", ""))
        return figure(row.number("released_weights"), 4, *link)

    columns = [
        word("Data set", "dataset"),
        word("Model", "model"),
        word("Metric", "metric"),
        Column("Released weights", value),
        figures("Paper, Table 1", "paper"),
        figures("Difference", "difference"),
    ]
    return declared("released-weights", columns, rows)


def write(config: Config, folder: Path, files: Sequence[Path]) -> None:
    """Write released.csv, .md and .tex from the records of `elcrec verify released`."""
    datasets = {dataset: config.dataset_name(dataset) for dataset in config.datasets}
    names = Names(datasets, Names.of(config, [REFERENCE, BASELINE]).models)
    table = frame(files, paper.load_accuracy(), names)
    write_table(folder, "released", table, [shown(rows_of(table), {})])
