"""What the design can detect: leads by number of seeds, and the seeds that the paper's need."""

from __future__ import annotations

from collections.abc import Mapping

import scipy.stats

from elcrec.paper import PaperTable
from elcrec.statistics.comparison import ModelComparison
from elcrec.statistics.power import LEVEL, detectable_lead, seeds_needed
from elcrec.tables.table1 import AccuracyTable, Row
from elcrec.tables.verdict import lead_in_paper

SEEDS = (1, 2, 3, 5, 10)
"""Numbers of seeds of each model that are shown."""
COLUMNS = (
    *("dataset", "metric", "noise_percent", "freedom", "users_percent", "users_from"),
    *(f"lead_at_{n}_percent" for n in SEEDS),
    *("design_seeds", "design_percent", "design_holm_percent"),
    *("paper_lead_percent", "seeds_needed_least", "seeds_needed", "single_run_percent"),
)
"""Of `detectable.csv`."""
EXPLANATION = (
    "The smallest lead of one model over another that the primary test finds with 80 % power at "
    "p < .05, when both models have that many seeds, in percent; uncorrected, and after Holm's "
    "first step for the configured number of seeds. From the training noise, as well known as "
    "today, and from how much users differ between ELCRec and the strongest other method of the "
    "paper that was run. Where one of these has a single run, chance hits cannot be told from "
    "that, so the seeds needed are given as a range: without any such difference, and with all "
    "of it. Single run: the interval of one run whose noise is known exactly; no number of our "
    "seeds makes the prediction interval narrower."
)


def rows(table: AccuracyTable, paper: PaperTable, seeds_asked: int) -> list[Mapping[str, object]]:
    """Return the lines of `detectable.csv`: data sets and metrics with runs of ELCRec and a rival.

    `lead_at_<n>_percent` is the detectable lead with n seeds of each model, `design_percent` that
    of the configuration, `design_holm_percent` the same at 5 % divided by the comparisons of
    ELCRec in the table. `seeds_needed` is what the lead that the paper prints would need: empty
    where it is not above 0 or not printed, inf where no number suffices; `seeds_needed_least` the
    same if users did not differ between the two models, which one run each cannot rule out.
    """
    found: list[Mapping[str, object]] = []
    for row in table.rows:
        strongest = _strongest(table, row, paper)
        if strongest is None or not strongest.mean_b:
            continue
        noise = table.pools[row.metric].typical
        users = strongest.primary.users_variance / strongest.mean_b**2
        count = strongest.paired.n[0]
        known = min(strongest.welch.n) > 1
        lead = lead_in_paper(paper, table.datasets[row.dataset], row.metric)
        shown = {n: 100 * detectable_lead(n, noise, users, count) for n in {*SEEDS, seeds_asked}}
        level = LEVEL / len(table.against_each)
        needed = [seeds_needed(lead, noise, part, count) for part in (users if known else 0, users)]
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
                "design_holm_percent": 100
                * detectable_lead(seeds_asked, noise, users, count, level=level),
                "paper_lead_percent": 100 * lead,
                "seeds_needed_least": needed[0],
                "seeds_needed": needed[1],
                "single_run_percent": 200 * noise.deviation * scipy.stats.norm.ppf(0.975),
            }
        )
    return found


def seeds_text(least: str, most: str) -> str:
    """Seeds that a lead needs, from the fields of `detectable.csv`: `9`, `9 to 91`, `9 or more`."""
    ends = [end.removesuffix(".0") for end in (least, most)]
    if ends[0] == ends[1]:
        return "none suffices" if ends[0] == "inf" else ends[0]
    return f"{ends[0]} or more" if ends[1] == "inf" else f"{ends[0]} to {ends[1]}"


def _strongest(table: AccuracyTable, row: Row, paper: PaperTable) -> ModelComparison | None:
    """The reference against the best other method of the paper that was run, in a row."""
    printed = {model for _, _, model in paper}
    rivals = [
        c
        for c in table.against_each
        if (c.dataset, c.metric) == (row.dataset, row.metric) and table.models[c.model_b] in printed
    ]
    return max(rivals, key=lambda c: c.mean_b, default=None)
