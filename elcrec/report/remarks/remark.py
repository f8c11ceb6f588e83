"""What a reader of the published numbers should know of these runs and these data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from elcrec.report.words import worded


@dataclass(frozen=True)
class Remark:
    """A remark whose words follow from its numbers."""

    title: str
    statement: str
    evidence: str
    """Outcome of the computation that shows it, or what it needs."""
    shown: bool
    """Whether the computation could be made."""


def remark(key: str, shown: bool, **numbers: Any) -> Remark:
    """Fill the texts of `templates/remarks.yaml`."""
    title, statement, evidence = (
        worded("remarks", key, part, numbers | {"shown": shown})
        for part in ("title", "statement", "evidence" if shown else "needs")
    )
    if not shown:
        evidence = f"Not computed yet; it needs: {evidence}."
    return Remark(title, statement, evidence, shown)
