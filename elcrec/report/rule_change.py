"""The rule of the verdict was changed after results were known: both verdicts, side by side."""

from __future__ import annotations

from collections import Counter

from elcrec.report.claims.claim import listed
from elcrec.report.evidence import Evidence, read_rows
from elcrec.report.view import Remark

FILE = "verdict_rules.csv"
"""File of the record: every cell that was run when the rule changed, under both rules."""


def rule_change(evidence: Evidence) -> list[Remark]:
    """The remark; none for runs of one's own, or for a record without the file."""
    if evidence.config.runs != "recorded":
        return []
    rows = read_rows(evidence.config.recorded / FILE)
    if not rows:
        return []
    pairs = Counter((row.text("old_verdict"), row.text("new_verdict")) for row in rows)
    counted = [f"{old}, now {new}: {count}" for (old, new), count in sorted(pairs.items())]
    cells = [
        f"{row.text('dataset')} {row.text('model')} {row.text('metric')} {row.number('mean'):.4f}"
        f" ({row.number('paper'):.4f} printed): {row.text('old_verdict')},"
        f" {row.text('new_verdict')}"
        for row in rows
    ]
    remark = Remark(
        "The rule of the verdict was changed after results were known",
        "Up to version 0.1.0 a cell counted as reproduced if the printed value lay in the 95 %"
        " t-interval of the mean over our seeds, or if our mean was within 5 % of it. 5 % is more"
        " than the lead that the paper prints on most cells, and an interval from two or three"
        " values rewards noise. So the rule was replaced by the one above. Both rules on the same"
        " runs, for all cells that had been run by then:",
        f"{listed(counted, len(counted))}, of {len(rows)}. {'; '.join(cells)}.",
        True,
    )
    return [remark]
