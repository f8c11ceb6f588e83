"""Comparisons of two models on one metric: the primary test, its two halves, and Holm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan

import numpy as np
from numpy.typing import NDArray

from elcrec.errors import InputError
from elcrec.metrics import per_user
from elcrec.statistics.crossed import Crossed, crossed
from elcrec.statistics.noise import Pool
from elcrec.stats import Comparison, holm, paired_t, welch
from elcrec.tables.runs import RunRecord

Runs = Sequence[RunRecord]
"""The runs of one model on one data set, one per seed."""
RunsOf = Mapping[tuple[str, str], Runs]
"""(data set, model) to its runs."""
COLUMNS = (
    *("family", "dataset", "metric", "model_a", "model_b", "mean_a", "mean_b"),
    *("difference", "relative_difference_percent", "difference_low95", "difference_high95"),
    *("t", "freedom", "p", "p_holm", "users_share_percent", "seeds"),
    *("welch_t", "welch_p", "welch_p_holm", "hedges_g"),
    *("paired_t", "paired_t_p", "paired_t_p_holm", "paired_n", "cohen_dz"),
    *("sidedness", "note"),
)
"""Of `significance.csv`."""


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
    primary: Crossed
    """Users and trainings both vary."""
    welch: Comparison
    """Over seeds, one value per run: other trainings, these users; its effect is Hedges' g."""
    paired: Comparison
    """Over users, each averaged over the seeds: these trained weights, other users; d_z."""
    primary_holm: float = nan
    welch_holm: float = nan
    paired_holm: float = nan

    @property
    def relative_difference(self) -> float:
        """Model a against model b, in percent of b."""
        return self.in_percent(self.mean_a - self.mean_b)

    def in_percent(self, difference: float) -> float:
        """A difference in percent of model b."""
        return 100 * difference / self.mean_b if self.mean_b else nan

    @property
    def users_share(self) -> float:
        """Share of the variance of the difference that is due to users; the rest is training's."""
        whole = self.primary.users_variance + self.primary.training_variance
        return self.primary.users_variance / whole if whole else nan


def compare(family: str, metric: str, a: Runs, b: Runs, pool: Pool) -> ModelComparison:
    """Test model a against model b on the test split.

    Args:
        family: Name of the family it belongs to.
        metric: `HR@k` or `NDCG@k`.
        a: Runs of the first model, one or more, all on one data set.
        b: Runs of the second model on the same data set.
        pool: Training noise of the metric, see `training_noise`.

    Raises:
        InputError: The runs do not have the same users.
    """
    check_users([*a, *b])
    users_a, users_b = user_values(metric, a), user_values(metric, b)
    keys = [(runs[0].dataset, runs[0].model) for runs in (a, b)]
    return ModelComparison(
        family=family,
        dataset=a[0].dataset,
        metric=metric,
        model_a=a[0].model,
        model_b=b[0].model,
        mean_a=float(users_a.mean()),
        mean_b=float(users_b.mean()),
        primary=crossed(users_a, users_b, *(pool.noise(key) for key in keys)),
        welch=welch(*([run.metrics["test"][metric] for run in runs] for runs in (a, b))),
        paired=paired_t(users_a.mean(0), users_b.mean(0)),
    )


def training_noise(
    runs: RunsOf, metric: str, users: Mapping[str, NDArray[np.intp]] | None = None
) -> Pool:
    """Variances between seeds of one metric on the test split, over all models and data sets.

    Args:
        runs: All runs.
        metric: `HR@k` or `NDCG@k`.
        users: Data set to the users that count; all by default.
    """
    values, fixed = {}, set()
    for key, group in runs.items():
        chosen = users[key[0]] if users else slice(None)
        ranks = [run.ranks["test"][chosen] for run in group]
        values[key] = [float(per_user(metric, found).mean()) for found in ranks]
        if len(ranks) > 1 and all(np.array_equal(found, ranks[0]) for found in ranks):
            fixed.add(key)
    return Pool.of(values, fixed)


def check_users(runs: Runs) -> None:
    """Raise `InputError` unless all runs (of one data set) have as many users as the first."""
    for run in runs:
        if run.users != runs[0].users:
            raise InputError(
                f"{run.folder / 'metrics.json'}: users is {run.users}; allowed: {runs[0].users}, "
                f"as in {runs[0].folder}, for the users of a data set are compared one by one"
            )


def with_holm(comparisons: Iterable[ModelComparison]) -> list[ModelComparison]:
    """Return the comparisons with p-values Holm-corrected; all of them are one family per test."""
    family = list(comparisons)
    corrected = zip(
        holm(c.primary.p_value for c in family),
        holm(c.welch.p_value for c in family),
        holm(c.paired.p_value for c in family),
        strict=True,
    )
    return [
        replace(c, primary_holm=both, welch_holm=seeds, paired_holm=users)
        for c, (both, seeds, users) in zip(family, corrected, strict=True)
    ]


def csv_row(comparison: ModelComparison) -> dict[str, object]:
    """Return a line of `significance.csv`, with the keys `COLUMNS`.

    `seeds` is seeds of a + of b, `paired_n` users.
    """
    c = comparison
    reasons = {
        "primary": c.primary.reason,
        "Welch": c.welch.reason,
        "paired": c.paired.reason,
    }
    return {
        "family": c.family,
        "dataset": c.dataset,
        "metric": c.metric,
        "model_a": c.model_a,
        "model_b": c.model_b,
        "mean_a": c.mean_a,
        "mean_b": c.mean_b,
        "difference": c.mean_a - c.mean_b,
        "relative_difference_percent": c.relative_difference,
        "difference_low95": c.primary.low,
        "difference_high95": c.primary.high,
        "t": c.primary.statistic,
        "freedom": c.primary.freedom,
        "p": c.primary.p_value,
        "p_holm": c.primary_holm,
        "users_share_percent": 100 * c.users_share,
        "seeds": c.welch.size,
        "welch_t": c.welch.statistic,
        "welch_p": c.welch.p_value,
        "welch_p_holm": c.welch_holm,
        "hedges_g": c.welch.effect,
        "paired_t": c.paired.statistic,
        "paired_t_p": c.paired.p_value,
        "paired_t_p_holm": c.paired_holm,
        "paired_n": c.paired.size,
        "cohen_dz": c.paired.effect,
        "sidedness": "two-sided",
        "note": "; ".join(f"{test}: {reason}" for test, reason in reasons.items() if reason),
    }


def user_values(metric: str, runs: Runs) -> NDArray[np.float64]:
    """Each run's and user's metric on the test split: (runs, users)."""
    return np.stack([per_user(metric, run.ranks["test"]) for run in runs])
