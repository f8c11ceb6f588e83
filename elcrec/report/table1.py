"""Table 1 as the page shows it: one table per data set, models down, metrics across."""

from __future__ import annotations

import math

from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.report.evidence import Evidence, Row, Score
from elcrec.report.provenance import Links
from elcrec.report.verdict import MARKS, Judged, JudgedCells
from elcrec.report.view import Cell, Table, deviation, figure_cell, gap
from elcrec.tables.layout import GAP, number, p_value, percent, score
from elcrec.tables.stopping import marks
from elcrec.tables.verdict import NOT_RUN


def tables(evidence: Evidence, judged: JudgedCells, links: Links) -> list[Table]:
    """One table for each data set of the configuration."""
    return [_table(evidence, dataset, judged, links) for dataset in evidence.config.use]


def significance_table(evidence: Evidence) -> Table | None:
    """The best model against the runner-up on each cell; None before there are two."""
    rows = [
        row
        for row in evidence.table("significance")
        if row.text("family") == "best_against_runner_up"
    ]
    if not rows:
        return None
    header = ["Data set", "Metric", "Best", "Runner-up", "Lead", "95 %"]
    header += [title for title, _ in TESTS]
    inside = any(evidence.in_paper(row.text("dataset")) for row in rows)
    header += ["Paper's lead", "Paper's p"] if inside else []
    body = [_comparison(evidence, row, inside) for row in rows]
    return Table(
        "significance-best",
        "Best model against the runner-up, test split",
        header,
        body,
        text_columns=4,
    )


TESTS = (
    ("p (Holm)", "p_holm"),
    ("Welch p (Holm)", "welch_p_holm"),
    ("Paired t p (Holm), these weights", "paired_t_p_holm"),
)


def _comparison(evidence: Evidence, row: Row, inside: bool) -> list[Cell]:
    dataset, metric = row.text("dataset"), row.text("metric")
    models = (evidence.model_name(row.text(key)) for key in ("model_a", "model_b"))
    lead = row.number("relative_difference_percent")
    cells = [Cell(text) for text in (evidence.dataset_name(dataset), metric, *models)]
    cells.append(Cell(percent(lead), sort=lead))
    ends = (row.number(key) for key in ("difference_low95", "difference_high95"))
    base = row.number("mean_b")
    shown = [percent(100 * end / base if base else math.nan) for end in ends]
    why = "training noise unknown" if base else "no percentage of 0"
    cells.append(gap(why) if GAP in shown else Cell(" to ".join(shown)))
    cells += [_p_cell(row.number(key)) for _, key in TESTS]
    if inside:
        key = (evidence.dataset_name(dataset), metric)
        printed = evidence.paper.get((*key, "improvement"), math.nan)
        cells.append(Cell(percent(printed), sort=printed))
        cells.append(_p_cell(evidence.paper.get((*key, "p_value"), math.nan)))
    return cells


def _p_cell(value: float) -> Cell:
    if math.isnan(value):
        return gap("no p-value: fewer than two seeds")
    return Cell(p_value(value), sort=value)


def _table(evidence: Evidence, dataset: str, judged: JudgedCells, links: Links) -> Table:
    name = evidence.dataset_name(dataset)
    models = evidence.config.models
    best = {metric: _best(evidence, dataset, metric) for metric in TABLE_METRICS}
    shown = {model: evidence.model_name(model) for model in models}
    rows = [
        [Cell(shown[model])]
        + [
            _cell(
                evidence.scores.get((dataset, metric, model)),
                evidence.paper.get((name, metric, shown[model]), math.nan),
                judged.get((name, metric, shown[model])),
                links.get(("run", dataset, model)),
                model == best[metric],
            )
            for metric in TABLE_METRICS
        ]
        for model in models
    ]
    inside = evidence.in_paper(dataset)
    others = [m for m in evidence.paper_models if inside and m not in shown.values()]
    rows += [_other_row(evidence, name, model) for model in others]
    return Table(
        f"table1-{dataset}", f"{name}: accuracy on the test split", ["Model", *TABLE_METRICS], rows
    )


