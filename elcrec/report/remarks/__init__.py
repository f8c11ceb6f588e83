"""Remarks on these runs and these data; what was found out about the paper is docs/findings.md."""

from __future__ import annotations

from elcrec.report.evidence import Evidence
from elcrec.report.remarks.expected import expected
from elcrec.report.remarks.findings import (
    loss_matters,
    order_by_day,
    padding,
    repeated_targets,
    rule_change,
)
from elcrec.report.remarks.remark import Remark

REMARKS = (expected, padding, loss_matters, repeated_targets, order_by_day, rule_change)
"""In the order of the page."""


def remarks(evidence: Evidence) -> list[Remark]:
    """Compute all of them; those that nothing can be said of are left out."""
    return [remark for each in REMARKS if (remark := each(evidence))]
