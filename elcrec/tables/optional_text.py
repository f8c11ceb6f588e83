"""Tables 8 and 9 for people: Markdown and LaTeX, with what is remarkable about the paper's."""

from __future__ import annotations

from elcrec.metrics import TABLE_METRICS
from elcrec.tables import accuracy, accuracy_text
from elcrec.tables.latex import latex_file, latex_table
from elcrec.tables.layout import TextTable
from elcrec.tables.markdown import GAP, bullets, number, p_value, percent, score
from elcrec.tables.markdown import markdown as table_markdown
from elcrec.tables.optional import PAIRS, OptionalTable


def markdown(table: OptionalTable) -> str:
    """Return the table with its tests and notes."""
    tests = _tests(table)
    return (
        f"# Table {table.number}: {_title(table)}\n\n{table_markdown(_scores(table))}\n"
        "In brackets: how far our mean is from the paper's value, in percent of the latter.\n\n"
        + (f"## ELCRec over ICLRec\n\n{table_markdown(tests)}\n" if tests.rows else "")
        + f"## Notes\n\n{bullets(_notes(table))}"
    )


def latex(table: OptionalTable) -> str:
    """Return both tables as LaTeX, the notes as comments."""
    title, label = _title(table), f"tab:{next(iter(table.accuracy.datasets))}"
    scores, tests = _scores(table), _tests(table)
    tables = [latex_table(scores, caption=f"{title}.", label=label)]
    if tests.rows:
        caption = f"{title}: significance."
        tables.append(latex_table(tests, caption=caption, label=f"{label}-tests"))
    return latex_file(tables, _notes(table))


def _title(table: OptionalTable) -> str:
    name = next(iter(table.accuracy.datasets.values()))
    return f"ELCRec against ICLRec on {name}, test split"


def _scores(table: OptionalTable) -> TextTable:
    lines = [line for model in table.accuracy.models for line in _model_lines(table, model)]
    return TextTable(["Model", "", *TABLE_METRICS], lines, text=2)


def _tests(table: OptionalTable) -> TextTable:
    header = ["First", "Second", "Metric", "Difference", "95 %", "p (Holm)", "Seeds"]
    header += ["Welch p (Holm)", "Paired p (Holm), these weights", "Paper's", "Paper's p"]
    lines = [line for pair in PAIRS for line in _test_lines(table, *pair)]
    return TextTable(header, lines, text=3)


def _model_lines(table: OptionalTable, model: str) -> list[list[str]]:
    rows = {row.metric: row.cells[model] for row in table.accuracy.rows}
    cells = [rows[metric] for metric in TABLE_METRICS]
    lines = [[table.accuracy.models[model], "ours", *(_ours(cell) for cell in cells)]]
    if any(score(cell.paper) != GAP for cell in cells):
        lines.append(["", "paper", *(_paper(cell) for cell in cells)])
    if model == PAIRS[0][1] and table.released:
        found = [score(table.released.get(metric)) for metric in TABLE_METRICS]
        lines.append(["", "released weights", *found])
    return lines


def _ours(cell: accuracy.Cell) -> str:
    if not cell.seeds:
        return GAP
    return score(cell.mean) + (f" ± {score(cell.std)}" if cell.seeds > 1 else "")


def _paper(cell: accuracy.Cell) -> str:
    difference = percent(cell.relative_difference)
    return score(cell.paper) + (f" ({difference})" if difference != GAP else "")


def _test_lines(table: OptionalTable, first: str, second: str) -> list[list[str]]:
    names = table.accuracy.models
    if first not in names or second not in names:
        return []
    lines = []
    for row in table.accuracy.rows:
        test = table.comparisons.get((first, row.metric))
        outcome = accuracy_text.tests_of(test) if test else [GAP] * 6
        own = first == PAIRS[0][0]
        paper = [percent(row.paper_improvement), p_value(row.paper_p_value)] if own else [GAP, GAP]
        lines.append([names[first], names[second], row.metric, *outcome, *paper])
    return lines


def _notes(table: OptionalTable) -> list[str]:
    shown = table.accuracy
    return [
        *_finding(table),
        "The paper gives no settings for this table; ours stand in workflow/config/models, the "
        "same for both models wherever both have one. `no instance loss`: its weight is 0.",
        "Mean ± sample standard deviation over seeds. Welch: over seeds; paired: over users, with "
        "these trained weights; in brackets Holm-corrected over all lines of the second table.",
        accuracy_text.PRIMARY,
        accuracy_text.noise_text(shown.pools, shown.models),
        f"Protocol `{shown.protocol}`: {accuracy_text.RULES[shown.protocol]}.",
        *accuracy_text.own_protocol(shown),
        *accuracy_text.impossible(shown),
        *accuracy_text.origin(shown.records),
        *accuracy_text.missing(shown.gaps, shown.datasets, shown.models),
    ]


def _finding(table: OptionalTable) -> list[str]:
    """How near the paper's ICLRec is to Popularity, and how far from its authors' own weights."""
    metric = TABLE_METRICS[0]
    released = table.released.get(metric)
    row = next(row for row in table.accuracy.rows if row.metric == metric)
    iclrec, popularity = row.cells.get(PAIRS[0][1]), row.cells.get("popularity")
    if released is None or iclrec is None or score(iclrec.paper) == GAP:
        return []
    text = (
        f"The paper prints {metric} {score(iclrec.paper)} for ICLRec. The weights that ICLRec's "
        f"authors released for this data set give {score(released)}, "
        f"{number(released / iclrec.paper, 1)} times as much (their script for it has no instance "
        "loss; workflow/paper/table8_released.csv names the file and commit)."
    )
    if popularity is not None and popularity.seeds:
        text += (
            f" Popularity, which learns nothing, gives {score(popularity.mean)} here: the paper's "
            f"ICLRec is {number(iclrec.paper / popularity.mean, 1)} times that."
        )
    return [text]
