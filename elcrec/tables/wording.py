"""How tables word what they share: comparisons of two models, training noise, gaps, origin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import nan

from elcrec.runs.reading import Gap
from elcrec.runs.record import RunRecord
from elcrec.statistics.comparison import ModelComparison
from elcrec.statistics.crossed import Crossed
from elcrec.statistics.noise import Pool
from elcrec.tables.layout import GAP, p_value, percent

PRIMARY = (
    "p: the primary test. Users and trainings are treated as crossed random effects, so the "
    "variance of a difference has a part from each; a model's training noise is moderated by that "
    "of all other models (empirical Bayes), so that one seed gives a wide interval instead of "
    "none, too narrow only for a model that is much noisier than the others. 95 %: the "
    "interval of the same test, in percent of the second model. Sources: Baayen et al. 2008; "
    "Smyth 2004; Bouthillier et al., MLSys 2021."
)


def tests_of(c: ModelComparison) -> list[str]:
    """Difference in percent, its interval, and the p-values of the three tests, as text."""
    return [
        percent(c.relative_difference),
        interval_of(c.primary, c.mean_b),
        with_holm(c.primary.p_value, c.primary_holm),
        c.welch.size,
        with_holm(c.welch.p_value, c.welch_holm),
        with_holm(c.paired.p_value, c.paired_holm),
    ]


def interval_of(found: Crossed, base: float) -> str:
    """Interval of a difference, in percent of `base`."""
    ends = [percent(100 * end / base if base else nan) for end in (found.low, found.high)]
    return GAP if GAP in ends else f"[{', '.join(ends)}]"


def with_holm(plain: float, corrected: float) -> str:
    """A p-value, in brackets the corrected one."""
    text = p_value(plain)
    return text if text == GAP else f"{text} ({p_value(corrected)})"


def noise_text(pools: Mapping[str, Pool], models: Mapping[str, str]) -> str:
    """How much one run differs from another, metric by metric, and how well that is known."""
    known = {metric: pool for metric, pool in pools.items() if pool.freedom}
    if not known:
        return "Training noise: unknown, for no model has two seeds that differ."
    shares = ", ".join(
        f"{metric} {100 * pool.typical.deviation:.1f} % ({pool.typical.freedom:.1f})"
        for metric, pool in known.items()
    )
    noisier: dict[tuple[str, str], list[str]] = {}
    for metric, pool in known.items():
        for key in pool.noisier:
            share = f"{metric} {100 * pool.variances[key] ** 0.5:.1f} %"
            noisier.setdefault(key, []).append(share)
    text = (
        "Training noise, the relative standard deviation of a single run of a model without seeds "
        "of its own, from all models and data sets with two seeds or more (degrees of freedom in "
        f"brackets): {shares}."
    )
    for (dataset, model), found in noisier.items():
        text += (
            f" {models.get(model, model)} on {dataset} is noisier than the others and does not "
            f"count for these ({', '.join(found)})."
        )
    return text


def missing(
    gaps: Iterable[Gap],
    datasets: Mapping[str, str],
    models: Mapping[str, str],
    what: str = "Missing",
) -> list[str]:
    """Return one line per data set, model and reason that says which seeds are absent."""
    seeds: dict[tuple[str, str, str], list[str]] = {}
    for gap in gaps:
        names = datasets.get(gap.dataset, gap.dataset), models.get(gap.model, gap.model)
        why = f" ({gap.reason})" if gap.failed else ""
        seeds.setdefault((*names, why), []).append(str(gap.seed))
    return [
        f"{what}: {model} on {dataset}, seed{'s' * (len(absent) > 1)} {', '.join(absent)}{why}."
        for (dataset, model, why), absent in seeds.items()
    ]


def origin(records: Sequence[RunRecord]) -> list[str]:
    """Return lines that say with what the runs were made: commits and devices."""
    versions = {f"{(r.commit or 'unknown')[:12]}{' with changes' * r.dirty}" for r in records}
    return [
        f"Commit of the runs: {', '.join(sorted(versions)) or GAP}.",
        f"Device of the runs: {', '.join(sorted({r.device for r in records})) or GAP}.",
    ]
