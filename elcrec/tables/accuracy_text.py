"""Table 1 for people: Markdown with notes, and the few headline rows for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from elcrec.metrics import TABLE_METRICS, ndcg_bound
from elcrec.tables.accuracy import AccuracyTable, Cell, Row
from elcrec.tables.markdown import (
    GAP,
    bullets,
    markdown_table,
    p_value,
    percent,
    plain_table,
    score,
)
from elcrec.tables.runs import Gap, RunRecord

HEADLINE_METRICS = ("HR@5", "NDCG@20")
ROUNDING = 1.4e-4  # how far rounding to four decimals can move NDCG@20 against its bound
RULES = {
    "paper": "items seen before score 0, as in the released code",
    "strict": "items seen before, the padding row and the mask row are never recommended",
}


def markdown(table: AccuracyTable) -> str:
    """Return `table1.md`."""
    header = ["Dataset", "Metric", "", *table.models.values()]
    lines = [line for row in table.rows for line in _lines(table, row)]
    return (
        "# Table 1: accuracy on the test split\n\n"
        f"{markdown_table(header, lines, text=3)}\n"
        "Best **bold**, runner-up <u>underlined</u>. In brackets: how far our mean is from the "
        "paper's value, in percent of the latter.\n\n"
        f"## Best model against the runner-up\n\n{_tests(table)}\n"
        f"## Notes\n\n{bullets(_notes(table))}"
    )


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


def missing(
    gaps: Iterable[Gap],
    datasets: Mapping[str, str],
    models: Mapping[str, str],
    what: str = "Missing",
) -> list[str]:
    """Return one line per data set and model that says which seeds are absent."""
    seeds: dict[tuple[str, str], list[str]] = {}
    for gap in gaps:
        key = (datasets.get(gap.dataset, gap.dataset), models.get(gap.model, gap.model))
        seeds.setdefault(key, []).append(str(gap.seed))
    return [
        f"{what}: {model} on {dataset}, seed{'s' * (len(absent) > 1)} {', '.join(absent)}."
        for (dataset, model), absent in seeds.items()
    ]


def origin(records: Sequence[RunRecord]) -> list[str]:
    """Return lines that say with what the runs were made: commits and devices."""
    versions = {f"{(r.commit or 'unknown')[:12]}{' with changes' * r.dirty}" for r in records}
    return [
        f"Commit of the runs: {', '.join(sorted(versions)) or GAP}.",
        f"Device of the runs: {', '.join(sorted({r.device for r in records})) or GAP}.",
    ]


def impossible(table: AccuracyTable) -> list[str]:
    """Return a line per printed column of the paper whose NDCG@20 its other metrics rule out."""
    values = {(row.dataset, row.metric): row.cells for row in table.rows}
    lines = []
    for dataset, name in table.datasets.items():
        for model, shown in table.models.items():
            hr5, hr20, ndcg5, ndcg20 = (values[dataset, m][model].paper for m in TABLE_METRICS)
            low, high = ndcg_bound(hr5, hr20, ndcg5)
            if ndcg20 < low - ROUNDING or ndcg20 > high + ROUNDING:
                lines.append(
                    f"The paper's figures of {shown} on {name} do not fit together: with its HR@5, "
                    f"HR@20 and NDCG@5, NDCG@20 must be {score(low)} to {score(high)}, and it "
                    f"prints {score(ndcg20)}."
                )
    return lines


def _lines(table: AccuracyTable, row: Row) -> list[list[str]]:
    name = table.datasets[row.dataset] if row.metric == table.rows[0].metric else ""
    ours = [_ours(table, row, model) for model in row.cells]
    lines = [[name, row.metric, "ours", *ours]]
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
    if model == row.best:
        return f"**{text}**"
    return f"<u>{text}</u>" if row.top and model == row.top.model_b else text


def _paper(cell: Cell) -> str:
    difference = percent(cell.relative_difference)
    return score(cell.paper) + (f" ({difference})" if difference != GAP else "")


def _short(cell: Cell) -> str:
    return score(cell.mean) + ("" if score(cell.paper) == GAP else f" ({score(cell.paper)})")


def _tests(table: AccuracyTable) -> str:
    header = ["Dataset", "Metric", "Best", "Runner-up", "Difference"]
    header += ["Welch p (Holm)", "n seeds", "Paired p (Holm)", "n users", "Paper's", "Paper's p"]
    lines = []
    for row in table.rows:
        names = [table.datasets[row.dataset], row.metric, table.models.get(row.best or "", GAP)]
        paper = [percent(row.paper_improvement), p_value(row.paper_p_value)]
        lines.append(names + _outcome(table, row) + paper)
    return markdown_table(header, lines, text=4)


def _outcome(table: AccuracyTable, row: Row) -> list[str]:
    if row.top is None:
        return [GAP] * 6
    top = row.top
    relative = 100 * (top.mean_a - top.mean_b) / top.mean_b if top.mean_b else float("nan")
    return [
        table.models[top.model_b],
        percent(relative),
        _with_holm(top.welch.p_value, top.welch_holm),
        top.welch.size,
        _with_holm(top.paired.p_value, top.paired_holm),
        top.paired.size,
    ]


def _with_holm(plain: float, corrected: float) -> str:
    text = p_value(plain)
    return text if text == GAP else f"{text} ({p_value(corrected)})"


def _notes(table: AccuracyTable) -> list[str]:
    reference = table.models.get(table.reference, table.reference)
    return [
        "Mean ± sample standard deviation (n - 1) over seeds; one seed has no deviation.",
        "All tests are two-sided. Welch: Welch's t-test over seeds, one value per run, n as seeds "
        "of the best + seeds of the runner-up. Paired: paired t-test over users, each user's "
        "metric averaged over the model's seeds first.",
        "The two answer different questions. Over seeds: would other random starts give the same "
        "order? Over users: would other users, with these trained models?",
        "p-values in brackets: Holm-corrected over the rows of this table. Best and runner-up were "
        "picked by the values that are tested, so these p-values flatter the best.",
        f"`significance.csv` holds {reference} against each other model as well; its Holm family "
        f"is all {len(table.against_each)} comparisons of {reference} with a model, over all data "
        "sets and metrics of this table.",
        "Paper's, Paper's p: its ELCRec over its runner-up, as printed.",
        f"Protocol `{table.protocol}`: {RULES.get(table.protocol, 'see the documentation')}.",
        *own_protocol(table),
        *impossible(table),
        *origin(table.records),
        *missing(table.gaps, table.datasets, table.models),
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
