"""Comparisons of two models on one metric: over seeds, over users, and Holm-corrected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import nan

import numpy as np
from numpy.typing import NDArray

from elcrec.bootstrap import bootstrap_intervals
from elcrec.errors import InputError
from elcrec.metrics import per_user
from elcrec.stats import Comparison, holm, paired_t, welch, wilcoxon
from elcrec.tables.runs import RunRecord

Runs = Sequence[RunRecord]
"""The runs of one model on one data set, one per seed."""
COLUMNS = (
    *("family", "dataset", "metric", "model_a", "model_b", "mean_a", "mean_b"),
    *("difference", "relative_difference_percent"),
    *("difference_low95", "difference_high95", "bootstrap_resamples"),
    *("welch_t", "welch_p", "welch_p_holm", "welch_n", "hedges_g"),
    *("paired_t", "paired_t_p", "paired_t_p_holm", "paired_n", "cohen_dz"),
    *("wilcoxon_signed_ranks", "wilcoxon_p", "wilcoxon_p_holm", "wilcoxon_n", "rank_biserial"),
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
    welch: Comparison
    """Over seeds: one value per run; its effect is Hedges' g."""
    paired: Comparison
    """Over users: each user's metric, averaged over the model's seeds; its effect is d_z."""
    wilcoxon: Comparison
    """Over the same users; its effect is the rank-biserial correlation."""
    welch_holm: float = nan
    paired_holm: float = nan
    wilcoxon_holm: float = nan
    interval: tuple[float, float] = (nan, nan)
    """95 % bootstrap interval over users of the difference of the means; nan when not asked for."""
    resamples: int = 0
    """Behind `interval`."""

    @property
    def relative_difference(self) -> float:
        """Model a against model b, in percent of b."""
        return 100 * (self.mean_a - self.mean_b) / self.mean_b if self.mean_b else nan


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
    users_a, users_b = user_means(metric, a), user_means(metric, b)
    return ModelComparison(
        family=family,
        dataset=a[0].dataset,
        metric=metric,
        model_a=a[0].model,
        model_b=b[0].model,
        mean_a=float(np.mean(values_a)),
        mean_b=float(np.mean(values_b)),
        welch=welch(values_a, values_b),
        paired=paired_t(users_a, users_b),
        wilcoxon=wilcoxon(users_a, users_b),
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
    """Return the comparisons with p-values Holm-corrected; all of them are one family per test."""
    family = list(comparisons)
    over_seeds = holm(c.welch.p_value for c in family)
    over_users = holm(c.paired.p_value for c in family)
    of_ranks = holm(c.wilcoxon.p_value for c in family)
    return [
        replace(c, welch_holm=seeds, paired_holm=users, wilcoxon_holm=ranks)
        for c, seeds, users, ranks in zip(family, over_seeds, over_users, of_ranks, strict=True)
    ]


def with_intervals(
    comparisons: Sequence[ModelComparison],
    runs: Mapping[tuple[str, str], Runs],
    resamples: int,
) -> list[ModelComparison]:
    """Return the same comparisons with bootstrap intervals of their differences.

    All comparisons of a data set see the same resampled users: one pass for all of them.

    Args:
        comparisons: Of any data sets, models and metrics.
        runs: The runs of every (data set, model) that they name.
        resamples: How often the users are drawn; 0 leaves the intervals out.
    """
    if not resamples:
        return list(comparisons)
    result = list(comparisons)
    for dataset in {c.dataset for c in comparisons}:
        places = [i for i, c in enumerate(comparisons) if c.dataset == dataset]
        differences = _differences([comparisons[i] for i in places], runs)
        intervals = bootstrap_intervals(differences, resamples=resamples).tolist()
        for i, (low, high) in zip(places, intervals, strict=True):
            result[i] = replace(comparisons[i], interval=(low, high), resamples=resamples)
    return result


def csv_row(comparison: ModelComparison) -> dict[str, object]:
    """Return a line of `significance.csv`, with the keys `COLUMNS`.

    `welch_n` is seeds of a + of b, `paired_n` users, `wilcoxon_n` users with a difference.
    """
    c = comparison
    low, high = c.interval
    outcomes = {"Welch": c.welch, "paired": c.paired, "Wilcoxon": c.wilcoxon}
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
        "difference_low95": low,
        "difference_high95": high,
        "bootstrap_resamples": c.resamples,
        "welch_t": c.welch.statistic,
        "welch_p": c.welch.p_value,
        "welch_p_holm": c.welch_holm,
        "welch_n": c.welch.size,
        "hedges_g": c.welch.effect,
        "paired_t": c.paired.statistic,
        "paired_t_p": c.paired.p_value,
        "paired_t_p_holm": c.paired_holm,
        "paired_n": c.paired.size,
        "cohen_dz": c.paired.effect,
        "wilcoxon_signed_ranks": c.wilcoxon.statistic,
        "wilcoxon_p": c.wilcoxon.p_value,
        "wilcoxon_p_holm": c.wilcoxon_holm,
        "wilcoxon_n": c.wilcoxon.size,
        "rank_biserial": c.wilcoxon.effect,
        "sidedness": "two-sided",
        "note": "; ".join(f"{t}: {o.reason}" for t, o in outcomes.items() if o.reason),
    }


def user_means(metric: str, runs: Runs) -> NDArray[np.float64]:
    """Each user's metric on the test split, averaged over the runs: (users,)."""
    return np.mean([per_user(metric, run.ranks["test"]) for run in runs], axis=0)


def _differences(
    comparisons: Sequence[ModelComparison], runs: Mapping[tuple[str, str], Runs]
) -> NDArray[np.float64]:
    """Each user's difference a - b, one column per comparison: (users, comparisons)."""

    @cache  # the reference is in every comparison
    def values(dataset: str, model: str, metric: str) -> NDArray[np.float64]:
        return user_means(metric, runs[dataset, model])

    columns = [
        values(c.dataset, c.model_a, c.metric) - values(c.dataset, c.model_b, c.metric)
        for c in comparisons
    ]
    return np.stack(columns, axis=1)
