"""Comparisons of two models on one metric: over seeds, over users, and Holm-corrected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import nan

import numpy as np
from numpy.typing import NDArray

from elcrec.statistics.crossed import Crossed, crossed
from elcrec.statistics.noise import Pool
from elcrec.statistics.tests import Comparison, holm, paired_t, welch

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
        return 100 * (self.mean_a - self.mean_b) / self.mean_b if self.mean_b else nan

    @property
    def users_share(self) -> float:
        """Share of the variance of the difference that is due to users; the rest is training's."""
        whole = self.primary.users_variance + self.primary.training_variance
        return self.primary.users_variance / whole if whole else nan


@dataclass(frozen=True)
class Sample:
    """One metric of one model on one data set, on the test split."""

    dataset: str
    model: str
    seeds: Sequence[float]
    """The metric of each seed."""
    users: NDArray[np.float64]
    """(seeds, users) the metric of each seed and user."""


def compare(family: str, metric: str, a: Sample, b: Sample, pool: Pool) -> ModelComparison:
    """Test model a against model b on the test split.

    Args:
        family: Name of the family it belongs to.
        metric: `HR@k` or `NDCG@k`.
        a: The first model, with one seed or more.
        b: The second model on the same data set, with the same users in the same order.
        pool: Training noise of the metric.
    """
    keys = [(sample.dataset, sample.model) for sample in (a, b)]
    return ModelComparison(
        family=family,
        dataset=a.dataset,
        metric=metric,
        model_a=a.model,
        model_b=b.model,
        mean_a=float(a.users.mean()),
        mean_b=float(b.users.mean()),
        primary=crossed(a.users, b.users, *(pool.noise(key) for key in keys)),
        welch=welch(a.seeds, b.seeds),
        paired=paired_t(a.users.mean(0), b.users.mean(0)),
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
