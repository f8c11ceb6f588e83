"""Tables that have no section of their own on the page: shown as their files are."""

from __future__ import annotations

import math

from elcrec.report.evidence import Evidence, Row, read_rows
from elcrec.report.view import Cell, Table, gap

OWN_SECTION = (
    *("table1", "significance", "table2", "table3", "data_statistics", "released", "verdict"),
    *("nearest", "detectable"),
)
"""Files that the page shows elsewhere."""
CAPTIONS = {
    "impossible": "Columns and the bound of their NDCG@20, the paper's and ours",
    "table7": "Table 7: statistics of ML-1M",
    "table8": "Table 8: accuracy on ML-1M",
    "table9": "Table 9: accuracy on MIND-small",
    "grid": "Validation scores of the declared grids",
    "activity": "Accuracy by activity of the users",
}
DIGITS = 4  # significant ones of a fraction


def further_tables(evidence: Evidence) -> list[Table]:
    """All other files in `tables/`, in the order of their names; empty ones are left out."""
    paths = sorted((evidence.output / "tables").glob("*.csv"))
    found = [(p.stem, read_rows(p)) for p in paths if p.stem not in OWN_SECTION]
    return [_table(evidence, name, rows) for name, rows in found if rows]


def _table(evidence: Evidence, name: str, rows: list[Row]) -> Table:
    header = list(rows[0].values)
    text = _text_columns(rows, header)
    body = [[_cell(evidence, row, key) for key in header] for row in rows]
    caption = CAPTIONS.get(name, name)
    titles = [key.replace("_", " ") for key in header]
    return Table(f"further-{name}", f"{caption} (tables/{name}.csv)", titles, body, text)


def _cell(evidence: Evidence, row: Row, key: str) -> Cell:
    text = row.text(key)
    if not text:
        return gap("empty")
    if key == "dataset":
        return Cell(evidence.dataset_name(text))
    value = _number(text)
    if math.isnan(value):
        return Cell(text)
    whole = value.is_integer() and "e" not in text.lower()
    return Cell(f"{value:,.0f}" if whole else f"{value:.{DIGITS}g}", sort=value)


def _text_columns(rows: list[Row], header: list[str]) -> int:
    """How many of the first columns hold text."""
    count = 0
    for key in header:
        fields = [row.text(key) for row in rows if row.text(key)]
        if fields and not any(math.isnan(_number(field)) for field in fields):
            break
        count += 1
    return count


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
