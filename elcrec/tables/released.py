"""What the authors' published weights give on our evaluator, beside the paper's Table 1."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from elcrec import paper
from elcrec.config.config import Config
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.files.atomic import write_text
from elcrec.files.csvfile import csv_text
from elcrec.files.jsonfile import JsonObject
from elcrec.paper import PaperTable
from elcrec.tables.layout import bullets, markdown_table, number


@dataclass(frozen=True)
class ReleasedRow:
    """One metric of one file of weights on the test split."""

    dataset: str
    model: str
    file: str
    metric: str
    released_weights: float
    paper: float | None
    difference: float | None


def rows(
    files: Sequence[Path],
    paper: PaperTable,
    datasets: Mapping[str, str],
    models: Mapping[str, str],
) -> list[ReleasedRow]:
    """Read the records that `elcrec verify released --output` wrote.

    Args:
        files: The records.
        paper: Table 1 as printed.
        datasets: Printed name of each data set id.
        models: Printed name of each model id.

    Raises:
        InputError: A record that is missing or not whole.
    """
    found = []
    for file in files:
        record = JsonObject.read(file)
        dataset = datasets[record.one_of("dataset", datasets)]
        model = models[record.one_of("model", models)]
        test = record.section("metrics").section("test")
        for metric in TABLE_METRICS:
            value = test.number(metric, most=1)
            printed = paper.get((dataset, metric, model))
            difference = None if printed is None else value - printed
            name = record.text("file")
            found.append(ReleasedRow(dataset, model, name, metric, value, printed, difference))
    return found


def markdown(found: Sequence[ReleasedRow]) -> str:
    """The table with its notes."""
    header = ["Data set", "Model", "Metric", "Released weights", "Paper, Table 1", "Difference"]
    cells = [
        [
            row.dataset,
            row.model,
            row.metric,
            number(row.released_weights, 4),
            number(row.paper, 4),
            number(row.difference, 4),
        ]
        for row in found
    ]
    notes = [
        "The weights that the authors published, loaded into this project's models and ranked by"
        " its evaluator on the test split. One file of weights each: not a mean over seeds.",
        "ELCRec: github.com/yueliu1999/ELCRec; ICLRec: github.com/salesforce/ICLRec, at the commits"
        " in workflow/config/config.yaml.",
    ]
    title = "# What the authors' released weights give\n\n"
    return f"{title}{markdown_table(header, cells, text=3)}\n{bullets(notes)}"


def write(config: Config, folder: Path, files: Sequence[Path]) -> None:
    """Write released.csv and released.md from the records of `elcrec verify released`."""
    datasets = {i: config.dataset_name(i) for i in config.datasets}
    models = {i: config.model_name(i) for i in ("elcrec", "iclrec")}
    found = rows(files, paper.load_accuracy(), datasets, models)
    write_text(folder / "released.csv", csv_text([dataclasses.asdict(row) for row in found]))
    write_text(folder / "released.md", markdown(found))
