"""For each cell of the paper's Table 1: reproduced, not reproduced, or not yet run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from math import nan

from elcrec.tables.accuracy import AccuracyTable, Cell
from elcrec.tables.impossible import printed_columns
from elcrec.tables.paper import IMPROVEMENT, P_VALUE, PaperTable

REPRODUCED, NOT_REPRODUCED, NOT_RUN = "reproduced", "not reproduced", "not yet run"
VERDICTS = (REPRODUCED, NOT_REPRODUCED, NOT_RUN)
INTERVAL, TOLERANCE, BOTH = "interval", "tolerance", "interval and tolerance"
_EDGE = 1e-9  # in percent: a deviation of exactly the tolerance counts as within it


@dataclass(frozen=True)
class CellVerdict:
    """One printed value against the runs that are there; nan and 0 where there is none."""

    dataset: str
    """Name as printed."""
    metric: str
    model: str
    """Name as printed."""
    paper: float
    mean: float
    """Over the seeds."""
    std: float
    low95: float
    """95 % t-interval of the mean over the seeds; nan for one seed."""
    high95: float
    seeds: int
    """How many runs the verdict rests on."""
    seeds_asked: int
    """How many the configuration asks for."""
    relative_deviation_percent: float
    """Our mean against the paper's value, in percent of the latter."""
    verdict: str
    """One of `VERDICTS`."""
    rule: str
    """By which part of the rule it is reproduced; empty otherwise."""
    note: str
    """Why there is no run, or that the printed column cannot be right."""


def rule_text(tolerance_percent: float) -> str:
    """The rule in words, to stand wherever verdicts are shown."""
    return (
        "A cell counts as reproduced if the paper's value lies inside the 95 % t-interval of the "
        "mean over our seeds, or if our mean is within "
        f"{tolerance_percent:g} % of the paper's value. It is judged on the seeds that are there; "
        "with one seed there is no interval, and with few of them it is wide."
    )


def judge(
    table: AccuracyTable, paper: PaperTable, tolerance_percent: float, seeds_asked: int
) -> list[CellVerdict]:
    """Judge every value that the paper prints in Table 1, in the order of the print.

    Args:
        table: Our Table 1; data sets and models with the paper's names are compared with it.
        paper: The paper's Table 1.
        tolerance_percent: How far our mean may be from the paper's value, in percent of the latter.
        seeds_asked: Number of seeds in the configuration.

    Raises:
        ValueError: A tolerance below 0.
    """
    if tolerance_percent < 0:
        raise ValueError(f"tolerance_percent must be 0 or more, got {tolerance_percent}")
    datasets = {name: dataset for dataset, name in table.datasets.items()}
    models = {name: model for model, name in table.models.items()}
    rows = {(row.dataset, row.metric): row.cells for row in table.rows}
    failures = {(gap.dataset, gap.model): gap.reason for gap in table.gaps if gap.failed}
    broken = {(c.dataset, c.model) for c in printed_columns(paper) if c.impossible}
    found = []
    for (dataset, metric, model), value in paper.items():
        if model in (IMPROVEMENT, P_VALUE):
            continue
        cells = rows.get((datasets.get(dataset, ""), metric), {})
        own = datasets.get(dataset, ""), models.get(model, "")
        cell = cells.get(own[1])
        verdict, rule = _verdict(cell, value, tolerance_percent)
        notes = [failures.get(own) or _absence(dataset in datasets, model in models, cell)]
        notes += ["the printed column is impossible"] * ((dataset, model) in broken)
        found.append(
            CellVerdict(
                dataset=dataset,
                metric=metric,
                model=model,
                paper=value,
                mean=cell.mean if cell else nan,
                std=cell.std if cell else nan,
                low95=cell.low if cell else nan,
                high95=cell.high if cell else nan,
                seeds=cell.seeds if cell else 0,
                seeds_asked=seeds_asked if cell else 0,
                relative_deviation_percent=_deviation(cell, value) if cell else nan,
                verdict=verdict,
                rule=rule,
                note="; ".join(filter(None, notes)),
            )
        )
    return found


def count(verdicts: Iterable[CellVerdict]) -> dict[str, int]:
    """How many cells have each of `VERDICTS`, all three always present."""
    found = Counter(v.verdict for v in verdicts)
    return {verdict: found[verdict] for verdict in VERDICTS}


def summary(verdicts: Iterable[CellVerdict]) -> str:
    """One sentence, e.g. for a terminal."""
    counts = count(verdicts)
    parts = ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
    return f"Of the {sum(counts.values())} values in the paper's Table 1: {parts}."


def csv_row(verdict: CellVerdict) -> dict[str, object]:
    """Return a line of `verdict.csv`: the fields of `CellVerdict`."""
    return asdict(verdict)


def _verdict(cell: Cell | None, paper: float, tolerance: float) -> tuple[str, str]:
    if cell is None or not cell.seeds:
        return NOT_RUN, ""
    inside = cell.low <= paper <= cell.high  # False for nan
    near = abs(_deviation(cell, paper)) <= tolerance + _EDGE
    if inside and near:
        return REPRODUCED, BOTH
    if inside or near:
        return REPRODUCED, INTERVAL if inside else TOLERANCE
    return NOT_REPRODUCED, ""


def _deviation(cell: Cell, paper: float) -> float:
    return 100 * (cell.mean - paper) / paper if paper else nan


def _absence(dataset_in_use: bool, model_in_use: bool, cell: Cell | None) -> str:
    if not model_in_use:
        return "the configuration does not have this model"
    if not dataset_in_use:
        return "the configuration does not use this data set"
    return "" if cell and cell.seeds else "no run yet"
