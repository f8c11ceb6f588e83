"""Tables 2 and 3 as the page shows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from elcrec.report.evidence import Evidence
from elcrec.report.provenance import Links
from elcrec.report.view import Table
from elcrec.tables import tables2_3_files


def time_table(evidence: Evidence, links: Links) -> Table | None:
    """Seconds per epoch and projected over a training; None before it is there."""
    return _table(evidence, links, "table2", tables2_3_files.time_table)


def memory_table(evidence: Evidence, links: Links) -> Table | None:
    """Peak memory of the same runs; None before it is there."""
    return _table(evidence, links, "table3", tables2_3_files.memory_table)


def _table(
    evidence: Evidence, links: Links, name: str, shown: Callable[..., Table]
) -> Table | None:
    """The table with the devices that were measured."""
    rows = evidence.table(name)
    devices = dict.fromkeys(row.text("device") for row in rows if row.text("device"))
    notes = [f"Devices: {'; '.join(devices) or 'none yet'}."]
    return replace(shown(rows, evidence, links), notes=notes) if rows else None
