"""Table 1 for people: Markdown and LaTeX with notes, and headline rows for a terminal."""

from collections.abc import Sequence
from math import nan
from pathlib import Path

import pandas as pd

from elcrec.config.config import Config
from elcrec.data.repeats import REPEATED
from elcrec.external.record import Predicted, done_to
from elcrec.files.rows import Row, rows_of
from elcrec.paper import IMPROVEMENT, P_VALUE, PaperTable, load_released
from elcrec.statistics.comparison import COLUMNS, TESTS, csv_row
from elcrec.tables import impossible, layout, table1
from elcrec.tables.document import write_csv, write_table
from elcrec.tables.layout import GAP, Cell, Column, Named, Table, named, percent, score
from elcrec.tables.table1 import AccuracyTable
from elcrec.tables.wording import lead, marks, missing, noisier, tested

HEADLINE_METRICS = ("HR@5", "NDCG@20")


def scores(table: AccuracyTable) -> Table:
    """Ours, the interval of the mean and the paper's values, in lines; the models across."""
    header = ["Dataset", "Metric", "", *table.names.models.values()]
    rows = [line for row in table.ranked for line in _lines(table, *row)]
    return Table("accuracy", layout.words("accuracy"), header, rows, text_columns=3)


def compared(
    rows: Sequence[Row],
    names: Named,
    printed: PaperTable,
    models: tuple[str, str] = ("Best", "Runner-up"),
) -> Table:
    """The best model against the runner-up, row by row of Table 1.

    Args:
        rows: Of `significance.csv`, family `table1.BEST`.
        names: Display names.
        printed: The paper's Table 1, for its lead and its p-value.
        models: Titles of the two models, of rows of another family.
    """

    def of_paper(row: Row, column: str) -> float:
        key = names.dataset_name(row.text("dataset")), row.text("metric"), column
        return printed.get(key, nan)

    columns = [
        named("Dataset", "dataset", names.dataset_name),
        layout.word("Metric", "metric"),
        named(models[0], "model_a", names.model_name),
        named(models[1], "model_b", names.model_name),
        *lead("Difference"),
        tested("p (Holm)", "p"),
        Column("Seeds", lambda row: row.text("seeds") or GAP),
        *(tested(test.title, test.p_column) for test in TESTS.values()),
        Column("Paper's", lambda row: percent(of_paper(row, IMPROVEMENT)), paper=True),
        Column("Paper's p", lambda row: layout.p_value(of_paper(row, P_VALUE)), paper=True),
    ]
    return layout.declared("significance", columns, rows, tests=TESTS)


def headline(table: AccuracyTable) -> str:
    """Return HR@5 and NDCG@20 as plain text: our mean, and the paper's value in brackets.

    Where the table has neither, its first two metrics.
    """
    metrics = [m for m in table.pools if m in HEADLINE_METRICS] or [*table.pools][:2]
    rows = [
        [table.names.datasets[dataset], metric, *map(_short, _cells(table, dataset, metric))]
        for dataset, metric in table.ranked
        if metric in metrics
    ]
    text = layout.plain_table(["Dataset", "Metric", *table.names.models.values()], rows, text=2)
    text += "Test split, mean over seeds; in brackets the paper's value where it has one.\n"
    return text + "".join(f"{line}\n" for line in missing(table.gaps, table.names))


def write(config: Config, folder: Path, any_code: bool = False) -> None:
    """Write table1.csv, table1.md, table1.tex and significance.csv.

    Raises:
        InputError: A configuration, run folder or paper file is not valid.
    """
    unused = [
        f"{config.model_name(model)} on {config.dataset_name(dataset)}: not shown, because the data"
        " set is not in use."
        for model, external in config.external.items()
        for dataset in external.files
        if dataset not in config.use
    ]
    write_files(table1.read(config, any_code), folder, unused)


