"""Table 1: accuracy on the test split, ours beside the paper's, with significance tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, product
from math import nan

import pandas as pd

from elcrec import paper
from elcrec.config.config import Config
from elcrec.errors import InputError
from elcrec.evaluation.metrics import TABLE_METRICS, ndcg_bound
from elcrec.external.record import external_runs
from elcrec.paper import PaperTable
from elcrec.runs.comparison import RunsOf, SeedRuns, check_users, compare_runs, training_noise
from elcrec.runs.plan import runs_of
from elcrec.runs.reading import Gap, Runs
from elcrec.runs.record import TOLERANCE, RunRecord
from elcrec.statistics import comparison
from elcrec.statistics.comparison import ModelComparison, with_holm
from elcrec.statistics.noise import Pool
from elcrec.statistics.power import mean_interval
from elcrec.statistics.tests import mean_std
from elcrec.tables.layout import Names
from elcrec.tables.stopping import stopping

EACH, BEST = "reference_against_each_model", "best_against_runner_up"
COLUMNS = (
    *("dataset", "metric", "model", "mean", "std", "low95", "high95", "seeds", "paper"),
    *("relative_difference_percent", "stopping"),
)
"""Of `table1.csv`, all of them values of a `Cell`."""


@dataclass(frozen=True)
class Cell:
    """One model on one metric of one data set; all nan but `paper` when there is no run."""

    dataset: str
    metric: str
    model: str
    mean: float
    """Over the seeds."""
    std: float
    """Sample standard deviation (n - 1) over the seeds; nan for one seed."""
    low95: float
    """Lower end of the 95 % interval of the mean over trainings, these users; nan: noise unknown.

    From the moderated training noise, so that one seed has an interval too."""
    high95: float
    seeds: int
    paper: float
    """The paper's value; nan where it has none."""
    stopping: str = ""
    """What is remarkable about the epochs that its runs were tested at."""

    @property
    def relative_difference_percent(self) -> float:
        """Ours against the paper's, in percent of the paper's."""
        return 100 * (self.mean - self.paper) / self.paper if self.paper else nan


@dataclass(frozen=True)
class AccuracyTable:
    """Everything Table 1 shows."""

    cells: Mapping[tuple[str, str, str], Cell]
    """(data set, metric, model) to the cell, in the order of the table."""
    ranked: Mapping[tuple[str, str], Sequence[str]]
    """(data set, metric) to the models with a run, best first; of equal ones the table's first."""
    tops: Mapping[tuple[str, str], ModelComparison]
    """The best model (a) against the runner-up (b); absent with fewer than two models."""
    against_each: Sequence[ModelComparison]
    """The reference model against each other one, over all rows: one Holm family."""
    reference: str
    names: Names
    protocol: str
    records: Sequence[RunRecord]
    gaps: Sequence[Gap]
    pools: Mapping[str, Pool]
    """Metric to the training noise of all models and data sets of the table."""
    paper: PaperTable

    def frame(self) -> pd.DataFrame:
        """`table1.csv`: a row per cell, ids for names."""
        rows = [[getattr(cell, column) for column in COLUMNS] for cell in self.cells.values()]
        return pd.DataFrame(rows, columns=COLUMNS)

    def significance(self) -> pd.DataFrame:
        """`significance.csv`: the reference's family, then that of the best."""
        compared = [*self.against_each, *self.tops.values()]
        return pd.DataFrame(map(comparison.csv_row, compared), columns=comparison.COLUMNS)


def read(config: Config, any_code: bool) -> AccuracyTable:
    """Read the runs and build Table 1.

    Args:
        config: Which runs there are to be.
        any_code: Take runs that other code made, too.

    Raises:
        InputError: A run folder or paper file that is not right.
    """
    runs = Runs(config, "take" if any_code else "refuse")
    records, gaps = runs.read(runs_of(config, config.use, config.models))
    records += chain.from_iterable(external_runs(config).values())
    names = Names.of(config, config.compared)
    printed = paper.load_printed(names.datasets.values())
    return build(records, gaps, names, paper=printed, protocol=config.protocol)


def build(
    records: Sequence[RunRecord],
    gaps: Sequence[Gap],
    names: Names,
    *,
    paper: PaperTable,
    protocol: str,
    reference: str = "elcrec",
    metrics: Sequence[str] = TABLE_METRICS,
) -> AccuracyTable:
    """Build Table 1.

    Args:
        records: The runs that are present.
        gaps: The runs that were asked for and are absent.
        names: What the table has; names are the paper's where it has the data set or the model.
        paper: The paper's Table 1.
        protocol: Of `elcrec.data.repeats`; all runs must have it.
        reference: Id of the model that is tested against each other one.
        metrics: The rows of each data set.

    Raises:
        InputError: A run of another protocol, of other users, with impossible metrics, or made by
            other code than the other runs of its model.
    """
    runs = _grouped(records, protocol)
    pools = {metric: training_noise(runs, metric) for metric in metrics}
    pairs = list(product(names.datasets, metrics))
    cells = {}
    for (d, m), i in product(pairs, names.models):
        printed = paper.get((names.datasets[d], m, names.models[i]), nan)
        cells[d, m, i] = _cell(runs, (d, m, i), pools[m], printed)
    ranked = {
        (d, m): sorted(
            (i for i in names.models if (d, i) in runs), key=lambda i: -cells[d, m, i].mean
        )
        for d, m in pairs
    }
    tops = with_holm(
        compare_runs(BEST, m, runs[d, order[0]], runs[d, order[1]], pools[m])
        for (d, m), order in ranked.items()
        if len(order) > 1
    )
    each = with_holm(
        compare_runs(EACH, m, runs[d, reference], runs[d, other], pools[m])
        for d, m in pairs
        for other in names.models
        if other != reference and (d, reference) in runs and (d, other) in runs
    )
    top = {(c.dataset, c.metric): c for c in tops}
    return AccuracyTable(
        cells, ranked, top, each, reference, names, protocol, records, gaps, pools, paper
    )


def _grouped(records: Iterable[RunRecord], protocol: str) -> dict[tuple[str, str], SeedRuns]:
    ordered = sorted(records, key=lambda r: (r.dataset, r.model, r.seed))
    for record in ordered:
        _check(record, protocol)
    for _, group in groupby(ordered, key=lambda r: r.dataset):
        check_users(list(group))
    _check_alike(ordered, "fingerprint", "code", lambda r: r.model)
    _check_alike(ordered, "settings", "settings", lambda r: (r.dataset, r.model))
    _check_alike(ordered, "data", "data", lambda r: r.dataset)
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


def _check_alike(
    records: Iterable[RunRecord], key: str, what: str, group: Callable[[RunRecord], object]
) -> None:
    """Refuse runs of one group whose `key` differs."""
    first: dict[object, RunRecord] = {}
    for record in records:
        other = first.setdefault(group(record), record)
        if getattr(record, key) != getattr(other, key):
            raise InputError(
                f"{record.folder / 'metrics.json'}: {key} is {getattr(record, key)}, but "
                f"{other.folder} has {getattr(other, key)}; runs with different {what} are not "
                "mixed, run the older ones again"
            )


def _cell(runs: RunsOf, key: tuple[str, str, str], pool: Pool, paper: float) -> Cell:
    dataset, metric, model = key
    own = runs.get((dataset, model), [])
    mean, std = mean_std([run.metrics["test"][metric] for run in own])
    interval = mean_interval(mean, len(own), pool.noise((dataset, model)))
    return Cell(*key, mean, std, *interval, len(own), paper, stopping(own))
