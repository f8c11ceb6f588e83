"""What the design can detect: leads by number of seeds, and the seeds that the paper's need."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan

from elcrec.paper import PaperTable
from elcrec.statistics.comparison import ModelComparison
from elcrec.statistics.power import POWER, detectable_lead, seeds_needed
from elcrec.tables.table1 import AccuracyTable, Row
from elcrec.tables.verdict import lead_in_paper

SEEDS = (1, 2, 3, 5, 10)
"""Numbers of seeds of each model that are shown."""
COLUMNS = (
    *("dataset", "metric", "noise_percent", "freedom", "users_percent", "users_from"),
    *(f"lead_at_{n}_percent" for n in SEEDS),
    *("design_seeds", "design_percent", "paper_lead_percent", "seeds_needed"),
)
"""Of `detectable.csv`."""
EXPLANATION = (
    f"The smallest lead of one model over another that the primary test finds with {POWER:g} "
    "power at p < .05, uncorrected, where both have so many seeds, in percent. From the pooled "
    "training noise, and from how much users differ between ELCRec and the strongest other method "
    "of the paper that was run; where one of these has a single run, that part is too large, for "
    "chance hits cannot be told from it. The users stay the same whatever the number of seeds, so "
    "that some leads cannot be found by any."
)


def rows(table: AccuracyTable, paper: PaperTable, seeds_asked: int) -> list[Mapping[str, object]]:
    """Return the lines of `detectable.csv`: data sets and metrics with runs of ELCRec and a rival.

    `lead_at_<n>_percent` is the detectable lead with n seeds of each model, `design_percent` that
    of the configuration; `seeds_needed` is what the lead that the paper prints would need: empty
    where it is not above 0 or not printed, inf where no number suffices.
    """
    found: list[Mapping[str, object]] = []
    for row in table.rows:
        strongest = _strongest(table, row, paper)
        if strongest is None or not strongest.mean_b:
            continue
        noise = table.pools[row.metric].typical
        users = strongest.primary.users_variance / strongest.mean_b**2
        count = strongest.paired.n[0]
        lead = lead_in_paper(paper, table.datasets[row.dataset], row.metric)
        shown = {n: 100 * detectable_lead(n, noise, users, count) for n in {*SEEDS, seeds_asked}}
        found.append(
            {
                "dataset": row.dataset,
                "metric": row.metric,
                "noise_percent": 100 * noise.deviation,
                "freedom": noise.freedom,
                "users_percent": 100 * users**0.5,
                "users_from": strongest.model_b,
                **{f"lead_at_{n}_percent": shown[n] for n in SEEDS},
                "design_seeds": seeds_asked,
                "design_percent": shown[seeds_asked],
                "paper_lead_percent": 100 * lead,
                "seeds_needed": seeds_needed(lead, noise, users, count) if lead == lead else nan,
            }
        )
    return found


def _strongest(table: AccuracyTable, row: Row, paper: PaperTable) -> ModelComparison | None:
    """The reference against the best other method of the paper that was run, in a row."""
    printed = {model for _, _, model in paper}
    rivals = [
        c
        for c in table.against_each
        if (c.dataset, c.metric) == (row.dataset, row.metric) and table.models[c.model_b] in printed
    ]
    return max(rivals, key=lambda c: c.mean_b, default=None)
