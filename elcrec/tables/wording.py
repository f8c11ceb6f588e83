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
        plain, corrected = row.number(key), row.number(f"{key}_holm")
        if isnan(plain):
            return gap("no p-value: fewer than two seeds")
        return Cell(f"{p_value(plain)} ({p_value(corrected)})", sort=plain)

    return Column(title, cell)


def _difference(row: Row) -> Cell:
    value = row.number("relative_difference_percent")
    return gap() if isnan(value) else Cell(percent(value), sort=value)


def _interval(row: Row) -> Cell:
    base = row.number("mean_b")
    ends = [row.number(f"difference_{end}95") for end in ("low", "high")]
    shown = [percent(100 * end / base if base else nan) for end in ends]
    if GAP in shown:
        return gap("training noise unknown" if base else "no percentage of 0")
    return Cell(f"[{', '.join(shown)}]")


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
        f"{mark} {', '.join(f'seed {r.seed} ({r.best_epoch} of {r.epochs})' for r in found)}"
        for mark, found in kinds.items()
        if found
    )


def marks(text: str) -> str:
    """Only the marks in the text of `stopping`."""
    return "".join(mark for mark in (AT_THE_LIMIT, STOPPED_EARLY) if mark in text)


def noisier(pools: Mapping[str, Pool], names: Names) -> dict[str, list[str]]:
    """Models of a table that are noisier than the others: on which data set, by how much."""
    found: dict[str, list[str]] = {}
    for metric, pool in pools.items():
        for dataset, model in pool.noisier:
            if dataset not in names.datasets or model not in names.models:
                continue
            where = f"{names.models[model]} on {names.datasets[dataset]}"
            share = f"{metric} {100 * pool.variances[dataset, model] ** 0.5:.1f} %"
            found.setdefault(where, []).append(share)
    return found


def missing(gaps: Iterable[Gap], names: Named, what: str = "Missing") -> list[str]:
    """Return one line per data set, model and reason that says which seeds are absent."""
    seeds: dict[tuple[str, str, str], list[str]] = {}
    for one in gaps:
        why = f" ({one.reason})" if one.failed else ""
        seeds.setdefault((one.dataset, one.model, why), []).append(str(one.seed))
    return [
        f"{what}: {names.model_name(model)} on {names.dataset_name(dataset)},"
        f" seed{'s' * (len(absent) > 1)} {', '.join(absent)}{why}."
        for (dataset, model, why), absent in seeds.items()
    ]


def origin(records: Sequence[Any], what: str) -> list[str]:
    """Return lines with the commits and devices that runs or measurements were made with."""
    made = [r for r in records if r.device]  # predictions have none
    versions = {f"{(r.commit or 'unknown')[:12]}{' with changes' * r.dirty}" for r in made}
    return [
        f"Commit of the {what}: {', '.join(sorted(versions)) or GAP}.",
        f"Device of the {what}: {', '.join(sorted({r.device for r in made})) or GAP}.",
    ]
