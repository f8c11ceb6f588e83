"""Tables 8 and 9 for people: Markdown and LaTeX, with what is remarkable about the paper's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from elcrec import paper
from elcrec.config.config import Config
from elcrec.config.sections import Efficiency
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.files.atomic import write_text
from elcrec.files.csvfile import csv_text
from elcrec.runs.plan import runs_of
from elcrec.runs.reading import Gap, Runs
from elcrec.runs.record import RunRecord
from elcrec.tables import table1, table1_files, table7, tables8_9, wording
from elcrec.tables.latex import latex_file, latex_table
from elcrec.tables.layout import GAP, TextTable, bullets, number, p_value, percent, score
from elcrec.tables.layout import markdown as table_markdown
from elcrec.tables.tables8_9 import PAIRS, OptionalTable


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


def _ours(cell: table1.Cell) -> str:
    if not cell.seeds:
        return GAP
    return score(cell.mean) + (f" ± {score(cell.std)}" if cell.seeds > 1 else "")


def _paper(cell: table1.Cell) -> str:
    difference = percent(cell.relative_difference)
    return score(cell.paper) + (f" ({difference})" if difference != GAP else "")


def _test_lines(table: OptionalTable, first: str, second: str) -> list[list[str]]:
    names = table.accuracy.models
    if first not in names or second not in names:
        return []
    lines = []
    for row in table.accuracy.rows:
        test = table.comparisons.get((first, row.metric))
        outcome = wording.tests_of(test) if test else [GAP] * 6
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
        wording.PRIMARY,
        wording.noise_text(shown.pools, shown.models),
        f"Protocol `{shown.protocol}`: {table1_files.RULES[shown.protocol]}.",
        *table1_files.own_protocol(shown),
        *table1_files.impossible(shown),
        *wording.origin(shown.records),
        *wording.missing(shown.gaps, shown.datasets, shown.models),
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


def write(config: Config, dataset: str, folder: Path, any_code: bool = False) -> None:
    """Write table8.* and table7.* (ML-1M) or table9.* (MIND-small) as CSV, Markdown and LaTeX.

    Raises:
        InputError: A configuration, run folder, record or paper file that is not right.
    """
    config = configuration(config, dataset)
    records, gaps = runs(config, any_code)
    write_texts(config, records, gaps, folder)


def configuration(config: Config, dataset: str) -> Config:
    """Return the configuration with this data set and the models of `optional` alone."""
    models = list(config.optional.models)
    return replace(config, use=[dataset], models=models, efficiency=Efficiency())


def runs(config: Config, any_code: bool = False) -> tuple[list[RunRecord], list[Gap]]:
    """Read the runs that `configuration` spans; InputError for one that is not whole or stale."""
    runs = Runs(config, "take" if any_code else "refuse")
    return runs.read(runs_of(config, config.use, config.models))


def write_texts(
    config: Config, records: Sequence[RunRecord], gaps: Sequence[Gap], folder: Path
) -> list[Path]:
    """Write the tables of the one data set in `config` to `folder`.

    Returns:
        The paths of the files.

    Raises:
        InputError: A run or a file of published numbers that is not right; nothing is written then.
    """
    dataset = config.use[0]
    texts = _accuracy(config, records, gaps)
    if dataset == "ml-1m":
        texts |= table7.texts(config.sequences_file(dataset).parent / "statistics.json")
    for name, text in texts.items():
        write_text(folder / name, text)
    return [folder / name for name in texts]


def _accuracy(config: Config, records: Sequence[RunRecord], gaps: Sequence[Gap]) -> dict[str, str]:
    dataset = config.use[0]
    name = f"table{tables8_9.TABLES[dataset]}"
    released = paper.FOLDER / f"{name}_released.csv"
    table = tables8_9.build(
        records,
        gaps,
        dataset=(dataset, config.dataset_name(dataset)),
        models={model: config.model_name(model) for model in config.models},
        paper=paper.load_accuracy(paper.FOLDER / f"{name}.csv"),
        protocol=config.protocol,
        released=paper.load_accuracy(released) if released.exists() else None,
    )
    return {
        f"{name}.csv": csv_text(tables8_9.csv_rows(table)),
        f"{name}.md": markdown(table),
        f"{name}.tex": latex(table),
    }
