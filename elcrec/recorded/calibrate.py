"""The tests of the tables on recorded runs: do they call a model different from itself?"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from elcrec.config import Config
from elcrec.errors import InputError
from elcrec.metrics import TABLE_METRICS, per_user
from elcrec.recorded.unpack import unpack
from elcrec.statistics.calibration import DRAWS, Source, simulate
from elcrec.statistics.crossed import crossed
from elcrec.stats import paired_t
from elcrec.tables.runs import RunRecord, load_runs
from elcrec.tables.significance import RunsOf, compare, training_noise

METRIC = "HR@5"
HITS = 5  # k of it
SIMULATED = ("beauty", "sasrec")
"""Whose hits the simulation imitates: the first baseline with three seeds."""
REAL = ("beauty", "sasrec_ce", "sasrec")
"""Two models that do differ: the same network with another loss."""


def runs_of(config: Config) -> RunsOf:
    """The recorded runs of a configuration's data sets, models and seeds, read and checked."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = replace(config, runs="recorded", output=Path(folder))
        unpack(chosen)
        records, _ = load_runs(folder, config.use, config.models, config.seeds)
    found: dict[tuple[str, str], list[RunRecord]] = {}
    for record in records:
        found.setdefault((record.dataset, record.model), []).append(record)
    return found


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
    lines: list[Mapping[str, object]] = []
    for metric in TABLE_METRICS:
        pool = training_noise(runs, metric)
        for (dataset, model), own in runs.items():
            noise = pool.noise((dataset, model), without={(dataset, model)})
            for first, second in combinations(own, 2):
                a, b = (per_user(metric, run.ranks["test"]) for run in (first, second))
                found = crossed(a[None], b[None], noise, noise)
                lines.append(
                    {
                        "metric": metric,
                        "dataset": dataset,
                        "a": f"{model} {first.seed}",
                        "b": f"{model} {second.seed}",
                        "same_model": True,
                        "difference": found.difference,
                        "p": found.p_value,
                        "p_users_only": paired_t(a, b).p_value,
                    }
                )
        dataset, *models = REAL
        if all(runs.get((dataset, model)) for model in models):
            one, other = (runs[dataset, model] for model in models)
            real = compare("", metric, one, other, pool)
            lines.append(
                {
                    "metric": metric,
                    "dataset": dataset,
                    "a": models[0],
                    "b": models[1],
                    "same_model": False,
                    "difference": real.primary.difference,
                    "p": real.primary.p_value,
                    "p_users_only": real.paired.p_value,
                }
            )
    return lines


def summary(lines: Iterable[Mapping[str, object]]) -> str:
    """One sentence on the pairs of seeds."""
    same = [line for line in lines if line["same_model"]]
    counts = [sum(float(str(line[key])) < 0.05 for line in same) for key in ("p", "p_users_only")]
    return (
        f"Of {len(same)} comparisons of two seeds of one model, p < .05: {counts[0]} by the primary"
        f" test, {counts[1]} by the test over users alone."
    )
