"""Each printed value of the paper's Table 1 against our runs: compatible, or not, or undecided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from math import inf, isnan, nan

from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.paper import IMPROVEMENT, P_VALUE, PaperTable
from elcrec.statistics.noise import Noise
from elcrec.statistics.power import prediction_interval
from elcrec.tables.impossible import printed_columns
from elcrec.tables.table1 import AccuracyTable, Cell

COMPATIBLE, DIFFERS, CANNOT_TELL, NOT_RUN = "compatible", "differs", "cannot tell", "not run"
VERDICTS = (COMPATIBLE, DIFFERS, CANNOT_TELL, NOT_RUN)
FINAL, PROVISIONAL = "final", "provisional"
RULE = (
    "A printed value is taken to be one run, as the ELCRec column is known to be. It is compared "
    "with the 95 % prediction interval of one more run on the same users, given ours and the "
    "training noise of the model, moderated by that of all others. A value outside differs. A "
    "value inside is called compatible only if the interval is narrower than the lead that the "
    "paper prints in that row; otherwise we cannot tell. About 1 in 20 values would differ if all "
    "of them were right. A verdict is provisional while seeds of its model are missing; as the "
    "noise of other models counts, a final one can still move while these are trained."
)
"""To stand wherever verdicts are shown."""


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
    """95 % prediction interval of one more run on the same users; nan: noise unknown."""
    high95: float
    half_width_percent: float
    """Half of that interval, in percent of our mean."""
    lead_percent: float
    """Lead of ELCRec over the best other method in this row of the paper, in percent of it."""
    seeds: int
    """How many runs the verdict rests on."""
    seeds_asked: int
    """How many the configuration asks for."""
    relative_deviation_percent: float
    """Our mean against the paper's value, in percent of the latter."""
    verdict: str
    """One of `VERDICTS`."""
    status: str
    """`final` or `provisional`; empty where nothing was run."""
    note: str
    """Why there is no run, or that the printed column cannot be right."""


@dataclass(frozen=True)
class Nearest:
    """With which printed columns of a data set the runs of one model agree."""

    dataset: str
    """Name as printed, as are the models."""
    model: str
    seeds: int
    not_excluded: str
    """Columns whose four values all lie in the prediction intervals; empty for none."""
    nearest: str
    """Column with the smallest distance."""
    distance: float
    """Root mean square over the metrics of (printed - ours) / standard error of prediction."""
    own_distance: float
    """Distance to the column of the same name."""


NEAREST_COLUMNS = tuple(field.name for field in fields(Nearest))
"""Of `nearest.csv`."""


def judge(table: AccuracyTable, paper: PaperTable, seeds_asked: int) -> list[CellVerdict]:
    """Judge every value that the paper prints in Table 1, in the order of the print.

    Args:
        table: Our Table 1; data sets and models with the paper's names are compared with it.
        paper: The paper's Table 1.
        seeds_asked: Number of seeds in the configuration.
    """
    datasets = {name: dataset for dataset, name in table.datasets.items()}
    models = {name: model for model, name in table.models.items()}
    rows = {(row.dataset, row.metric): row.cells for row in table.rows}
    failures = {(gap.dataset, gap.model): gap.reason for gap in table.gaps if gap.failed}
    broken = {(c.dataset, c.model) for c in printed_columns(paper) if c.impossible}
    found = []
    for (dataset, metric, model), value in paper.items():
        if model in (IMPROVEMENT, P_VALUE):
            continue
        own = datasets.get(dataset, ""), models.get(model, "")
        cell = rows.get((own[0], metric), {}).get(own[1])
        run = cell if cell and cell.seeds else None
        low, high = _interval(table, own, metric, run)
        lead, runner_up = _lead(paper, dataset, metric)
        notes = [failures.get(own) or _absence(dataset in datasets, model in models, cell)]
        notes += ["the printed column is impossible"] * ((dataset, model) in broken)
        found.append(
            CellVerdict(
                dataset=dataset,
                metric=metric,
                model=model,
                paper=value,
                mean=run.mean if run else nan,
                std=run.std if run else nan,
                low95=low,
                high95=high,
                half_width_percent=50 * (high - low) / run.mean if run and run.mean else nan,
                lead_percent=100 * lead / runner_up if runner_up else nan,
                seeds=run.seeds if run else 0,
                seeds_asked=seeds_asked if cell else 0,
                relative_deviation_percent=100 * (run.mean - value) / value if run else nan,
                verdict=_verdict(run, value, (low, high), lead),
                status=(FINAL if run.seeds >= seeds_asked else PROVISIONAL) if run else "",
                note="; ".join(filter(None, notes)),
            )
        )
    return found


