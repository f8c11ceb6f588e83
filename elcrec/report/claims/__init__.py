"""The paper's claims, and how each is judged."""

from __future__ import annotations

from elcrec.report.claims.accuracy import BEST, SIGNIFICANT
from elcrec.report.claims.efficiency import MEMORY, TIME
from elcrec.report.claims.intents import INTENTS
from elcrec.report.claims.training import ABLATION, CONVERGENCE, SENSITIVITY

CLAIMS = (BEST, SIGNIFICANT, TIME, MEMORY, ABLATION, SENSITIVITY, CONVERGENCE, INTENTS)
"""In the order of the page."""
