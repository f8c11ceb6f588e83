"""The tests of the tables on recorded runs: do they call a model different from itself?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import combinations
from textwrap import fill

import numpy as np

from elcrec.config.config import Config
from elcrec.errors import InputError
from elcrec.evaluation.metrics import TABLE_METRICS, per_user
from elcrec.files.rows import Row, read_rows
from elcrec.runs.comparison import RunsOf, compare_runs, training_noise
from elcrec.runs.reading import Runs
from elcrec.statistics.calibration import DRAWS, Source, simulate
from elcrec.statistics.crossed import crossed
from elcrec.statistics.power import LEVEL
from elcrec.statistics.tests import paired_t
from elcrec.tables.layout import markdown_table

FOLDER = "statistics"
"""Of the record, where the outcome is kept."""
NAMES = {
    "alike": "all models equally noisy",
    "noisy model in the pool": "one model of the pool 5 times as noisy",
    "noisy methods": "both methods 5 times as noisy as the pool",
    "one noisy method": "one of the methods 5 times as noisy",
}
MOST, MOST_WITH_ONE = 0.065, 0.1
"""Rejections that the primary test was meant to keep at p < .05."""
PAIRS = ("metric", "dataset", "a", "b", "same_model", "difference", "p", "p_users_only")
"""Columns of `pairs.csv`."""
METRIC = "HR@5"
HITS = 5  # k of it
SIMULATED = ("beauty", "sasrec")
"""Whose hits the simulation imitates: the first baseline with three seeds."""
REAL = ("beauty", "sasrec_ce", "sasrec")
"""Two models that do differ: the same network with another loss."""


def runs_of(config: Config) -> RunsOf:
    """The recorded runs of a configuration's data sets, models and seeds, read and checked."""
    found = Runs(config.replaced(runs="recorded")).find(config.use, config.models)
    return {key: own for key, own in found.items() if own}


def rejections(runs: RunsOf, draws: int = DRAWS) -> list[Mapping[str, object]]:
    """How often identical methods are called different: lines of `rejections.csv`.

    Hits and their agreement between seeds are those of `SIMULATED`, the training noise is that of
    an ordinary model in the pool.

    Raises:
        InputError: Fewer than two recorded runs of the model that is imitated.
    """
    own = runs.get(SIMULATED, [])
    if len(own) < 2:
        raise InputError(f"recorded runs of {' '.join(SIMULATED)}: {len(own)}; needed: 2 or more")
    hits = np.stack([run.ranks["test"] < HITS for run in own])
    source = Source.of(hits, training_noise(runs, METRIC).typical.deviation)
    return [asdict(row) | {"draws": draws} for row in simulate(source, draws=draws)]


def pairs(runs: RunsOf) -> list[Mapping[str, object]]:
    """Every recorded seed against every other of its model, and one real difference.

    The training noise of a pair is that of all other models, as if the model had one seed.
    Lines of `pairs.csv`; `p_users_only` is the paired t-test over users.
    """
    lines: list[tuple[object, ...]] = []
    for metric in TABLE_METRICS:
        pool = training_noise(runs, metric)
        for (dataset, model), own in runs.items():
            noise = pool.noise((dataset, model), without={(dataset, model)})
            for first, second in combinations(own, 2):
                a, b = (per_user(metric, run.ranks["test"]) for run in (first, second))
                found = crossed(a[None], b[None], noise, noise)
                names = (f"{model} {run.seed}" for run in (first, second))
                p_values = (found.p_value, paired_t(a, b).p_value)
                lines.append((metric, dataset, *names, True, found.difference, *p_values))
        dataset, *models = REAL
        if all(runs.get((dataset, model)) for model in models):
            one, other = (runs[dataset, model] for model in models)
            real = compare_runs("", metric, one, other, pool)
            p_values = (real.primary.p_value, real.tests["paired"].p_value)
            lines.append((metric, dataset, *models, False, real.primary.difference, *p_values))
    return [dict(zip(PAIRS, line, strict=True)) for line in lines]


def calibration(config: Config) -> str:
    """What the record says of the tests, as Markdown; empty before it was written."""
    folder = config.recorded / FOLDER
    found = read_rows(folder / "rejections.csv")
    if not found:
        return ""
    designs = list(dict.fromkeys((row.text("seeds_a"), row.text("seeds_b")) for row in found))
    header = [f"Equal methods called different ({found[0].integer('draws'):,} draws)"]
    header += [f"{a} v {b}" for a, b in designs]
    lines: dict[str, list[str]] = {}
    for row in found:
        name = f"{NAMES[row.text('noise')]}, pool of {row.text('pool_freedom')} degrees of freedom"
        lines.setdefault(name, []).append(f"{row.number('primary'):.3f}")
    alone = f"{NAMES['alike']}, test over users alone"
    lines[alone] = [f"{row.number('users_only'):.3f}" for row in found[: len(designs)]]
    table = markdown_table(header, [[name, *shares] for name, shares in lines.items()])
    text = f"{targets(found)} {summary(read_rows(folder / 'pairs.csv'))}"
    return f"{table}\n{fill(text, 120)}\n"


def targets(rows: Iterable[Row]) -> str:
    """What the primary test was meant to keep, and where it does not."""
    missed: dict[str, list[str]] = {}
    for row in rows:
        seeds = [row.integer(f"seeds_{side}") for side in "ab"]
        if row.number("primary") > (MOST if min(seeds) > 1 else MOST_WITH_ONE):
            name = NAMES[row.text("noise")]
            design = " v ".join(map(str, seeds))
            if design not in missed.setdefault(name, []):
                missed[name].append(design)
    where = "; ".join(f"{name}: {', '.join(designs)}" for name, designs in missed.items())
    return (
        f"Aimed at: at most {MOST:g} from 2 v 2 seeds on, {MOST_WITH_ONE:g} where one side has one"
        f" seed. {f'Missed by: {where}.' if missed else 'Kept everywhere.'}"
    )


def summary(rows: Iterable[Row]) -> str:
    """What the recorded pairs say, model by model."""
    same: dict[str, list[Row]] = {}
    real = []
    for row in rows:
        if row.text("same_model") == "True":
            same.setdefault(row.text("a").split()[0], []).append(row)
        else:
            real.append(row)
    counted = [
        f"{model} {_below(own, 'p')} ({_below(own, 'p_users_only')}) of {len(own)}"
        for model, own in same.items()
    ]
    text = (
        "On the record, each pair of seeds of one model was compared on four metrics, with training"
        f" noise from the other models: p < {LEVEL} by the primary test (over users alone) for"
        f" {', '.join(counted)}. So a single run of a model much noisier than the others is judged"
        " too hard."
    )
    if real:
        text += (
            f" A real difference is found: {real[0].text('a')} against {real[0].text('b')} has"
            f" p < {LEVEL} by the primary test on {_below(real, 'p')} of {len(real)} metrics."
        )
    return text


def _below(rows: list[Row], key: str) -> int:
    return sum(row.number(key) < LEVEL for row in rows)
