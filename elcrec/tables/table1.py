"""Table 1: accuracy on the test split, ours beside the paper's, with significance tests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, product
from math import nan
from typing import NamedTuple

import pandas as pd

from elcrec import paper
from elcrec.config.config import Config
from elcrec.config.names import REFERENCE
from elcrec.errors import InputError
from elcrec.evaluation.metrics import TABLE_METRICS, ndcg_bound
from elcrec.external.record import external_runs
from elcrec.paper import PaperTable
from elcrec.runs.comparison import SeedRuns, check_users, compare_runs, training_noise
from elcrec.runs.plan import runs_of
from elcrec.runs.reading import Gap, Runs
from elcrec.runs.record import TOLERANCE, RunRecord
from elcrec.statistics import comparison
from elcrec.statistics.comparison import ModelComparison, with_holm
from elcrec.statistics.noise import Pool
from elcrec.statistics.power import mean_interval
from elcrec.statistics.tests import mean_std
from elcrec.tables.layout import Names
from elcrec.tables.wording import missing, origin, stopping

EACH, BEST = "reference_against_each_model", "best_against_runner_up"
_ALIKE = (
    ("fingerprint", "code", ("model",)),
    ("settings", "settings", ("dataset", "model")),
    ("data", "data", ("dataset",)),
)
"""Field that must agree, its name for a reader, and the keys within which runs must agree in it."""


class Cell(NamedTuple):
    """One model on one metric of one data set; all nan but `paper` when there is no run.

    The fields are the columns of `table1.csv`.
    """

    dataset: str
    metric: str
    model: str
    mean: float
    """Over the seeds."""
    std: float
    """Sample standard deviation (n - 1) over the seeds; nan for one seed."""
    low95: float
    """Lower end of the 95 % interval of the mean over trainings on these users; nan: noise unknown.

    From the moderated training noise, so that one seed has an interval too."""
    high95: float
    seeds: int
    paper: float
    """The paper's value; nan where it has none."""
    relative_difference_percent: float
    """Ours against the paper's, in percent of the paper's."""
    stopping: str
    """What is remarkable about the epochs that its runs were tested at."""


@dataclass(frozen=True)
class AccuracyTable:
    """Everything Table 1 shows."""

    cells: Mapping[tuple[str, str, str], Cell]
    """(data set, metric, model) to the cell, in the order of the table."""
    ranked: Mapping[tuple[str, str], Sequence[str]]
    """(data set, metric) to the models with a run, best first; ties in the table's order."""
    tops: Mapping[tuple[str, str], ModelComparison]
    """The best model (a) against the runner-up (b); absent with fewer than two models."""
    against_each: Sequence[ModelComparison]
    """The reference model against each other one, over all rows: one Holm family."""
    reference: str
    names: Names
    protocol: str
    runs: Mapping[tuple[str, str], SeedRuns]
    """(data set, model) to its runs, seed by seed; absent without any."""
    gaps: Sequence[Gap]
    pools: Mapping[str, Pool]
    """Metric to the training noise of all models and data sets of the table."""
    paper: PaperTable

    @property
    def records(self) -> list[RunRecord]:
        """All runs."""
        return list(chain.from_iterable(self.runs.values()))

    @property
    def remarks(self) -> dict[str, list[str]]:
        """Lines for a template: what the runs were made with, and which are missing."""
        return {"origin": origin(self.records, "runs"), "missing": missing(self.gaps, self.names)}

    @property
    def by_name(self) -> dict[tuple[str, str, str], Cell]:
        """The cells by the names of data set and model, which are the paper's where it has them."""
        datasets, models = self.names.datasets, self.names.models
        return {(datasets[d], k, models[m]): cell for (d, k, m), cell in self.cells.items()}

    def frame(self) -> pd.DataFrame:
        """`table1.csv`: a row per cell, ids for names."""
        return pd.DataFrame(self.cells.values(), columns=Cell._fields)

    def significance(self) -> pd.DataFrame:
        """`significance.csv`: the reference's family, then that of the best."""
        comparisons = [*self.against_each, *self.tops.values()]
        return pd.DataFrame(map(comparison.csv_row, comparisons), columns=comparison.COLUMNS)


