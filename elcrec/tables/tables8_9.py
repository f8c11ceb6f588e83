"""Tables 8 and 9: ELCRec against ICLRec on data sets that are not part of the replication.

Beside the setting with all losses stands the one without the instance loss, since the paper does
not say which it used, and Popularity, since the paper's ICLRec on ML-1M comes near it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.paper import PaperTable
from elcrec.runs.comparison import compare_runs
from elcrec.runs.reading import Gap
from elcrec.runs.record import RunRecord
from elcrec.statistics.comparison import ModelComparison, with_holm
from elcrec.tables import table1

FAMILY = "elcrec_against_iclrec"
PAIRS = (("elcrec", "iclrec"), ("elcrec_no_instance", "iclrec_no_instance"))
"""Compared with each other: first with all losses, then without the instance loss."""
TABLES = {"ml-1m": 8, "mind-small": 9}
"""Data set id to the number of the paper's table."""


@dataclass(frozen=True)
class OptionalTable:
    """Everything that Table 8 or 9 shows."""

    number: int
    """The paper's number of the table."""
    accuracy: table1.AccuracyTable
    """Our cells, and the paper's where a model has the name of one of its columns."""
    comparisons: Mapping[tuple[str, str], ModelComparison]
    """(first model of a pair, metric) to the test; pairs without runs of both are absent."""
    released: Mapping[str, float] = field(default_factory=dict)
    """Metric to what ICLRec's released weights give; empty where there are none."""


def build(
    records: Sequence[RunRecord],
    gaps: Sequence[Gap],
    *,
    dataset: tuple[str, str],
    models: Mapping[str, str],
    paper: PaperTable,
    protocol: str,
    released: PaperTable | None = None,
) -> OptionalTable:
    """Build Table 8 or 9.

    Args:
        records: The runs that are present, all of one data set.
        gaps: The runs that were asked for and are absent.
        dataset: Its id, one of `TABLES`, and its display name, which is the paper's.
        models: Model id to display name, in the order of the table.
        paper: The paper's table.
        protocol: `paper` or `strict`; all runs must have it.
        released: (data set, metric, `ICLRec`) to what the weights released by its authors give.

    Raises:
        InputError: A run that does not belong with the others, see `elcrec.tables.table1.build`.
    """
    table = table1.build(
        records,
        gaps,
        datasets=dict([dataset]),
        models=models,
        paper=paper,
        protocol=protocol,
    )
    runs = {m: [r for r in records if r.model == m] for m in models}
    tests = with_holm(
        compare_runs(FAMILY, metric, runs[a], runs[b], table.pools[metric])
        for a, b in PAIRS
        for metric in TABLE_METRICS
        if runs.get(a) and runs.get(b)
    )
    weights = {m: v for (name, m, _), v in (released or {}).items() if name == dataset[1]}
    comparisons = {(test.model_a, test.metric): test for test in tests}
    return OptionalTable(TABLES[dataset[0]], table, comparisons, weights)


def csv_rows(table: OptionalTable) -> list[dict[str, object]]:
    """Return the lines of the CSV file: one per metric and model, values in full precision.

    `improvement_percent` and the tests stand on the lines of ELCRec and compare it with ICLRec in
    the same setting; the `_holm` columns are corrected over both settings and all metrics.
    """
    return [
        {
            "dataset": row.dataset,
            "metric": row.metric,
            "model": model,
            "mean": cell.mean,
            "std": cell.std,
            "seeds": cell.seeds,
            "paper": cell.paper,
            "relative_difference_percent": cell.relative_difference,
            **_test_columns(table, row, model),
        }
        for row in table.accuracy.rows
        for model, cell in row.cells.items()
    ]


def _test_columns(table: OptionalTable, row: table1.Row, model: str) -> dict[str, object]:
    test = table.comparisons.get((model, row.metric))
    own = model == PAIRS[0][0]
    return {
        "improvement_percent": test.relative_difference if test else None,
        "paper_improvement_percent": row.paper_improvement if own else None,
        "difference_low95": test.primary.low if test else None,
        "difference_high95": test.primary.high if test else None,
        "p": test.primary.p_value if test else None,
        "p_holm": test.primary_holm if test else None,
        "seeds_compared": test.welch.size if test else None,
        "welch_p": test.welch.p_value if test else None,
        "welch_p_holm": test.welch_holm if test else None,
        "paired_t_p": test.paired.p_value if test else None,
        "paired_t_p_holm": test.paired_holm if test else None,
        "paired_n": test.paired.size if test else None,
        "paper_p": row.paper_p_value if own else None,
    }