def _best(evidence: Evidence, dataset: str, metric: str) -> str | None:
    found = {m: evidence.scores.get((dataset, metric, m)) for m in evidence.config.models}
    means = {model: score.mean for model, score in found.items() if score}
    return max(means, key=lambda model: means[model]) if means else None


def _cell(
    ours: Score | None,
    printed: float,
    judged: Judged | None,
    link: tuple[str, str] | None,
    best: bool,
) -> Cell:
    if ours is None:
        return _gap_with_paper(printed, NOT_RUN)
    away = deviation(ours.deviation)
    note = ["1 seed" if math.isnan(ours.std) else f"± {number(ours.std, 4)}, {ours.seeds} seeds"]
    note[0] += f" {marks(ours.stopping)}" if ours.stopping else ""
    kinds = ["best"] if best else []
    if away is not None:
        mark = MARKS.get(judged.verdict, "") + " " if judged else ""
        note.append(f"{mark}paper {score(printed)}\t{away.sign} {away.text}")
        kinds.append(away.kind)
    href, source = link if link else ("", "")
    title = ". ".join(filter(None, [judged.text if judged else "", ours.stopping, source]))
    return Cell(
        score(ours.mean),
        sort=ours.mean,
        note="\n".join(note),
        kind=" ".join(kinds),
        href=href,
        title=title,
    )


def _other_row(evidence: Evidence, dataset: str, model: str) -> list[Cell]:
    """A method of the paper that this configuration does not run."""
    cells = [Cell(model, note="not run here", kind="other")]
    for metric in TABLE_METRICS:
        printed = evidence.paper.get((dataset, metric, model), math.nan)
        cells.append(_gap_with_paper(printed, "not run here"))
    return cells


def _gap_with_paper(printed: float, reason: str) -> Cell:
    note = "" if math.isnan(printed) else f"paper {score(printed)}"
    return Cell(GAP, note=note, kind="gap", title=reason)


def statistics_table(evidence: Evidence) -> Table | None:
    """Users, items and so on beside the paper's."""
    rows = evidence.table("data_statistics")
    if not rows:
        return None
    keys = {
        "users": ("Users", 0),
        "items": ("Items", 0),
        "actions": ("Actions", 0),
        "mean_length": ("Actions per user", 1),
        "sparsity_percent": ("Sparsity (%)", 2),
    }
    body = [
        [Cell(row.text("name"))]
        + [_with_paper(row, key, digits) for key, (_, digits) in keys.items()]
        for row in rows
    ]
    header = ["Data set", *(title for title, _ in keys.values())]
    return Table("statistics", "Data sets after the 5-core", header, body)


def _with_paper(row: Row, key: str, digits: int) -> Cell:
    cell = figure_cell(row.number(key), digits)
    printed = row.values.get(f"paper_{key}", "")
    note = f"paper {printed}" if printed else ""
    return Cell(cell.text, cell.sort, note=note)


def released_table(evidence: Evidence, links: Links) -> Table | None:
    """What the authors' weights give; None before `released.csv` is there."""
    rows = evidence.table("released")
    if not rows:
        return None
    ids = {evidence.model_name(m): m for m in ("elcrec", "iclrec")}
    datasets = {evidence.dataset_name(d): d for d in evidence.config.datasets}
    body = []
    for row in rows:
        dataset, model = row.text("dataset"), row.text("model")
        found = links.get(("released weights", datasets.get(dataset, ""), ids.get(model, "")))
        href, title = found if found else ("", "")
        value, printed = row.number("released_weights"), row.number("paper")
        away = deviation(100 * (value - printed) / printed) if printed else None
        body.append(
            [
                *(Cell(text) for text in (dataset, model, row.text("metric"))),
                figure_cell(value, 4, href, title),
                figure_cell(printed, 4),
                Cell(f"{away.sign} {away.text}", sort=value - printed, kind=away.kind)
                if away
                else gap("the paper has no such value"),
            ]
        )
    header = ["Data set", "Model", "Metric", "Released weights", "Paper", "Deviation"]
    caption = "The authors' published weights on this project's evaluator, test split"
    return Table("released-weights", caption, header, body, text_columns=3)
