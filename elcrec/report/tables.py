"""The tables of the page: Table 1 for each data set, and the others as their files have them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isnan, nan
from typing import Any, NamedTuple

from elcrec.config.names import REFERENCE
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.files.rows import Row
from elcrec.paper import of_methods
from elcrec.report.evidence import Evidence
from elcrec.report.provenance import RELEASED, RUN, Links
from elcrec.report.verdict import MARKS, JudgedCells, in_words
from elcrec.tables import (
    activity,
    data_statistics,
    detectable,
    grid,
    impossible,
    lists,
    nearest,
    released,
    sampled,
    study,
    table1_files,
    tables2_3,
    use,
)
from elcrec.tables.layout import BEST, GAP, Cell, Table, number, score
from elcrec.tables.table1 import BEST as OF_THE_BEST
from elcrec.tables.verdict import NOT_RUN
from elcrec.tables.wording import marks

CLOSE, NEAR = 5.0, 15.0  # percent: the steps of the deviation's color


def accuracy(evidence: Evidence, judged: JudgedCells, links: Links) -> list[Table]:
    """Table 1, one table for each data set of the configuration: models down, metrics across."""
    return [
        Table(
            f"table1-{dataset}",
            f"{evidence.dataset_name(dataset)}: accuracy on the test split",
            ["Model", *_metrics(evidence)],
            list(_rows(evidence, dataset, judged, links)),
        )
        for dataset in evidence.config.use
    ]


def of_files(evidence: Evidence, links: Links) -> dict[str, Table]:
    """The other tables by the name of their file, as far as these exist."""
    published = {
        (evidence.dataset_name(dataset), evidence.model_name(model)): link
        for (kind, dataset, model), link in links.items()
        if kind == RELEASED
    }
    show = {
        # The page has a section with the id that the table has in LaTeX.
        "data_statistics": lambda rows: replace(data_statistics.shown(rows), id="statistics"),
        "released": lambda rows: released.shown(rows, published),
        "table2": lambda rows: tables2_3.time_table(rows, evidence, links),
        "table3": lambda rows: tables2_3.memory_table(rows, evidence, links),
        "nearest": nearest.shown,
        "detectable": lambda rows: detectable.shown(rows, evidence),
        "impossible": impossible.shown,
        "grid": grid.shown,
        "use": lambda rows: use.shown(rows, evidence),
        "study": lambda rows: study.shown(rows, evidence, evidence.model_name(REFERENCE)),
    }
    return {name: make(rows) for name, make in show.items() if (rows := evidence.table(name))}


def significance(evidence: Evidence) -> Table | None:
    """The best model against the runner-up on each cell; None before there are two."""
    rows = [r for r in evidence.table("significance") if r.text("family") == OF_THE_BEST]
    table = table1_files.compared(rows, evidence, evidence.accuracy_printed)
    return replace(table, id="significance-best") if rows else None


def by_group(evidence: Evidence, kind: str) -> list[Table]:
    """Accuracy by user activity or popularity, a table for each data set."""
    rows, leads = (evidence.table(name) for name in (kind, f"{kind}_leads"))
    return list(activity.shown(rows, leads, evidence, kind).values())


def of_lists(evidence: Evidence) -> list[Table]:
    """What the recommended lists are like, accuracy by popularity, and sampled metrics."""
    rows, overlap = evidence.table("lists"), evidence.table("overlap")
    return [
        *(lists.tables(rows, overlap, evidence) if rows else []),
        *by_group(evidence, "popularity"),
        *sampled.shown(evidence.table("sampled"), evidence),
    ]


def _rows(
    evidence: Evidence, dataset: str, judged: JudgedCells, links: Links
) -> Iterator[list[Cell]]:
    """A row for each model that is run, and for each other method of the paper."""
    name, models = evidence.dataset_name(dataset), evidence.config.compared
    best = {metric: _best(evidence, dataset, metric) for metric in _metrics(evidence)}
    for model in models:
        model_name = evidence.model_name(model)
        link = links.get((RUN, dataset, model), ("", ""))
        cells = [Cell(model_name)]
        for metric in best:
            ours, key = evidence.scores.get((dataset, metric, model)), (name, metric, model_name)
            printed = evidence.accuracy_printed.get(key, nan)
            kind = BEST if model == best[metric] else ""
            cell = _ours(ours, printed, judged.get(key), link, kind) if ours else _gap(printed)
            cells.append(cell)
        yield cells
    run = set(map(evidence.model_name, models))
    methods = dict.fromkeys(m for d, _, m in of_methods(evidence.accuracy_printed) if d == name)
    for method in (m for m in methods if m not in run):
        printed_row = [evidence.accuracy_printed.get((name, k, method), nan) for k in best]
        gaps = [_gap(printed, "not run here") for printed in printed_row]
        yield [Cell(method, note="not run here"), *gaps]


def _metrics(evidence: Evidence) -> Sequence[str]:
    return evidence.config.metrics or TABLE_METRICS


def _best(evidence: Evidence, dataset: str, metric: str) -> str | None:
    scores = {m: evidence.scores.get((dataset, metric, m)) for m in evidence.config.compared}
    means = {model: score.mean for model, score in scores.items() if score}
    return max(means, key=lambda model: means[model]) if means else None


def _ours(ours: Any, printed: float, judged: Row | None, link: tuple[str, str], kind: str) -> Cell:
    """Our mean; below it deviation and seeds, the paper's value, and how far ours is from it."""
    note = "1 seed" if isnan(ours.std) else f"± {number(ours.std, 4)}, {ours.seeds} seeds"
    note += f" {marks(ours.stopping)}" if ours.stopping else ""
    offset = deviation(ours.relative_difference_percent)
    if offset:
        mark = f"{MARKS[judged.text('verdict')]} " if judged else ""
        note += f"\n{mark}paper {score(printed)}\t{offset.sign} {offset.text}"
        kind = f"{kind} {offset.kind}".strip()
    hints = [in_words(judged) if judged else "", ours.stopping, link[1]]
    title = ". ".join(filter(None, hints))
    return Cell(score(ours.mean), ours.mean, kind, note, link[0], title)


def _gap(printed: float, reason: str = NOT_RUN) -> Cell:
    note = "" if isnan(printed) else f"paper {score(printed)}"
    return Cell(GAP, note=note, kind="gap", title=reason)


class Deviation(NamedTuple):
    """How far ours is from the paper's, for eyes with and without color."""

    kind: str
    """CSS class: `close`, or `above`/`below` with `near` or `far`."""
    sign: str
    text: str


def deviation(percent: float) -> Deviation | None:
    """Describe a deviation in percent of the paper's value; None without one.

    Up to 5 % is close (=), up to 15 % near (one arrow), above far (two arrows).
    """
    if isnan(percent):
        return None
    side, arrow = ("above", "▲") if percent > 0 else ("below", "▼")
    text = f"{percent:+.1f} %".replace("-", "−")
    if abs(percent) <= CLOSE:
        return Deviation("close", "=", text)
    far = abs(percent) > NEAR
    return Deviation(f"{side} {'far' if far else 'near'}", arrow * (1 + far), text)
