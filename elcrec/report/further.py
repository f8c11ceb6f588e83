"""Tables that have no section of their own on the page."""

from __future__ import annotations

from collections.abc import Iterator

from elcrec.report.evidence import Evidence
from elcrec.report.view import Table
from elcrec.tables import activity, grid, impossible


def further_tables(evidence: Evidence) -> list[Table]:
    """Accuracy by activity, impossible columns and the grids, as far as they are there."""
    return list(_tables(evidence))


def _tables(evidence: Evidence) -> Iterator[Table]:
    leads = evidence.table("activity_leads")
    yield from activity.shown(evidence.table("activity"), leads, evidence).values()
    for name, module in {"impossible": impossible, "grid": grid}.items():
        if rows := evidence.table(name):
            yield module.shown(rows)