def write_files(table: AccuracyTable, folder: Path, unused: Sequence[str] = ()) -> None:
    """Write the files of a table that was read; `unused`: notes on predictions not shown."""
    names, by_name, our_columns = table.names, table.by_name, impossible.own_columns(table)
    columns = impossible.printed_columns(table.paper)
    broken = impossible.impossible(columns, impossible.PAPER).to_dict("records")
    first = next(iter(table.pools))
    write_table(
        folder,
        "table1",
        table.frame(),
        [scores(table), compared(_rows_compared(table), names, table.paper)],
        table=table,
        by_name=by_name,
        known={metric: pool.typical for metric, pool in table.pools.items() if pool.freedom},
        noisier=noisier(table.pools, names),
        remarkable=[c for c in table.cells.values() if c.stopping and c.metric == first],
        fate=REPEATED[table.protocol],
        ranked_by=_other_protocols(table),
        own=len(our_columns),
        own_broken=len(impossible.impossible(our_columns, impossible.OURS)),
        broken=[c for c in broken if (c["dataset"], first, c["model"]) in by_name],
        released={key: value for key, value in load_released().items() if key in by_name},
        external=[*_of_predictions(table), *unused],
        **table.remarks,
    )
    write_csv(folder / "significance.csv", table.significance())


def _cells(table: AccuracyTable, dataset: str, metric: str) -> list[table1.Cell]:
    return [table.cells[dataset, metric, model] for model in table.names.models]


def _lines(table: AccuracyTable, dataset: str, metric: str) -> list[list[Cell]]:
    """The lines of a data set and metric; interval and paper only where they have values."""
    cells = _cells(table, dataset, metric)
    name = table.names.datasets[dataset] if metric == next(iter(table.pools)) else ""
    lines = [[Cell(name), Cell(metric), Cell("ours"), *(_ours(table, cell) for cell in cells)]]
    for kind, format_cell in (("95 %", _interval), ("paper", _paper)):
        texts = list(map(format_cell, cells))
        if any(text != GAP for text in texts):
            lines.append([Cell(""), Cell(""), Cell(kind), *map(Cell, texts)])
    return lines


def _ours(table: AccuracyTable, cell: table1.Cell) -> Cell:
    if not cell.seeds:
        return Cell(GAP)
    text = score(cell.mean) + (f" ± {score(cell.std)}" if cell.seeds > 1 else "")
    if any((gap.dataset, gap.model) == (cell.dataset, cell.model) for gap in table.gaps):
        text += f" (n = {cell.seeds})"
    text += f" {marks(cell.stopping)}" if cell.stopping else ""
    rank = table.ranked[cell.dataset, cell.metric].index(cell.model)
    return Cell(text, kind=[layout.BEST, layout.SECOND, ""][min(rank, 2)])


def _interval(cell: table1.Cell) -> str:
    return GAP if score(cell.low95) == GAP else f"[{score(cell.low95)}, {score(cell.high95)}]"


def _paper(cell: table1.Cell) -> str:
    difference = percent(cell.relative_difference_percent)
    return score(cell.paper) + (f" ({difference})" if difference != GAP else "")


def _short(cell: table1.Cell) -> str:
    return score(cell.mean) + ("" if score(cell.paper) == GAP else f" ({score(cell.paper)})")


def _rows_compared(table: AccuracyTable) -> list[Row]:
    """The comparisons as rows of `significance.csv`, one for each row of the table."""
    rows = []
    for (dataset, metric), ranked in table.ranked.items():
        best = {"dataset": dataset, "metric": metric, "model_a": next(iter(ranked), None)}
        top = table.tops.get((dataset, metric))
        rows.append(csv_row(top) if top else best)
    return rows_of(pd.DataFrame(rows, columns=COLUMNS))


def _of_predictions(table: AccuracyTable) -> list[str]:
    """What was done to predictions from elsewhere."""
    predictions: dict[str, list[Predicted]] = {}
    for run in table.records:
        if isinstance(run, Predicted):
            names = table.names.model_name(run.model), table.names.dataset_name(run.dataset)
            predictions.setdefault(" on ".join(names), []).append(run)
    return [f"{label}: {note}" for label, runs in predictions.items() for note in done_to(runs)]


def _other_protocols(table: AccuracyTable) -> dict[str, list[str]]:
    """The models that are not ranked by the table's protocol, by their own."""
    models: dict[str, set[str]] = {}
    for record in table.records:
        if record.ranked_by != table.protocol:
            models.setdefault(record.ranked_by, set()).add(table.names.model_name(record.model))
    return {protocol: sorted(models[protocol]) for protocol in sorted(models)}
