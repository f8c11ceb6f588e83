"""Comparisons of two models on one metric: the primary test, those beside it, Holm-corrected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elcrec.statistics.crossed import Crossed, crossed
from elcrec.statistics.noise import Pool
from elcrec.statistics.tests import Comparison, holm, paired_t, welch


@dataclass(frozen=True)
class Test:
    """A test beside the primary one, which sees one source of chance."""

    title: str
    """In tables."""
    values: Callable[[Sample], Any]
    """What it compares: (n,) numbers of a sample."""
    compare: Callable[[Any, Any], Comparison]
    p_column: str
    """Of `significance.csv`; with `_holm` the corrected one."""
    columns: Mapping[str, str]
    """Column of `significance.csv` before and after these two to the field that it shows."""

    def as_csv(self, found: Comparison, corrected: float) -> dict[str, object]:
        """Its columns, in their order: the statistic, p, p corrected, then the others."""
        first, *others = self.columns
        line: dict[str, object] = {first: getattr(found, self.columns[first])}
        line |= {self.p_column: found.p_value, f"{self.p_column}_holm": corrected}
        return line | {name: getattr(found, self.columns[name]) for name in others}


TESTS = {
    "Welch": Test(
        "Welch p (Holm)",
        lambda sample: sample.seeds,  # other trainings, these users
        welch,
        "welch_p",
        {"welch_t": "statistic", "hedges_g": "effect"},
    ),
    "paired": Test(
        "Paired p (Holm), these weights",
        lambda sample: sample.users.mean(0),  # these trained weights, other users
        paired_t,
        "paired_t_p",
        {"paired_t": "statistic", "paired_n": "size", "cohen_dz": "effect"},
    ),
}
"""By the name that a note begins with, in the order of the columns."""


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
    tests: Mapping[str, Comparison]
    """Outcome of each of `TESTS`."""
    seeds: str
    """Of a + of b."""
    primary_holm: float = nan
    holm: Mapping[str, float] = field(default_factory=dict)
    """Corrected p of each of `TESTS`."""

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
        tests={n: t.compare(t.values(a), t.values(b)) for n, t in TESTS.items()},
        seeds=f"{len(a.seeds)}+{len(b.seeds)}",
    )


def with_holm(comparisons: Iterable[ModelComparison]) -> list[ModelComparison]:
    """Return the comparisons with p-values Holm-corrected; all of them are one family per test."""
    family = list(comparisons)
    primary = holm(c.primary.p_value for c in family)
    others = {name: holm(c.tests[name].p_value for c in family) for name in TESTS}
    return [
        replace(c, primary_holm=primary[i], holm={name: p[i] for name, p in others.items()})
        for i, c in enumerate(family)
    ]


def csv_row(comparison: ModelComparison) -> dict[str, object]:
    """Return a line of `significance.csv`, with the keys `COLUMNS`."""
    c = comparison
    line: dict[str, object] = {
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
        "seeds": c.seeds,
    }
    for name, test in TESTS.items():
        line |= test.as_csv(c.tests[name], c.holm.get(name, nan))
    reasons = {"primary": c.primary.reason} | {name: c.tests[name].reason for name in TESTS}
    notes = [f"{name}: {reason}" for name, reason in reasons.items() if reason]
    return line | {"sidedness": "two-sided", "note": "; ".join(notes)}


_NOTHING = Comparison("", ())
COLUMNS = (
    *("family", "dataset", "metric", "model_a", "model_b", "mean_a", "mean_b"),
    *("difference", "relative_difference_percent", "difference_low95", "difference_high95"),
    *("t", "freedom", "p", "p_holm", "users_share_percent", "seeds"),
    *(name for test in TESTS.values() for name in test.as_csv(_NOTHING, nan)),
    *("sidedness", "note"),
)
"""Of `significance.csv`; `paired_n` is users."""
