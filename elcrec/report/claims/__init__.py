"""The paper's claims, and how each is judged."""

from elcrec.report.claims import accuracy, efficiency, intents, training
from elcrec.report.claims.claim import Claim
from elcrec.statistics.power import LEVEL, POWER

TESTED = {"level": LEVEL, "power": POWER}
SPREAD = {"most": training.SENSITIVE}

CLAIMS = (
    Claim("best", accuracy.best, "table1", accuracy.in_paper),
    Claim("significance", accuracy.significance, "significance", accuracy.in_paper, TESTED),
    Claim("time", efficiency.time, "table2", lambda _: efficiency.in_paper("seconds")),
    Claim("memory", efficiency.memory, "table3", lambda _: efficiency.in_paper("megabytes")),
    Claim("ablation", training.ablation, "figures", training.ablation_in_paper),
    Claim("sensitivity", training.sensitivity, "figures", thresholds=SPREAD),
    Claim("convergence", training.convergence, "figures"),
    Claim("intents", intents.intents, "figures", thresholds=intents.THRESHOLDS),
)
"""In the order of the page."""
