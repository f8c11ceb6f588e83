"""Table 1 for people: Markdown and LaTeX with notes, and headline rows for a terminal."""

from __future__ import annotations

from pathlib import Path

from elcrec.config.config import Config
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.files.atomic import write_text
from elcrec.files.csvfile import csv_text
from elcrec.statistics import comparison
from elcrec.tables import table1
from elcrec.tables.impossible import Column, own_columns
from elcrec.tables.latex import latex_file, latex_table
from elcrec.tables.layout import (
    GAP,
    Best,
    RunnerUp,
    TextTable,
    bullets,
    p_value,
    percent,
    plain_table,
    score,
)
from elcrec.tables.layout import markdown as markdown_of
from elcrec.tables.stopping import MEANING, marks
from elcrec.tables.table1 import AccuracyTable, Cell, Row
from elcrec.tables.wording import PRIMARY, missing, noise_text, origin, tests_of

HEADLINE_METRICS = ("HR@5", "NDCG@20")
RULES = {
    "paper": "items seen before score 0, as in the released code",
    "strict": "items seen before, the padding row and the mask row are never recommended",
}


def markdown(table: AccuracyTable) -> str:
    """Return `table1.md`."""
    return (
        "# Table 1: accuracy on the test split\n\n"
        f"{markdown_of(_scores(table))}\n"
        "Best **bold**, runner-up <u>underlined</u>. In square brackets: the 95 % interval of the "
        "mean over trainings. In round ones: how far our mean is from the paper's value, in "
        "percent of the latter.\n\n"
        f"## Best model against the runner-up\n\n{markdown_of(_tests(table))}\n"
        f"## Notes\n\n{bullets(_notes(table))}"
    )


def latex(table: AccuracyTable) -> str:
    """Return `table1.tex`: both tables, the notes as comments."""
    scores = latex_table(
        _scores(table),
        caption="Accuracy on the test split: mean ± standard deviation over seeds, in square "
        "brackets the 95 % interval of the mean over trainings; the paper's values, in brackets "
        "how far ours are from them. Best bold, runner-up underlined.",
        label="tab:accuracy",
    )
    tests = latex_table(
        _tests(table),
        caption="Best model against the runner-up: the primary test, whose chance is users and "
        "trainings, then each of the two alone; two-sided, in brackets Holm-corrected.",
        label="tab:significance",
    )
    return latex_file([scores, tests], _notes(table))


def headline(table: AccuracyTable) -> str:
    """Return HR@5 and NDCG@20 as plain text: our mean, and the paper's value in brackets."""
    rows = [row for row in table.rows if row.metric in HEADLINE_METRICS]
    lines = [
        [table.datasets[row.dataset], row.metric, *(_short(cell) for cell in row.cells.values())]
        for row in rows
    ]
    text = plain_table(["Dataset", "Metric", *table.models.values()], lines, text=2)
    text += "Test split, mean over seeds; in brackets the paper's value where it has one.\n"
    return text + "".join(f"{line}\n" for line in missing(table.gaps, table.datasets, table.models))


def impossible(table: AccuracyTable) -> list[str]:
    """Return a line per printed column of the paper whose NDCG@20 its other metrics rule out."""
    values = {(row.dataset, row.metric): row.cells for row in table.rows}
    lines = []
    for dataset, name in table.datasets.items():
        for model, shown in table.models.items():
            printed = (values[dataset, m][model].paper for m in TABLE_METRICS)
            column = Column("paper", name, shown, *printed)
            least, most = column.bound
            if column.impossible:
                lines.append(
                    f"The paper's figures of {shown} on {name} do not fit together: with its HR@5, "
                    f"HR@20 and NDCG@5, NDCG@20 must be {score(least)} to {score(most)}, and it "
                    f"prints {score(column.ndcg_20)}."
                )
    return lines


def _scores(table: AccuracyTable) -> TextTable:
    lines = [line for row in table.rows for line in _lines(table, row)]
    return TextTable(["Dataset", "Metric", "", *table.models.values()], lines, text=3)


def _lines(table: AccuracyTable, row: Row) -> list[list[str]]:
    name = table.datasets[row.dataset] if row.metric == table.rows[0].metric else ""
    ours = [_ours(table, row, model) for model in row.cells]
    lines = [[name, row.metric, "ours", *ours]]
    if any(score(cell.low) != GAP for cell in row.cells.values()):
        lines.append(["", "", "95 %", *(_interval(cell) for cell in row.cells.values())])
    if any(score(cell.paper) != GAP for cell in row.cells.values()):
        lines.append(["", "", "paper", *(_paper(cell) for cell in row.cells.values())])
    return lines


