"""Comparisons of two models on one metric: primary and further tests, Holm-corrected."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elcrec.statistics.crossed import Crossed, crossed
from elcrec.statistics.noise import Pool
from elcrec.statistics.tests import Comparison, holm, paired_t, welch


@dataclass(frozen=True)
class Sample:
    """One metric of one model on one data set, on the test split."""

    dataset: str
    model: str
    seeds: Sequence[float]
    """The metric of each seed."""
    users: NDArray[np.float64]
    """(seeds, users) the metric of each seed and user."""


@dataclass(frozen=True)
class Test:
    """A test beside the primary one; it accounts for one source of chance."""

    title: str
    """In tables."""
    values: Callable[[Sample], Any]
    """What it compares: (n,) numbers of a sample."""
    compare: Callable[[Any, Any], Comparison]
    columns: Mapping[str, str]
    """Column of `significance.csv`, in their order, to the field of `Comparison` in it."""
    note: str
    """What it is and what it leaves out, for the notes below its p-values."""

    @property
    def p_column(self) -> str:
        """The column of p; with `_holm` that of the corrected one."""
        return next(name for name, field in self.columns.items() if field == "p_value")


TESTS = {
    "Welch": Test(
        "Welch p (Holm)",
        lambda sample: sample.seeds,  # other trainings, these users
        welch,
        {
            "welch_t": "statistic",
            "welch_p": "p_value",
            "welch_p_holm": "p_holm",
            "hedges_g": "effect",
        },
        "Welch's t-test over seeds, one value per run (effect size: Hedges' g): trainings vary,"
        " the users are fixed. The paper does not name its test; this is the most likely one.",
    ),
    "paired": Test(
        "Paired p (Holm), these weights",
        lambda sample: sample.users.mean(0),  # these trained weights, other users
        paired_t,
        {
            "paired_t": "statistic",
            "paired_t_p": "p_value",
            "paired_t_p_holm": "p_holm",
            "paired_n": "size",  # users
            "cohen_dz": "effect",
        },
        "paired t-test over users (effect size: Cohen's d_z): users vary, these trained weights are"
        " fixed. It calls two seeds of one model different far more often than 1 time in 20, so it"
        " says nothing about a method.",
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

    @property
    def relative_difference(self) -> float:
        """Model a against model b, in percent of b."""
        return 100 * (self.mean_a - self.mean_b) / self.mean_b if self.mean_b else nan

    @property
    def users_share(self) -> float:
        """Share of the variance of the difference that is due to users; the rest is training's."""
        total = self.primary.users_variance + self.primary.training_variance
        return self.primary.users_variance / total if total else nan


def compare(family: str, metric: str, a: Sample, b: Sample, pool: Pool) -> ModelComparison:
    """Test model a against model b on the test split.

    Args:
        family: Name of the family it belongs to.
        metric: Its name.
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
    corrected = {name: holm(c.tests[name].p_value for c in family) for name in TESTS}
    return [
        replace(
            c,
            primary_holm=primary[i],
            tests={name: replace(t, p_holm=corrected[name][i]) for name, t in c.tests.items()},
        )
        for i, c in enumerate(family)
    ]


_KEYS = ("family", "dataset", "metric", "model_a", "model_b", "mean_a", "mean_b")


def csv_row(comparison: ModelComparison) -> dict[str, object]:
    """Return a line of `significance.csv`, with the keys `COLUMNS`."""
    c = comparison
    reasons = {"primary": c.primary.reason} | {name: c.tests[name].reason for name in TESTS}
    return {
        **{key: getattr(c, key) for key in _KEYS},
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
        **{
            column: getattr(c.tests[name], field)
            for name, test in TESTS.items()
            for column, field in test.columns.items()
        },
        "sidedness": "two-sided",
        "note": "; ".join(f"{name}: {reason}" for name, reason in reasons.items() if reason),
    }


_EMPTY = ModelComparison(
    *("", "", "", "", "", nan, nan, Crossed(nan)), dict.fromkeys(TESTS, Comparison(())), ""
)
COLUMNS = tuple(csv_row(_EMPTY))
"""Of `significance.csv`."""
