"""Columns of Table 1 that no ranks can give, the paper's and ours: NDCG@20 outside its bound.

With HR@5, HR@20 and NDCG@5 given, NDCG@20 = NDCG@5 + the gains of the users whose target has a rank
from 6 to 20; they are HR@20 - HR@5 of all users, and each gains 1/log2(21) to 1/log2(7).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isnan, log2
from typing import Any

import pandas as pd

from elcrec.evaluation.metrics import TABLE_METRICS, ndcg_bound
from elcrec.paper import IMPROVEMENT, P_VALUE, PaperTable
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


@dataclass(frozen=True)
class Column:
    """One model on one data set, with the bound of its NDCG@20."""

    source: str
    """`paper`: as printed, or `ours`: means over the seeds."""
    dataset: str
    """Display name."""
    model: str
    hr_5: float
    hr_20: float
    ndcg_5: float
    ndcg_20: float

    @property
    def rounding(self) -> float:
        """What is granted to rounding."""
        return ROUNDING if self.source == PAPER else TOLERANCE

    @property
    def bound(self) -> tuple[float, float]:
        """The least and the most that NDCG@20 can be, rounding aside."""
        return ndcg_bound(self.hr_5, self.hr_20, self.ndcg_5)

    @property
    def least(self) -> float:
        """Lower end of the bound."""
        return self.bound[0]

    @property
    def most(self) -> float:
        """Upper end of the bound."""
        return self.bound[1]

    @property
    def outside_by(self) -> float:
        """Distance of NDCG@20 from its bound; 0 inside."""
        return max(self.least - self.ndcg_20, self.ndcg_20 - self.most, 0.0)

    @property
    def impossible(self) -> bool:
        """Whether no ranks can give these metrics, not even rounded."""
        return self.outside_by > self.rounding

    @property
    def computation(self) -> str:
        """The bound with its numbers, e.g. for the report."""
        base, added = f"{self.ndcg_5:.4f}", f"({self.hr_20:.4f} - {self.hr_5:.4f})"
        return (
            f"{base} + {added} x {1 / log2(21):.4f} = {self.least:.4f}; "
            f"{base} + {added} x {1 / log2(7):.4f} = {self.most:.4f}; NDCG@20 is {self.ndcg_20:.4f}"
        )


def printed_columns(paper: PaperTable) -> list[Column]:
    """Return every column of the paper's Table 1 that has all four metrics."""
    keys = dict.fromkeys((d, m) for d, _, m in paper if m not in (IMPROVEMENT, P_VALUE))
    return [
        Column(PAPER, dataset, model, *(paper[dataset, metric, model] for metric in TABLE_METRICS))
        for dataset, model in keys
        if all((dataset, metric, model) in paper for metric in TABLE_METRICS)
    ]


def own_columns(table: AccuracyTable) -> list[Column]:
    """Return every column of our Table 1 that has a run: the bound holds for means too."""
    found = [
        Column(OURS, name, shown, *(table.cells[dataset, m, model].mean for m in TABLE_METRICS))
        for dataset, name in table.names.datasets.items()
        for model, shown in table.names.models.items()
    ]
    return [column for column in found if not isnan(column.hr_5)]


def frame(columns: Iterable[Column]) -> pd.DataFrame:
    """`impossible.csv`: those of the columns that are."""
    rows = [[getattr(c, name) for name in COLUMNS] for c in columns if c.impossible]
    return pd.DataFrame(rows, columns=COLUMNS)


def shown(rows: Sequence[Any]) -> Table:
    """The rows of `impossible.csv` as a table."""
    columns = [
        *(word(key.capitalize(), key) for key in COLUMNS[:3]),
        *(figures(key.replace("_", "@").upper(), key) for key in COLUMNS[3:7]),
        figures("NDCG@20, least", "least"),
        figures("NDCG@20, most", "most"),
        figures("Rounding", "rounding", 6),
        figures("Outside by", "outside_by", 6),
    ]
    caption = "Columns and the bound of their NDCG@20, the paper's and ours"
    return declared("impossible", caption, columns, rows)