def _ours(table: AccuracyTable, row: Row, model: str) -> str:
    cell = row.cells[model]
    if not cell.seeds:
        return GAP
    text = score(cell.mean) + (f" ± {score(cell.std)}" if cell.seeds > 1 else "")
    if any((gap.dataset, gap.model) == (row.dataset, model) for gap in table.gaps):
        text += f" (n = {cell.seeds})"
    text += f" {marks(cell.stopping)}" if cell.stopping else ""
    if model == row.best:
        return Best(text)
    return RunnerUp(text) if row.top and model == row.top.model_b else text


def _interval(cell: Cell) -> str:
    return GAP if score(cell.low) == GAP else f"[{score(cell.low)}, {score(cell.high)}]"


def _paper(cell: Cell) -> str:
    difference = percent(cell.relative_difference)
    return score(cell.paper) + (f" ({difference})" if difference != GAP else "")


def _short(cell: Cell) -> str:
    return score(cell.mean) + ("" if score(cell.paper) == GAP else f" ({score(cell.paper)})")


def _tests(table: AccuracyTable) -> TextTable:
    header = ["Dataset", "Metric", "Best", "Runner-up", "Difference", "95 %", "p (Holm)"]
    header += ["Seeds", "Welch p (Holm)", "Paired p (Holm), these weights", "Paper's", "Paper's p"]
    lines = []
    for row in table.rows:
        names = [table.datasets[row.dataset], row.metric, table.models.get(row.best or "", GAP)]
        paper = [percent(row.paper_improvement), p_value(row.paper_p_value)]
        lines.append(names + _outcome(table, row) + paper)
    return TextTable(header, lines, text=4)


def _outcome(table: AccuracyTable, row: Row) -> list[str]:
    if row.top is None:
        return [GAP] * 7
    return [table.models[row.top.model_b], *tests_of(row.top)]


def _notes(table: AccuracyTable) -> list[str]:
    reference = table.models.get(table.reference, table.reference)
    own = own_columns(table)
    return [
        "Mean ± sample standard deviation (n - 1) over seeds; one seed has no deviation. 95 %: "
        "interval of the mean over trainings, on these users, from the training noise of the "
        "model, moderated by that of all others; a model with one seed has theirs.",
        PRIMARY,
        noise_text(table.pools, table.models),
        "Welch: Welch's t-test over seeds, one value per run: other trainings, these users. The "
        "paper does not name its test; this is the likeliest reading. Paired: paired t-test over "
        "users: other users, these trained weights. It calls two seeds of one model different far "
        "more often than 1 time in 20, so it says nothing of a method. All tests are two-sided; "
        "effect sizes are in `significance.csv` (Hedges' g over seeds, Cohen's d_z over users).",
        *([MEANING] if any(c.stopping for r in table.rows for c in r.cells.values()) else []),
        *_stopping(table),
        "p-values in brackets: Holm-corrected over the rows of this table. Best and runner-up were "
        "picked by the values that are tested, so these p-values flatter the best.",
        f"`significance.csv` holds {reference} against each other model as well; its Holm family "
        f"is all {len(table.against_each)} comparisons of {reference} with a model, over all data "
        "sets and metrics of this table.",
        "Paper's, Paper's p: its ELCRec over its runner-up, as printed.",
        f"Protocol `{table.protocol}`: {RULES.get(table.protocol, 'see the documentation')}.",
        *own_protocol(table),
        "NDCG@20 was held against the bound that HR@5, HR@20 and NDCG@5 set it: of our "
        f"{len(own)} columns {sum(c.impossible for c in own)} violate it; `impossible.csv` lists "
        "the paper's.",
        *impossible(table),
        *origin(table.records),
        *missing(table.gaps, table.datasets, table.models),
    ]


def _stopping(table: AccuracyTable) -> list[str]:
    """Which rows are marked, and by which runs."""
    first = [row for row in table.rows if row.metric == table.rows[0].metric]
    return [
        f"{table.models[model]} on {table.datasets[row.dataset]}: {cell.stopping}."
        for row in first
        for model, cell in row.cells.items()
        if cell.stopping
    ]


def own_protocol(table: AccuracyTable) -> list[str]:
    """Name the models that are not ranked by the table's protocol."""
    other: dict[str, set[str]] = {}
    for record in table.records:
        if record.ranked_by != table.protocol:
            other.setdefault(record.ranked_by, set()).add(table.models[record.model])
    return [
        f"Ranked by `{protocol}` whatever the protocol, since 0 has no meaning among their scores: "
        f"{', '.join(sorted(names))}."
        for protocol, names in sorted(other.items())
    ]


def write(config: Config, folder: Path, any_code: bool = False) -> None:
    """Write table1.csv, table1.md, table1.tex and significance.csv.

    Raises:
        InputError: A configuration, run folder or paper file that is not right.
    """
    table = table1.read(config, any_code)
    write_text(folder / "table1.csv", csv_text(table1.csv_rows(table)))
    tests = csv_text(table1.significance_rows(table), comparison.COLUMNS)
    write_text(folder / "significance.csv", tests)
    write_text(folder / "table1.md", markdown(table))
    write_text(folder / "table1.tex", latex(table))