def lead_in_paper(paper: PaperTable, dataset: str, metric: str) -> float:
    """The paper's ELCRec over its best other method, relative to that one; nan without both."""
    lead, runner_up = _lead(paper, dataset, metric)
    return lead / runner_up if runner_up else nan


def _lead(paper: PaperTable, dataset: str, metric: str) -> tuple[float, float]:
    """The paper's ELCRec minus its best other method, and that one; nan without both."""
    row = {m: v for (d, k, m), v in paper.items() if (d, k) == (dataset, metric)}
    others = [v for m, v in row.items() if m not in ("ELCRec", IMPROVEMENT, P_VALUE)]
    if not others or "ELCRec" not in row:
        return nan, nan
    return row["ELCRec"] - max(others), max(others)


def nearest(table: AccuracyTable, paper: PaperTable) -> list[Nearest]:
    """Hold the runs of each model against every printed column: can the rule tell anything?

    Models without runs or without a printed column are left out.
    """
    printed = [(d, m) for d, k, m in paper if k == TABLE_METRICS[0]]
    columns = {
        (d, m): [paper[d, k, m] for k in TABLE_METRICS]
        for d, m in printed
        if m not in (IMPROVEMENT, P_VALUE)
    }
    rows = {(row.dataset, row.metric): row.cells for row in table.rows}
    found = []
    for (dataset, name), (model, shown) in _pairs(table):
        cells = [rows[dataset, metric][model] for metric in TABLE_METRICS]
        noises = [table.pools[metric].noise((dataset, model)) for metric in TABLE_METRICS]
        others = {m: values for (d, m), values in columns.items() if d == name}
        if shown not in others or not cells[0].seeds or any(isnan(n.variance) for n in noises):
            continue
        distances = {m: _distance(cells, noises, values) for m, values in others.items()}
        inside = [m for m, values in others.items() if _inside(cells, noises, values)]
        best = min(distances, key=lambda m: distances[m])
        own, seeds = distances[shown], cells[0].seeds
        found.append(Nearest(name, shown, seeds, ", ".join(inside), best, distances[best], own))
    return found


def _pairs(table: AccuracyTable) -> Iterable[tuple[tuple[str, str], tuple[str, str]]]:
    return ((d, m) for d in table.datasets.items() for m in table.models.items())


def _distance(cells: Sequence[Cell], noises: Sequence[Noise], printed: Sequence[float]) -> float:
    squares = []
    for cell, noise, value in zip(cells, noises, printed, strict=True):
        error = cell.mean * (noise.variance * (1 + 1 / cell.seeds)) ** 0.5
        away = value - cell.mean
        squares.append((away / error) ** 2 if error else (0.0 if away == 0 else inf))
    return float((sum(squares) / len(squares)) ** 0.5)


def _inside(cells: Sequence[Cell], noises: Sequence[Noise], printed: Sequence[float]) -> bool:
    for cell, noise, value in zip(cells, noises, printed, strict=True):
        low, high = prediction_interval(cell.mean, cell.seeds, noise)
        if not low <= value <= high:
            return False
    return True


def count(verdicts: Iterable[CellVerdict]) -> dict[str, int]:
    """How many cells have each of `VERDICTS`, all of them always present."""
    found = Counter(v.verdict for v in verdicts)
    return {verdict: found[verdict] for verdict in VERDICTS}


def summary(verdicts: Sequence[CellVerdict]) -> str:
    """One sentence, e.g. for a terminal."""
    counts = count(verdicts)
    parts = ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
    open_ones = sum(v.status == PROVISIONAL for v in verdicts)
    text = f"Of the {sum(counts.values())} values in the paper's Table 1: {parts}"
    return f"{text}; {open_ones} of these verdicts are provisional."


def csv_row(verdict: CellVerdict | Nearest) -> Mapping[str, object]:
    """Return a line of `verdict.csv` or `nearest.csv`: its fields."""
    return asdict(verdict)


def _interval(
    table: AccuracyTable, own: tuple[str, str], metric: str, run: Cell | None
) -> tuple[float, float]:
    if run is None:
        return nan, nan
    return prediction_interval(run.mean, run.seeds, table.pools[metric].noise(own))


def _verdict(run: Cell | None, paper: float, interval: tuple[float, float], lead: float) -> str:
    low, high = interval
    if run is None:
        return NOT_RUN
    if isnan(low):
        return CANNOT_TELL
    if not low <= paper <= high:
        return DIFFERS
    return COMPATIBLE if high - low <= abs(lead) else CANNOT_TELL  # nan: cannot tell


def _absence(dataset_in_use: bool, model_in_use: bool, cell: Cell | None) -> str:
    if not model_in_use:
        return "the configuration does not have this model"
    if not dataset_in_use:
        return "the configuration does not use this data set"
    return "" if cell and cell.seeds else "no run yet"