def read(config: Config, any_code: bool, metrics: Sequence[str] | None = None) -> AccuracyTable:
    """Read the runs and build Table 1.

    Args:
        config: Names the runs.
        any_code: Accept runs made by other code, too.
        metrics: The rows of each data set; None: those of the configuration.

    Raises:
        InputError: A run folder or paper file is not valid.
    """
    runs = Runs(config, "take" if any_code else "refuse")
    records, gaps = runs.read(runs_of(config, config.use, config.models))
    records += chain.from_iterable(external_runs(config).values())
    names = Names.of(config, config.compared)
    printed = paper.load_printed(names.datasets.values())
    return build(
        *(records, gaps, names),
        paper=printed,
        protocol=config.protocol,
        metrics=metrics or config.metrics or TABLE_METRICS,
    )


def build(
    records: Sequence[RunRecord],
    gaps: Sequence[Gap],
    names: Names,
    *,
    paper: PaperTable,
    protocol: str,
    reference: str = REFERENCE,
    metrics: Sequence[str] = TABLE_METRICS,
) -> AccuracyTable:
    """Build Table 1.

    Args:
        records: The runs that are present.
        gaps: The planned runs that are absent.
        names: Data sets and models of the table; the paper's names where it has them.
        paper: The paper's Table 1.
        protocol: Of `elcrec.data.repeats`; all runs must have it.
        reference: Id of the model that is tested against each of the others.
        metrics: The rows of each data set.

    Raises:
        InputError: A run with another protocol, other users or impossible metrics, or made by
            different code than the other runs of its model.
    """
    runs = _grouped(records, protocol)
    pools = {metric: training_noise(runs, metric) for metric in metrics}
    pairs = list(product(names.datasets, metrics))
    cells, ranked = {}, {}
    for d, k in pairs:
        for m in names.models:
            printed = paper.get((names.datasets[d], k, names.models[m]), nan)
            cells[d, k, m] = _cell(runs.get((d, m), []), (d, k, m), pools[k], printed)
        run = [m for m in names.models if (d, m) in runs]
        ranked[d, k] = sorted(run, key=lambda m: -cells[d, k, m].mean)
    tops = with_holm(
        compare_runs(BEST, k, runs[d, order[0]], runs[d, order[1]], pools[k])
        for (d, k), order in ranked.items()
        if len(order) > 1
    )
    against_each = with_holm(
        compare_runs(EACH, k, runs[d, reference], runs[d, other], pools[k])
        for d, k in pairs
        for other in names.models
        if other != reference and (d, reference) in runs and (d, other) in runs
    )
    top = {(c.dataset, c.metric): c for c in tops}
    return AccuracyTable(
        cells, ranked, top, against_each, reference, names, protocol, runs, gaps, pools, paper
    )


def _cell(runs: SeedRuns, key: tuple[str, str, str], pool: Pool, paper: float) -> Cell:
    dataset, metric, model = key
    mean, std = mean_std([run.score(metric) for run in runs])
    interval = mean_interval(mean, len(runs), pool.noise((dataset, model)))
    difference = 100 * (mean - paper) / paper if paper else nan
    return Cell(*key, mean, std, *interval, len(runs), paper, difference, stopping(runs))


def _grouped(records: Iterable[RunRecord], protocol: str) -> dict[tuple[str, str], SeedRuns]:
    """The runs of each model on each data set, which must belong in one table."""
    ordered = sorted(records, key=lambda r: (r.dataset, r.model, r.seed))
    for record in ordered:
        _check(record, protocol)
    for _, group in groupby(ordered, key=lambda r: r.dataset):
        check_users(list(group))
    for key, noun, same_keys in _ALIKE:
        first: dict[tuple[str, ...], RunRecord] = {}
        for run in ordered:
            other = first.setdefault(tuple(getattr(run, name) for name in same_keys), run)
            if getattr(run, key) != getattr(other, key):
                raise InputError(
                    f"{run.folder / 'metrics.json'}: {key} is {getattr(run, key)}, but "
                    f"{other.folder} has {getattr(other, key)}; runs with different {noun} are "
                    "not mixed, run the older ones again"
                )
    return {key: list(runs) for key, runs in groupby(ordered, key=lambda r: (r.dataset, r.model))}


def _check(record: RunRecord, protocol: str) -> None:
    path = record.folder / "metrics.json"
    if record.protocol != protocol:
        raise InputError(f"{path}: protocol is {record.protocol!r}; in this table: {protocol!r}")
    test = record.metrics["test"]
    low, high = ndcg_bound(test["HR@5"], test["HR@20"], test["NDCG@5"])
    if not low - TOLERANCE <= test["NDCG@20"] <= high + TOLERANCE:
        raise InputError(
            f"{path}: metrics.test.NDCG@20 is {test['NDCG@20']!r}; with its HR@5, HR@20 and NDCG@5 "
            f"it can only be {low!r} to {high!r}, so the file is corrupt"
        )
