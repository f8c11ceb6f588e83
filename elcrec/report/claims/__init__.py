"""The paper's claims, and how each is judged."""

from __future__ import annotations

from elcrec.report.claims import accuracy, efficiency, intents, training
from elcrec.report.claims.claim import Definition
from elcrec.statistics.power import LEVEL, POWER

TESTED = {"level": LEVEL, "power": POWER}
SPREAD = {"most": training.SENSITIVE}

CLAIMS = (
    Definition("best", accuracy.best, "table1", accuracy.in_paper),
    Definition("significance", accuracy.significance, "significance", accuracy.in_paper, TESTED),
    Definition("time", efficiency.time, "table2", lambda _: efficiency.in_paper("seconds")),
    Definition("memory", efficiency.memory, "table3", lambda _: efficiency.in_paper("megabytes")),
    Definition("ablation", training.ablation, "figures", training.ablation_in_paper),
    Definition("sensitivity", training.sensitivity, "figures", thresholds=SPREAD),
    Definition("convergence", training.convergence, "figures"),
    Definition("intents", intents.intents, "figures", thresholds=intents.THRESHOLDS),
)
"""In the order of the page."""
