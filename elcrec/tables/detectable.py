"""What the design can detect: leads by number of seeds, and seeds that the paper's leads need."""

from collections.abc import Sequence
from math import nan

import pandas as pd
import scipy.stats

from elcrec import paper
from elcrec.files.rows import Row
from elcrec.statistics.comparison import ModelComparison
from elcrec.statistics.power import LEVEL, detectable_lead, seeds_needed
from elcrec.tables.layout import Cell, Column, Named, Table, declared, figures, gap, named, word
from elcrec.tables.table1 import AccuracyTable

SEEDS = (1, 2, 3, 5, 10)
"""Numbers of seeds of each model that are shown."""
COLUMNS = (
    *("dataset", "metric", "noise_percent", "freedom", "users_percent", "users_from"),
    *(f"lead_at_{n}_percent" for n in SEEDS),
    *("design_seeds", "design_percent", "design_holm_percent"),
    *("paper_lead_percent", "seeds_needed_least", "seeds_needed", "single_run_percent"),
)
"""Of `detectable.csv`."""


def frame(table: AccuracyTable, seeds_asked: int) -> pd.DataFrame:
    """`detectable.csv`: data sets and metrics with runs of ELCRec and a rival.

    `lead_at_<n>_percent` is the detectable lead with n seeds of each model, `design_percent` that
    of the configuration, `design_holm_percent` the same at 5 % divided by the comparisons of
    ELCRec in the table. `seeds_needed` is what the lead that the paper prints would need: empty
    where it is not above 0 or not printed, inf where no number suffices; `seeds_needed_least` the
    same if users did not differ between the two models, which one run each cannot rule out.
    """
    rows = []
    for dataset, metric in table.ranked:
        strongest = _strongest(table, dataset, metric)
        if strongest is None or not strongest.mean_b:
            continue
        noise = table.pools[metric].typical
        users = strongest.primary.users_variance / strongest.mean_b**2
        count = strongest.tests["paired"].n[0]
        several_seeds = min(strongest.tests["Welch"].n) > 1
        absolute_lead, runner_up = paper.lead(table.paper, table.names.datasets[dataset], metric)
        lead = absolute_lead / runner_up if runner_up else nan
        leads = [100 * detectable_lead(n, noise, users, count) for n in (*SEEDS, seeds_asked)]
        level = LEVEL / len(table.against_each)
        holm = 100 * detectable_lead(seeds_asked, noise, users, count, level=level)
        least = seeds_needed(lead, noise, users if several_seeds else 0, count)
        needed = seeds_needed(lead, noise, users, count)
        single_run = 200 * noise.deviation * scipy.stats.norm.ppf(0.975)
        rows.append(
            [
                *(dataset, metric, 100 * noise.deviation, noise.freedom, 100 * users**0.5),
                *(strongest.model_b, *leads[:-1], seeds_asked, leads[-1], holm),
                *(100 * lead, least, needed, single_run),
            ]
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def shown(rows: Sequence[Row], names: Named) -> Table:
    """The rows of `detectable.csv` as a table."""
    columns = [
        named("Data set", "dataset", names.dataset_name),
        word("Metric", "metric"),
        figures("Noise of a run (%)", "noise_percent", 1),
        figures("Its df", "freedom", 1),
        *(figures(f"{n} seed{'s' * (n > 1)}", f"lead_at_{n}_percent", 1) for n in SEEDS),
        figures("Configured, Holm", "design_holm_percent", 1),
        figures("Paper's lead", "paper_lead_percent", 1),
        Column("Seeds it needs", _seeds),
        figures("Single run", "single_run_percent", 1),
    ]
    return declared("detectable", columns, rows)


def _seeds(row: Row) -> Cell:
    """The seeds that the paper's lead needs: `9`, `9 to 91`, `9 or more`, `none suffices`."""
    least, most = (row.text(key) for key in ("seeds_needed_least", "seeds_needed"))
    if not most:
        return gap("no lead above 0 is printed, or the noise is unknown")
    ends = [end.removesuffix(".0") for end in (least, most)]
    if most == "inf":
        return Cell("none suffices" if least == most else f"{ends[0]} or more", sort=1e9)
    return Cell(ends[1] if least == most else " to ".join(ends), sort=row.number("seeds_needed"))


def _strongest(table: AccuracyTable, dataset: str, metric: str) -> ModelComparison | None:
    """The reference against the best other method of the paper that was run, in a row."""
    printed = {model for _, _, model in table.paper}
    rivals = [
        c
        for c in table.against_each
        if (c.dataset, c.metric) == (dataset, metric) and table.names.models[c.model_b] in printed
    ]
    return max(rivals, key=lambda c: c.mean_b, default=None)
