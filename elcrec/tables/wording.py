"""What tables share: columns of comparisons, and the numbers in notes on runs, noise and gaps."""

from collections.abc import Iterable, Mapping, Sequence
from math import isnan, nan
from typing import Any

from elcrec.files.rows import Row
from elcrec.runs.reading import Gap
from elcrec.runs.record import RunRecord
from elcrec.statistics.noise import Pool
from elcrec.tables.layout import GAP, Cell, Column, Named, Names, gap, p_value, percent

LEAD = (
    *("mean_b", "relative_difference_percent", "difference_low95", "difference_high95"),
    *("p", "p_holm", "paired_t_p", "paired_t_p_holm"),
)
"""Columns of `significance.csv` that `lead` and `tested` read of the primary and paired test."""
AT_THE_LIMIT = "†"
"""Marks a row whose best epoch is the last allowed one, or within 1 % of it."""
STOPPED_EARLY = "‡"
"""Marks a row with a run that ended before half the epochs of its model's longest run."""


def lead(title: str) -> list[Column]:
    """A difference in percent of the second model, and the interval of its primary test."""
    return [Column(title, _difference), Column("95 %", _interval)]


def tested(title: str, key: str) -> Column:
    """The p-values of a test; in brackets the Holm-corrected ones."""

    def cell(row: Row) -> Cell:
        p, corrected = row.number(key), row.number(f"{key}_holm")
        if isnan(p):
            return gap("no p-value: fewer than two seeds")
        return Cell(f"{p_value(p)} ({p_value(corrected)})", sort=p)

    return Column(title, cell)


def _difference(row: Row) -> Cell:
    value = row.number("relative_difference_percent")
    return gap() if isnan(value) else Cell(percent(value), sort=value)


def _interval(row: Row) -> Cell:
    base = row.number("mean_b")
    ends = [row.number(f"difference_{end}95") for end in ("low", "high")]
    percents = [percent(100 * end / base if base else nan) for end in ends]
    if GAP in percents:
        return gap("training noise unknown" if base else "no percentage of 0")
    return Cell(f"[{', '.join(percents)}]")


def stopping(runs: Sequence[RunRecord]) -> str:
    """What is remarkable about the epochs of a model's runs on one data set.

    Returns:
        For example `† seed 1 (300 of 300); ‡ seed 2 (53 of 93)`: tested epoch and all epochs;
        empty for ordinary runs.
    """
    longest = max((run.epochs for run in runs), default=0)
    trained = [run for run in runs if run.epochs > 1]
    kinds = {
        AT_THE_LIMIT: [r for r in trained if r.epochs - r.best_epoch <= r.epochs // 100],
        STOPPED_EARLY: [r for r in runs if 2 * r.epochs < longest],
    }
    return "; ".join(
        f"{mark} {', '.join(f'seed {r.seed} ({r.best_epoch} of {r.epochs})' for r in remarkable)}"
        for mark, remarkable in kinds.items()
        if remarkable
    )


def marks(text: str) -> str:
    """Only the marks in the text of `stopping`."""
    return "".join(mark for mark in (AT_THE_LIMIT, STOPPED_EARLY) if mark in text)


def noisier(pools: Mapping[str, Pool], names: Names) -> dict[str, list[str]]:
    """Models of a table that are noisier than the others: on which data set, by how much."""
    result: dict[str, list[str]] = {}
    for metric, pool in pools.items():
        for dataset, model in pool.noisier:
            if dataset not in names.datasets or model not in names.models:
                continue
            label = f"{names.models[model]} on {names.datasets[dataset]}"
            share = f"{metric} {100 * pool.variances[dataset, model] ** 0.5:.1f} %"
            result.setdefault(label, []).append(share)
    return result


def missing(gaps: Iterable[Gap], names: Named, what: str = "Missing") -> list[str]:
    """Return one line per data set, model and reason that says which seeds are absent."""
    seeds: dict[tuple[str, str, str], list[str]] = {}
    for g in gaps:
        reason = f" ({g.reason})" if g.failed else ""
        seeds.setdefault((g.dataset, g.model, reason), []).append(str(g.seed))
    return [
        f"{what}: {names.model_name(model)} on {names.dataset_name(dataset)},"
        f" seed{'s' * (len(seed_texts) > 1)} {', '.join(seed_texts)}{reason}."
        for (dataset, model, reason), seed_texts in seeds.items()
    ]


def origin(records: Sequence[Any], what: str) -> list[str]:
    """Return lines with the commits and devices that runs or measurements were made with."""
    trained = [r for r in records if r.device]  # predictions have none
    versions = {f"{(r.commit or 'unknown')[:12]}{' with changes' * r.dirty}" for r in trained}
    return [
        f"Commit of the {what}: {', '.join(sorted(versions)) or GAP}.",
        f"Device of the {what}: {', '.join(sorted({r.device for r in trained})) or GAP}.",
    ]
