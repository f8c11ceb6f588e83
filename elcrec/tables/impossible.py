"""Columns of Table 1 that no ranks can produce, the paper's and ours: NDCG@20 outside its bound.

With HR@5, HR@20 and NDCG@5 given, NDCG@20 = NDCG@5 + the gains of the users whose target has a rank
from 6 to 20; they are HR@20 - HR@5 of all users, and each gains 1/log2(21) to 1/log2(7).
"""

from collections.abc import Mapping, Sequence
from math import log2

import pandas as pd

from elcrec.evaluation.metrics import TABLE_METRICS, ndcg_bound
from elcrec.files.rows import Row
from elcrec.paper import PaperTable, of_methods
from elcrec.runs.record import TOLERANCE
from elcrec.tables.layout import Table, declared, figures, word
from elcrec.tables.table1 import AccuracyTable

ROUNDING = 1.4e-4
"""How far rounding all four metrics to four decimals can move NDCG@20 against its bound:
half a unit each for NDCG@5 and NDCG@20, half a unit / log2(7) each for HR@5 and HR@20."""
PAPER, OURS = "paper", "ours"
COLUMNS = (
    *("source", "dataset", "model", "hr_5", "hr_20", "ndcg_5", "ndcg_20"),
    *("least", "most", "rounding", "outside_by", "computation"),
)
"""Of `impossible.csv`."""

Columns = Mapping[tuple[str, str], Sequence[float]]
"""(data set, model), both as printed, to the values of `TABLE_METRICS`."""


def printed_columns(paper: PaperTable) -> Columns:
    """Return every column of the paper's Table 1 that has all four metrics."""
    return _columns(of_methods(paper))


def own_columns(table: AccuracyTable) -> Columns:
    """Return the same of our Table 1 where there is a run: the bound holds for means too."""
    return _columns({key: cell.mean for key, cell in table.by_name.items() if cell.seeds})


def _columns(values: PaperTable) -> Columns:
    return {
        (dataset, model): [values[dataset, metric, model] for metric in TABLE_METRICS]
        for dataset, model in dict.fromkeys((d, m) for d, _, m in values)
        if all((dataset, metric, model) in values for metric in TABLE_METRICS)
    }


def impossible(columns: Columns, source: str) -> pd.DataFrame:
    """`impossible.csv`: the columns that no ranks can produce, even allowing for rounding.

    Args:
        columns: As printed, or means over the seeds.
        source: `PAPER` or `OURS`; only the former is allowed `ROUNDING`.
    """
    rounding, rows = ROUNDING if source == PAPER else TOLERANCE, []
    for key, (hr5, hr20, ndcg5, ndcg20) in columns.items():
        least, most = ndcg_bound(hr5, hr20, ndcg5)
        outside = max(least - ndcg20, ndcg20 - most, 0.0)
        base, increment = f"{ndcg5:.4f}", f"({hr20:.4f} - {hr5:.4f})"
        computation = (
            f"{base} + {increment} x {1 / log2(21):.4f} = {least:.4f}; "
            f"{base} + {increment} x {1 / log2(7):.4f} = {most:.4f}; NDCG@20 is {ndcg20:.4f}"
        )
        if outside > rounding:
            details = (least, most, rounding, outside, computation)
            rows.append((source, *key, hr5, hr20, ndcg5, ndcg20, *details))
    return pd.DataFrame(rows, columns=COLUMNS)


def shown(rows: Sequence[Row]) -> Table:
    """The rows of `impossible.csv` as a table."""
    columns = [
        *(word(key.capitalize(), key) for key in COLUMNS[:3]),
        *(figures(key.replace("_", "@").upper(), key) for key in COLUMNS[3:7]),
        figures("NDCG@20, least", "least"),
        figures("NDCG@20, most", "most"),
        figures("Rounding", "rounding", 6),
        figures("Outside by", "outside_by", 6),
    ]
    return declared("impossible", columns, rows)
