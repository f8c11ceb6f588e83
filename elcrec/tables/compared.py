"""Predictions of another framework beside runs of ours, as plain text for a terminal."""

from collections.abc import Iterator, Sequence
from math import isnan, nan
from textwrap import fill

from elcrec.config.config import Config
from elcrec.evaluation.metrics import METRICS
from elcrec.external.record import THEIRS, Predicted, Rivals, done_to, place, short_lists
from elcrec.tables import table1
from elcrec.tables.layout import GAP, Names, number, p_value, percent, plain_table, score
from elcrec.tables.table1 import AccuracyTable
from elcrec.tables.wording import noisier

WIDTH = 100


def compared(
    config: Config,
    theirs: Sequence[Predicted],
    rivals: Rivals,
    metrics: Sequence[str],
    first_seed: int = 1,
) -> str:
    """How accurate the predictions are, and how they differ from each rival.

    Args:
        config: Has the names; that of the model is under `external`.
        theirs: The predictions, one for each seed.
        rivals: Our runs, of the same users.
        metrics: Those that can be computed from the predictions.
        first_seed: The seed of the first predictions, as it is shown.
    """
    dataset = theirs[0].dataset
    name = str(config.external[THEIRS].name)
    models = {THEIRS: name} | dict(Names.of(config, rivals.models).models)
    names = Names({dataset: config.dataset_name(dataset)}, models)
    table = table1.build(
        [*theirs, *rivals.runs],
        [],
        names,
        paper={},
        protocol=config.protocol,
        reference=THEIRS,
        metrics=metrics,
    )
    seeds = [str(first_seed + n) for n in range(len(theirs))]
    title = f"{name} on {names.datasets[dataset]}: test split, {theirs[0].users:,} users"
    title += f", {config.external[THEIRS].ids} ids, seed{'s' * (len(seeds) > 1)} {', '.join(seeds)}"
    parts = [title, *_remarks(config, theirs, metrics), "", _values(table)]
    if table.against_each:
        parts += [_differences(table), *_notes(table, name)]
    else:
        parts += [
            f"No run of ours on {names.datasets[dataset]} in {rivals.folder} under the protocol"
            f" {config.protocol}: nothing to compare with. Name another folder of runs with --runs."
        ]
    return "\n".join(part if "\n" in part else fill(part, WIDTH) for part in parts) + "\n"


def _remarks(config: Config, theirs: Sequence[Predicted], metrics: Sequence[str]) -> Iterator[str]:
    """What was done to the lists, and which metrics they are too short for."""
    yield from done_to(theirs)
    if dropped := [metric for metric in config.metrics or METRICS if metric not in metrics]:
        needed = max(map(place, dropped))
        lists = short_lists(theirs, needed)
        yield f"{', '.join(dropped)}: missing, because {lists}; {needed} items would suffice."
    if all((run.ranks["test"] >= run.lists.known_to).all() for run in theirs):
        yield (
            "No user's test item is in a list: do the histories behind the lists include the test"
            " items, as those that `recommend` uses for the training users do?"
        )
    elif min(int(run.ranks["test"].min()) for run in theirs):
        yield (
            "No user's test item is ranked first: do scores tie (ties count against the model), or"
            " do the ranks of a table start from 1 (here the first rank is 0)?"
        )


def _values(table: AccuracyTable) -> str:
    (dataset,), metrics = table.names.datasets, list(table.pools)
    rows = []
    for model, name in table.names.models.items():
        cells = [table.cells[dataset, metric, model] for metric in metrics]
        rows.append([name, *(score(cell.mean) for cell in cells), str(cells[0].seeds)])
    return plain_table(["Model", *metrics, "Seeds"], rows)


def _differences(table: AccuracyTable) -> str:
    """The primary test against each rival, rival by rival."""
    order = list(table.names.models)
    rows = []
    for c in sorted(table.against_each, key=lambda c: order.index(c.model_b)):
        ends = [
            100 * end / c.mean_b if c.mean_b else nan for end in (c.primary.low, c.primary.high)
        ]
        p = c.primary.p_value
        rows.append(
            [
                *(table.names.models[c.model_b], c.metric, percent(c.relative_difference)),
                GAP if isnan(sum(ends)) else f"[{', '.join(map(percent, ends))}]",
                GAP if isnan(p) else f"{p_value(p)} ({p_value(c.primary_holm)})",
                c.seeds,
            ]
        )
    header = ["Against", "Metric", "Difference", "95 %", "p (Holm)", "Seeds"]
    return plain_table(header, rows, text=2)


def _notes(table: AccuracyTable, name: str) -> Iterator[str]:
    (dataset,), seeds = table.names.datasets, table.against_each[0].seeds.partition("+")[0]
    yield (
        f"Difference: {name} against the other model, in percent of the latter; 95 %: its"
        " confidence interval. p: primary test, two-sided, in which users and trainings both vary;"
        f" in brackets Holm-corrected over the {len(table.against_each)} rows. Seeds: of {name} +"
        " of the other model."
    )
    noises = {metric: pool.noise((dataset, THEIRS)) for metric, pool in table.pools.items()}
    if not any(noise.freedom for noise in noises.values()):
        yield "No p: no model here has two seeds, so it is unknown how much trainings differ."
        return
    shares = [f"{m} {number(100 * noise.deviation, 1)}" for m, noise in noises.items()]
    how = "assumed to be that of our models" if seeds == "1" else "from its seeds and our models'"
    yield (
        f"Training noise of {name} (standard deviation of one training, in percent of the mean:"
        f" {', '.join(shares)}): {how}. How much trainings outside this project differ is unknown."
    )
    for label, shares in noisier(table.pools, table.names).items():
        yield (
            f"{label}: its own trainings differ by more ({', '.join(shares)}), so its interval is"
            " wide and its noise is not used for the others."
        )
    if table.protocol == "paper":
        yield (
            "Protocol paper: in our runs items that the user had before score 0, as in the authors'"
            " code; from the predictions they are removed."
        )
