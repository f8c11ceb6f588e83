"""Runs of two models compared: their values by seed and by user."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from elcrec.errors import InputError
from elcrec.evaluation.metrics import per_user
from elcrec.runs.record import RunRecord
from elcrec.statistics.comparison import ModelComparison, Sample, compare
from elcrec.statistics.noise import Pool

SeedRuns = Sequence[RunRecord]
"""The runs of one model on one data set, one per seed."""
RunsOf = Mapping[tuple[str, str], SeedRuns]
"""(data set, model) to its runs."""


def training_noise(
    runs: RunsOf, metric: str, users: Mapping[str, NDArray[np.intp]] | None = None
) -> Pool:
    """Variances between seeds of one metric on the test split, over all models and data sets.

    Args:
        runs: All runs.
        metric: As for `per_user`, e.g. `NDCG@5`.
        users: Data set to the users that count; all by default.
    """
    values, fixed = {}, set()
    for key, group in runs.items():
        selected = users[key[0]] if users else slice(None)
        ranks = [run.ranks["test"][selected] for run in group]
        values[key] = [float(per_user(metric, r).mean()) for r in ranks]
        if len(ranks) > 1 and all(np.array_equal(r, ranks[0]) for r in ranks):
            fixed.add(key)
    return Pool.of(values, fixed)


def compare_runs(family: str, metric: str, a: SeedRuns, b: SeedRuns, pool: Pool) -> ModelComparison:
    """Test model a against model b on the test split.

    Args:
        family: Name of the family that the comparison belongs to.
        metric: As for `per_user`, e.g. `NDCG@5`.
        a: Runs of the first model, one or more, all on one data set.
        b: Runs of the second model on the same data set.
        pool: Training noise of the metric, see `training_noise`.

    Raises:
        InputError: The runs do not have the same users.
    """
    check_users([*a, *b])
    first, second = (
        Sample(
            dataset=runs[0].dataset,
            model=runs[0].model,
            seeds=[run.score(metric) for run in runs],
            users=user_values(metric, runs),
        )
        for runs in (a, b)
    )
    return compare(family, metric, first, second, pool)


def check_users(runs: SeedRuns) -> None:
    """Raise `InputError` unless all runs (of one data set) have as many users as the first."""
    for run in runs:
        if run.users != runs[0].users:
            raise InputError(
                f"{run.folder / 'metrics.json'}: users is {run.users}; allowed: {runs[0].users}, "
                f"as in {runs[0].folder}, because runs are compared user by user"
            )


def user_values(metric: str, runs: SeedRuns) -> NDArray[np.float64]:
    """Each run's and user's metric on the test split: (runs, users)."""
    return np.stack([per_user(metric, run.ranks["test"]) for run in runs])
