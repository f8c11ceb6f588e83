"""Table 1: accuracy on the test split, ours beside the paper's, with significance tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import nan

from elcrec import paper
from elcrec.config.config import Config
from elcrec.errors import InputError
from elcrec.evaluation.metrics import TABLE_METRICS, ndcg_bound
from elcrec.paper import IMPROVEMENT, P_VALUE, PaperTable
from elcrec.runs.comparison import RunsOf, SeedRuns, check_users, compare_runs, training_noise
from elcrec.runs.plan import runs_of
from elcrec.runs.reading import Gap, Runs
from elcrec.runs.record import TOLERANCE, RunRecord
from elcrec.statistics.comparison import COLUMNS, ModelComparison, csv_row, with_holm
from elcrec.statistics.noise import Pool
from elcrec.statistics.power import mean_interval
from elcrec.statistics.tests import mean_std
from elcrec.tables.stopping import stopping

EACH, BEST = "reference_against_each_model", "best_against_runner_up"
TEST_COLUMNS = COLUMNS[COLUMNS.index("difference") : COLUMNS.index("sidedness")]
"""What `table1.csv` holds of best against runner-up, as in `significance.csv`."""


@dataclass(frozen=True)
class Cell:
    """One model on one metric of one data set; all nan but `paper` when there is no run."""

    mean: float
    """Over the seeds."""
    std: float
    """Sample standard deviation (n - 1) over the seeds; nan for one seed."""
    low: float
    """Lower end of the 95 % interval of the mean over trainings, these users; nan: noise unknown.

    From the moderated training noise, so that one seed has an interval too."""
    high: float
    seeds: int
    paper: float
    """The paper's value; nan where it has none."""
    stopping: str = ""
    """What is remarkable about the epochs that its runs were tested at."""

    @property
    def relative_difference(self) -> float:
        """Ours against the paper's, in percent of the paper's."""
        return 100 * (self.mean - self.paper) / self.paper if self.paper else nan


@dataclass(frozen=True)
class Row:
    """One metric of one data set."""

    dataset: str
    metric: str
    cells: Mapping[str, Cell]
    """Model id to cell, in the order of the table."""
    top: ModelComparison | None
    """Best model (a) against the runner-up (b); None with fewer than two models."""
    best: str | None
    paper_improvement: float
    """The paper's ELCRec over its runner-up, in percent; nan where it has none."""
    paper_p_value: float


@dataclass(frozen=True)
class AccuracyTable:
    """Everything Table 1 shows."""

    rows: Sequence[Row]
    against_each: Sequence[ModelComparison]
    """The reference model against each other one, over all rows: one Holm family."""
    reference: str
    datasets: Mapping[str, str]
    """Data set id to display name, in the order of the table."""
    models: Mapping[str, str]
    """Model id to display name, in the order of the table."""
    protocol: str
    records: Sequence[RunRecord]
    gaps: Sequence[Gap]
    pools: Mapping[str, Pool]
    """Metric to the training noise of all models and data sets of the table."""


def build(
    records: Sequence[RunRecord],
    gaps: Sequence[Gap],
    *,
    datasets: Mapping[str, str],
    models: Mapping[str, str],
    paper: PaperTable,
    protocol: str,
    reference: str = "elcrec",
) -> AccuracyTable:
    """Build Table 1.

    Args:
        records: The runs that are present.
        gaps: The runs that were asked for and are absent.
        datasets: Data set id to display name, which is the paper's where it has the data set.
        models: Model id to display name, which is the paper's where it has the model.
        paper: The paper's Table 1.
        protocol: `paper` or `strict`; all runs must have it.
        reference: Id of the model that is tested against each other one.

    Raises:
        InputError: A run of another protocol, of other users, with impossible metrics, or made by
            other code than the other runs of its model.
    """
    runs = _grouped(records, protocol)
    pools = {metric: training_noise(runs, metric) for metric in TABLE_METRICS}
    pairs = [(d, m) for d in datasets for m in TABLE_METRICS]
    ranked = {pair: _ranked(runs, models, *pair) for pair in pairs}
    tops = with_holm(
        compare_runs(BEST, metric, runs[dataset, order[0]], runs[dataset, order[1]], pools[metric])
        for (dataset, metric), order in ranked.items()
        if len(order) > 1
    )
    others = [model for model in models if model != reference]
    each = with_holm(
        compare_runs(EACH, m, runs[d, reference], runs[d, other], pools[m])
        for d, m in pairs
        for other in others
        if (d, reference) in runs and (d, other) in runs
    )
    top = {(c.dataset, c.metric): c for c in tops}
    rows = [
        Row(
            dataset=d,
            metric=m,
            cells={
                i: _cell(runs, (d, i), m, pools[m], paper.get((datasets[d], m, models[i]), nan))
                for i in models
            },
            top=top.get((d, m)),
            best=next(iter(ranked[d, m]), None),
            paper_improvement=paper.get((datasets[d], m, IMPROVEMENT), nan),
            paper_p_value=paper.get((datasets[d], m, P_VALUE), nan),
        )
        for d, m in pairs
    ]
    return AccuracyTable(rows, each, reference, datasets, models, protocol, records, gaps, pools)


def csv_rows(table: AccuracyTable) -> list[dict[str, object]]:
    """Return the lines of `table1.csv`: ids for names, values in full precision.

    The last columns are of best against runner-up; `_holm` is corrected over the rows of this
    table.
    """
    return [_csv_row(row) for row in table.rows]


def significance_rows(table: AccuracyTable) -> list[dict[str, object]]:
    """Return the lines of `significance.csv`: the reference's family, then that of the best."""
    tops = [row.top for row in table.rows if row.top]
    return [csv_row(comparison) for comparison in [*table.against_each, *tops]]


def _csv_row(row: Row) -> dict[str, object]:
    line: dict[str, object] = {"dataset": row.dataset, "metric": row.metric}
    for model, cell in row.cells.items():
        line[f"{model}_mean"] = cell.mean
        line[f"{model}_std"] = cell.std
        line[f"{model}_low95"] = cell.low
        line[f"{model}_high95"] = cell.high
        line[f"{model}_seeds"] = cell.seeds
        line[f"{model}_paper"] = cell.paper
        line[f"{model}_relative_difference_percent"] = cell.relative_difference
        line[f"{model}_stopping"] = cell.stopping
    top = row.top
    line["best"] = row.best
    line["runner_up"] = top.model_b if top else None
    tests = csv_row(top) if top else {}
    return line | {column: tests.get(column) for column in TEST_COLUMNS}


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


def _ranked(runs: RunsOf, models: Iterable[str], dataset: str, metric: str) -> list[str]:
    """Models with a run, best first; of equal ones the first in the table."""
    present = [model for model in models if (dataset, model) in runs]
    return sorted(present, key=lambda model: -mean_std(_values(runs[dataset, model], metric))[0])


def _cell(runs: RunsOf, key: tuple[str, str], metric: str, pool: Pool, paper: float) -> Cell:
    own = runs.get(key, [])
    mean, std = mean_std(_values(own, metric))
    interval = mean_interval(mean, len(own), pool.noise(key))
    return Cell(mean, std, *interval, len(own), paper, stopping(own))


def _values(runs: SeedRuns, metric: str) -> list[float]:
    return [run.metrics["test"][metric] for run in runs]


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
    return build(
        records,
        gaps,
        datasets={i: config.dataset_name(i) for i in config.use},
        models={i: config.model_name(i) for i in config.models},
        paper=paper.load_accuracy(),
        protocol=config.protocol,
    )
