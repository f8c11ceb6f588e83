"""The tests of the tables on recorded runs: do they call a model different from itself?"""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from elcrec.config.config import Config
from elcrec.errors import InputError
from elcrec.evaluation.metrics import TABLE_METRICS, per_user
from elcrec.runs.comparison import RunsOf, compare_runs, training_noise
from elcrec.runs.reading import Runs
from elcrec.statistics.calibration import COLUMNS, DRAWS, Source, simulate
from elcrec.statistics.crossed import crossed
from elcrec.statistics.power import LEVEL
from elcrec.statistics.tests import paired_t
from elcrec.tables.document import document
from elcrec.tables.layout import Table, number, texts

FOLDER = "statistics"
"""Folder of the record that keeps the outcome."""
NAMES = {
    "alike": "all models equally noisy",
    "noisy model in the pool": "one model of the pool 5 times as noisy",
    "noisy methods": "both methods 5 times as noisy as the pool",
    "one noisy method": "one of the methods 5 times as noisy",
}
MOST, MOST_WITH_ONE = 0.065, 0.1
"""Rejection rates that the primary test was designed not to exceed at p < .05."""
PAIRS = ("metric", "dataset", "a", "b", "same_model", "difference", "p", "p_users_only")
"""Columns of `pairs.csv`; `p_users_only` comes from the paired t-test over users."""
METRIC = "HR@5"
HITS = 5  # its k
SIMULATED = ("beauty", "sasrec")
"""The runs whose hits the simulation imitates: the first baseline with three seeds."""
REAL = ("beauty", "sasrec_ce", "sasrec")
"""Two models that do differ: the same network with another loss."""


def runs_of(config: Config) -> RunsOf:
    """The recorded runs of a configuration's data sets, models and seeds, read and checked."""
    groups = Runs(config.replaced(runs="recorded")).find(config.use, config.models)
    return {key: group for key, group in groups.items() if group}


def rejections(runs: RunsOf, draws: int = DRAWS) -> pd.DataFrame:
    """How often identical methods are called different: `rejections.csv`.

    Hits and their agreement between seeds are those of `SIMULATED`, the training noise is that of
    an ordinary model in the pool.

    Raises:
        InputError: Fewer than two recorded runs of the model that is imitated.
    """
    group = runs.get(SIMULATED, [])
    if len(group) < 2:
        raise InputError(f"recorded runs of {' '.join(SIMULATED)}: {len(group)}; needed: 2 or more")
    hits = np.stack([run.ranks["test"] < HITS for run in group])
    source = Source.of(hits, training_noise(runs, METRIC).typical.deviation)
    return simulate(source, draws=draws).assign(draws=draws)


def pairs(runs: RunsOf) -> pd.DataFrame:
    """Every recorded seed against every other of its model, and one real difference: `pairs.csv`.

    The training noise of a pair is that of all other models, as if the model had one seed.
    """
    rows: list[tuple[object, ...]] = []
    for metric in TABLE_METRICS:
        pool = training_noise(runs, metric)
        for (dataset, model), group in runs.items():
            noise = pool.noise((dataset, model), without={(dataset, model)})
            for first, second in combinations(group, 2):
                a, b = (per_user(metric, run.ranks["test"]) for run in (first, second))
                test = crossed(a[None], b[None], noise, noise)
                names = (f"{model} {run.seed}" for run in (first, second))
                p_values = (test.p_value, paired_t(a, b).p_value)
                rows.append((metric, dataset, *names, True, test.difference, *p_values))
        dataset, *models = REAL
        if all(runs.get((dataset, model)) for model in models):
            first_runs, second_runs = (runs[dataset, model] for model in models)
            real = compare_runs("", metric, first_runs, second_runs, pool)
            p_values = (real.primary.p_value, real.tests["paired"].p_value)
            rows.append((metric, dataset, *models, False, real.primary.difference, *p_values))
    return pd.DataFrame(rows, columns=PAIRS)


def calibration(config: Config) -> str:
    """What the record says about the tests, as Markdown; empty before it was written.

    Raises:
        InputError: A file of the record that cannot be read.
    """
    folder = config.recorded / FOLDER
    if not (folder / "rejections.csv").exists():
        return ""
    rates = _read(folder / "rejections.csv", [*COLUMNS, "draws"])
    tests = _read(folder / "pairs.csv", [*PAIRS])
    rates["design"] = rates["seeds_a"].astype(str) + " v " + rates["seeds_b"].astype(str)
    with_one = rates[["seeds_a", "seeds_b"]].min(axis=1) == 1
    too_high = rates[rates["primary"] > np.where(with_one, MOST_WITH_ONE, MOST)]
    same, different = (tests[tests["same_model"] == alike] for alike in (True, False))
    return document(
        "calibration.md.j2",
        "elcrec.recorded",
        table=_table(rates),
        most=MOST,
        most_with_one=MOST_WITH_ONE,
        missed=[
            f"{name}: {', '.join(rows['design'].unique())}"
            for name, rows in too_high.groupby(too_high["noise"].map(NAMES), sort=False)
        ],
        level=LEVEL,
        same=[
            f"{model} {_rejected(rows, 'p')} ({_rejected(rows, 'p_users_only')}) of {len(rows)}"
            for model, rows in same.groupby(same["a"].str.split().str[0], sort=False)
        ],
        other=[
            f"{a} against {b} has p < {LEVEL} by the primary test on {_rejected(rows, 'p')} of"
            f" {len(rows)} metrics"
            for (a, b), rows in different.groupby(["a", "b"])
        ],
    )


def _read(path: Path, columns: list[str]) -> pd.DataFrame:
    try:
        return pd.read_csv(path, usecols=columns)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None


def _table(rates: pd.DataFrame) -> Table:
    """Rejection rates by case and pool, a column per design; last those over users alone."""
    freedom = ", pool of " + rates["pool_freedom"].astype(str) + " degrees of freedom"
    case = rates["noise"].map(NAMES) + freedom
    shares = rates.assign(case=case).set_index(["case", "design"])["primary"].unstack(sort=False)
    over_users = rates[rates["noise"] == "alike"].drop_duplicates("design").set_index("design")
    shares.loc[f"{NAMES['alike']}, test over users alone"] = over_users["users_only"]
    header = f"Equal methods called different ({rates['draws'][0]:,} draws)"
    rows = zip(shares.index, shares.to_numpy().tolist(), strict=True)
    body = [[name, *(number(share, 3) for share in row)] for name, row in rows]
    return texts([header, *shares.columns], body)


def _rejected(rows: pd.DataFrame, column: str) -> int:
    """How many pairs a test calls different."""
    return int((rows[column] < LEVEL).sum())
