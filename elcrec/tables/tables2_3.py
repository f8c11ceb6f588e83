"""Tables 2 and 3: training time and peak memory, with the ratio to ICLRec beside the paper's.

The paper's Table 2 holds both; its Table 3 is an A/B test on private data that cannot be repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from statistics import fmean
from typing import TypeVar

from elcrec.paper import PaperTable
from elcrec.runs.efficiency import PHASES, EfficiencyRecord
from elcrec.runs.record import RunRecord

FIRST = ("iclrec", "elcrec")
BASELINE = FIRST[0]
AVERAGE = "average"
MEGABYTE = 10**6
CUDA, RESIDENT = "CUDA allocated", "CPU resident"


@dataclass(frozen=True)
class TimeRow:
    """A line of `table2.csv`; seconds are wall-clock, nan is a gap, ratios are to ICLRec."""

    dataset: str
    model: str
    device: str
    """Empty when there is no record, or the averaged ones are of several devices."""
    epochs_measured: float = nan
    seconds_per_epoch: float = nan
    """Median over the measured epochs, everything included."""
    seconds_per_epoch_min: float = nan
    seconds_per_epoch_max: float = nan
    training_seconds: float = nan
    """Median per epoch, as for validation and k-means."""
    validation_seconds: float = nan
    kmeans_seconds: float = nan
    seconds_before_training: float = nan
    """Spent once before the first epoch; not part of an epoch, nor of the projection."""
    epochs: float = nan
    """Mean number of epochs of the full training runs."""
    training_runs: int = 0
    projected_training_seconds: float = nan
    """`seconds_per_epoch` times `epochs`."""
    paper_seconds: float = nan
    epoch_ratio: float = nan
    projected_ratio: float = nan
    paper_ratio: float = nan


@dataclass(frozen=True)
class MemoryRow:
    """A line of `table3.csv`; megabytes are 10^6 bytes, nan is a gap, ratios are to ICLRec."""

    dataset: str
    model: str
    device: str
    measured: str = ""
    """What `megabytes` and the ratio are: `CUDA allocated` or `CPU resident`."""
    megabytes: float = nan
    cuda_allocated_megabytes: float = nan
    cuda_reserved_megabytes: float = nan
    resident_megabytes: float = nan
    paper_megabytes: float = nan
    ratio: float = nan
    paper_ratio: float = nan


R = TypeVar("R", TimeRow, MemoryRow)
SHARED = ("device", "measured")  # of averaged rows: kept when all of them agree
TIME_RATIOS = {
    "epoch_ratio": "seconds_per_epoch",
    "projected_ratio": "projected_training_seconds",
}
MEMORY_RATIOS = {"ratio": "megabytes"}


def model_order(models: Iterable[str]) -> list[str]:
    """Return each model once: ICLRec and ELCRec first, the others in the order given."""
    names = list(dict.fromkeys(models))
    return [m for m in FIRST if m in names] + [m for m in names if m not in FIRST]


def time_table(
    efficiency: Iterable[EfficiencyRecord],
    records: Sequence[RunRecord],
    *,
    datasets: Mapping[str, str],
    models: Mapping[str, str],
    paper: PaperTable,
) -> list[TimeRow]:
    """Build Table 2: data set by data set, then the averages over all of them.

    Args:
        efficiency: The efficiency records; what is absent becomes a row of gaps.
        records: Full training runs, for the number of epochs.
        datasets: Data set id to display name, which is the paper's where it has the data set.
        models: Model id to display name, in any order.
        paper: The paper's Table 2.
    """
    found = {(r.dataset, r.model): r for r in efficiency}
    rows = []
    for dataset in datasets:
        for model in model_order(models):
            epochs = [r.epochs for r in records if (r.dataset, r.model) == (dataset, model)]
            row = _time_row(dataset, model, found.get((dataset, model)), epochs)
            printed = paper.get((datasets[dataset], models[model], "seconds"), nan)
            rows.append(replace(row, paper_seconds=printed))
    return _with_ratios(rows + _averages(rows), TIME_RATIOS, "paper_seconds")


def memory_table(
    efficiency: Iterable[EfficiencyRecord],
    *,
    datasets: Mapping[str, str],
    models: Mapping[str, str],
    paper: PaperTable,
) -> list[MemoryRow]:
    """Build Table 3; arguments as for `time_table`."""
    found = {(r.dataset, r.model): r for r in efficiency}
    rows = []
    for dataset in datasets:
        for model in model_order(models):
            row = _memory_row(dataset, model, found.get((dataset, model)))
            printed = paper.get((datasets[dataset], models[model], "megabytes"), nan)
            rows.append(replace(row, paper_megabytes=printed))
    return _with_ratios(rows + _averages(rows), MEMORY_RATIOS, "paper_megabytes")


def _time_row(
    dataset: str, model: str, record: EfficiencyRecord | None, epochs: Sequence[int]
) -> TimeRow:
    mean = fmean(epochs) if epochs else nan
    if record is None:
        return TimeRow(dataset, model, "", epochs=mean, training_runs=len(epochs))
    phases = {f"{p}_seconds": record.phases[p].median for p in PHASES if p in record.phases}
    return TimeRow(
        dataset=dataset,
        model=model,
        device=record.device,
        epochs_measured=record.epochs_measured,
        seconds_per_epoch=record.total.median,
        seconds_per_epoch_min=record.total.least,
        seconds_per_epoch_max=record.total.most,
        seconds_before_training=nan if record.before_training is None else record.before_training,
        epochs=mean,
        training_runs=len(epochs),
        projected_training_seconds=record.total.median * mean,
        **phases,
    )


def _memory_row(dataset: str, model: str, record: EfficiencyRecord | None) -> MemoryRow:
    if record is None:
        return MemoryRow(dataset, model, "")
    cuda = record.device_kind == "cuda"
    memory = record.peak_memory
    allocated = _megabytes(memory.cuda_allocated)
    resident = _megabytes(memory.resident)
    return MemoryRow(
        dataset=dataset,
        model=model,
        device=record.device,
        measured=CUDA if cuda else RESIDENT,
        megabytes=allocated if cuda else resident,
        cuda_allocated_megabytes=allocated,
        cuda_reserved_megabytes=_megabytes(memory.cuda_reserved),
        resident_megabytes=resident,
    )


def _megabytes(count: int | None) -> float:
    return nan if count is None else count / MEGABYTE


def _averages(rows: Sequence[R]) -> list[R]:
    """One row per model, for several data sets: means, nan where a data set has a gap."""
    models = list(dict.fromkeys(row.model for row in rows))
    groups = [[row for row in rows if row.model == model] for model in models]
    return [_average(group) for group in groups if len(group) > 1]


def _average(rows: Sequence[R]) -> R:
    changes: dict[str, object] = {"dataset": AVERAGE}
    for name, value in vars(rows[0]).items():
        values = [getattr(row, name) for row in rows]
        if name in SHARED:
            changes[name] = value if len(set(values)) == 1 else ""
        elif name == "training_runs":
            changes[name] = sum(values)
        elif isinstance(value, int | float):
            changes[name] = fmean(values)
    return replace(rows[0], **changes)  # type: ignore[arg-type]


def _with_ratios(rows: Sequence[R], ratios: Mapping[str, str], printed: str) -> list[R]:
    """Fill in ratios to the baseline of the same data set; ours only on the same device."""
    baselines = {row.dataset: row for row in rows if row.model == BASELINE}
    result = []
    for row in rows:
        base = baselines.get(row.dataset)
        changes = {}
        if base is not None:
            changes["paper_ratio"] = _ratio(getattr(row, printed), getattr(base, printed))
            if row.device and row.device == base.device:
                for name, source in ratios.items():
                    changes[name] = _ratio(getattr(row, source), getattr(base, source))
        result.append(replace(row, **changes))  # type: ignore[arg-type]
    return result


def _ratio(value: float, base: float) -> float:
    return value / base if base else nan
