"""Comparisons of two models on one metric: over seeds, over users, and Holm-corrected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import nan

import numpy as np

from elcrec.errors import InputError
from elcrec.metrics import per_user
from elcrec.stats import Comparison, holm, paired_t, welch
from elcrec.tables.runs import RunRecord

Runs = Sequence[RunRecord]
"""The runs of one model on one data set, one per seed."""


@dataclass(frozen=True)
class ModelComparison:
    """One metric of model a against model b on one data set; differences are a - b."""

    family: str
    """Comparisons that the Holm correction counts together."""
    dataset: str
    metric: str
    model_a: str
    model_b: str
    mean_a: float
    """Mean over the seeds of model a."""
    mean_b: float
    welch: Comparison
    """Over seeds: one value per run."""
    paired: Comparison
    """Over users: each user's metric, averaged over the model's seeds."""
    welch_holm: float = nan
    paired_holm: float = nan


def compare(family: str, metric: str, a: Runs, b: Runs) -> ModelComparison:
    """Test model a against model b on the test split.

    Args:
        family: Name of the family it belongs to.
        metric: `HR@k` or `NDCG@k`.
        a: Runs of the first model, one or more, all on one data set.
        b: Runs of the second model on the same data set.

    Raises:
        InputError: The runs do not have the same users.
    """
    values_a = [run.metrics["test"][metric] for run in a]
    values_b = [run.metrics["test"][metric] for run in b]
    check_users([*a, *b])
    return ModelComparison(
        family=family,
        dataset=a[0].dataset,
        metric=metric,
        model_a=a[0].model,
        model_b=b[0].model,
        mean_a=float(np.mean(values_a)),
        mean_b=float(np.mean(values_b)),
        welch=welch(values_a, values_b),
        paired=paired_t(_user_means(metric, a), _user_means(metric, b)),
    )


def check_users(runs: Runs) -> None:
    """Raise `InputError` unless all runs (of one data set) have as many users as the first."""
    for run in runs:
        if run.users != runs[0].users:
            raise InputError(
                f"{run.folder / 'metrics.json'}: users is {run.users}; allowed: {runs[0].users}, "
                f"as in {runs[0].folder}, for the users of a data set are compared one by one"
            )


def with_holm(comparisons: Iterable[ModelComparison]) -> list[ModelComparison]:
    """Return the same comparisons with both p-values Holm-corrected: all of them are one family."""
    family = list(comparisons)
    over_seeds = holm(c.welch.p_value for c in family)
    over_users = holm(c.paired.p_value for c in family)
    return [
        replace(c, welch_holm=seeds, paired_holm=users)
        for c, seeds, users in zip(family, over_seeds, over_users, strict=True)
    ]


def csv_row(comparison: ModelComparison) -> dict[str, object]:
    """Return a line of `significance.csv`: `welch_n` is seeds of a + of b, `paired_n` users."""
    c = comparison
    relative = 100 * (c.mean_a - c.mean_b) / c.mean_b if c.mean_b else nan
    return {
        "family": c.family,
        "dataset": c.dataset,
        "metric": c.metric,
        "model_a": c.model_a,
        "model_b": c.model_b,
        "mean_a": c.mean_a,
        "mean_b": c.mean_b,
        "difference": c.mean_a - c.mean_b,
        "relative_difference_percent": relative,
        "welch_t": c.welch.statistic,
        "welch_p": c.welch.p_value,
        "welch_p_holm": c.welch_holm,
        "welch_n": c.welch.size,
        "paired_t": c.paired.statistic,
        "paired_t_p": c.paired.p_value,
        "paired_t_p_holm": c.paired_holm,
        "paired_n": c.paired.size,
        "sidedness": "two-sided",
        "note": "; ".join(
            f"{test}: {outcome.reason}"
            for test, outcome in (("Welch", c.welch), ("paired", c.paired))
            if outcome.reason
        ),
    }


def _user_means(metric: str, runs: Runs) -> np.ndarray:
    return np.mean([per_user(metric, run.ranks["test"]) for run in runs], axis=0)  # (users,)
