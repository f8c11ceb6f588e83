"""Tables 2 and 3: training time and peak memory, with the ratio to ICLRec beside the paper's.

The paper's Table 2 holds both; its Table 3 is an A/B test on private data that cannot be repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from math import nan
from statistics import fmean
from typing import Any

import pandas as pd

from elcrec.paper import PaperTable
from elcrec.runs.efficiency import PHASES, EfficiencyRecord
from elcrec.runs.record import RunRecord
from elcrec.tables.layout import Names

FIRST = ("iclrec", "elcrec")
BASELINE = FIRST[0]
AVERAGE = "average"
MEGABYTE = 10**6
CUDA, RESIDENT = "CUDA allocated", "CPU resident"
TIME = (
    *("dataset", "model", "device", "epochs_measured"),
    *("seconds_per_epoch", "seconds_per_epoch_min", "seconds_per_epoch_max"),
    *("training_seconds", "validation_seconds", "kmeans_seconds", "seconds_before_training"),
    *("epochs", "training_runs", "projected_training_seconds", "paper_seconds"),
    *("epoch_ratio", "projected_ratio", "paper_ratio"),
)
"""Of `table2.csv`."""
MEMORY = (
    *("dataset", "model", "device", "measured", "megabytes", "cuda_allocated_megabytes"),
    *("cuda_reserved_megabytes", "resident_megabytes", "paper_megabytes", "ratio", "paper_ratio"),
)
"""Of `table3.csv`."""


def model_order(models: Iterable[str]) -> list[str]:
    """Return each model once: ICLRec and ELCRec first, the others in the order given."""
    names = list(dict.fromkeys(models))
    return [m for m in FIRST if m in names] + [m for m in names if m not in FIRST]


def time_frame(
    efficiency: Iterable[EfficiencyRecord],
    records: Sequence[RunRecord],
    names: Names,
    paper: PaperTable,
) -> pd.DataFrame:
    """Build Table 2: data set by data set, then the averages over all of them.

    Seconds are wall-clock. `seconds_per_epoch` is the median over the measured epochs, everything
    included; training, validation and k-means are its parts. What is spent once before the first
    epoch is no part of it, nor of the projection: `seconds_per_epoch` times `epochs`, the mean of
    the full trainings. Ratios are to ICLRec; nan is a gap.

    Args:
        efficiency: The efficiency records; what is absent becomes a row of gaps.
        records: Full training runs, for the number of epochs.
        names: What the table has; names are the paper's where it has the data set or the model.
        paper: The paper's Table 2.
    """
    found = {(r.dataset, r.model): r for r in efficiency}
    rows = []
    for key in product(names.datasets, model_order(names.models)):
        epochs = [r.epochs for r in records if (r.dataset, r.model) == key]
        row = _row(TIME, key) | _time(found.get(key))
        row["training_runs"] = len(epochs)
        row["epochs"] = fmean(epochs) if epochs else nan
        row["projected_training_seconds"] = row["seconds_per_epoch"] * row["epochs"]
        row["paper_seconds"] = _printed(paper, names, key, "seconds")
        rows.append(row)
    ratios = {
        "epoch_ratio": "seconds_per_epoch",
        "projected_ratio": "projected_training_seconds",
    }
    return _frame(rows, TIME, ratios, "paper_seconds")


def memory_frame(
    efficiency: Iterable[EfficiencyRecord], names: Names, paper: PaperTable
) -> pd.DataFrame:
    """Build Table 3, arguments as for `time_frame`.

    Megabytes are 10^6 bytes. `measured` says what `megabytes` and the ratio are: CUDA or resident
    memory.
    """
    found = {(r.dataset, r.model): r for r in efficiency}
    rows = []
    for key in product(names.datasets, model_order(names.models)):
        row = _row(MEMORY, key) | _memory(found.get(key))
        row["paper_megabytes"] = _printed(paper, names, key, "megabytes")
        rows.append(row)
    return _frame(rows, MEMORY, {"ratio": "megabytes"}, "paper_megabytes")


def _row(columns: Sequence[str], key: tuple[str, str]) -> dict[str, Any]:
    """A row of gaps."""
    return dict.fromkeys(columns, nan) | {"dataset": key[0], "model": key[1], "device": ""}


def _printed(paper: PaperTable, names: Names, key: tuple[str, str], column: str) -> float:
    return paper.get((names.datasets[key[0]], names.models[key[1]], column), nan)


def _time(record: EfficiencyRecord | None) -> dict[str, Any]:
    if record is None:
        return {}
    phases = {f"{p}_seconds": record.phases[p].median for p in PHASES if p in record.phases}
    return phases | {
        "device": record.device,
        "epochs_measured": record.epochs_measured,
        "seconds_per_epoch": record.total.median,
        "seconds_per_epoch_min": record.total.least,
        "seconds_per_epoch_max": record.total.most,
        "seconds_before_training": nan
        if record.before_training is None
        else record.before_training,
    }


def _memory(record: EfficiencyRecord | None) -> dict[str, Any]:
    if record is None:
        return {"measured": ""}
    cuda = record.device_kind == "cuda"
    memory = record.peak_memory
    allocated = _megabytes(memory.cuda_allocated)
    resident = _megabytes(memory.resident)
    return {
        "device": record.device,
        "measured": CUDA if cuda else RESIDENT,
        "megabytes": allocated if cuda else resident,
        "cuda_allocated_megabytes": allocated,
        "cuda_reserved_megabytes": _megabytes(memory.cuda_reserved),
        "resident_megabytes": resident,
    }


def _megabytes(count: int | None) -> float:
    return nan if count is None else count / MEGABYTE


def _frame(
    rows: list[dict[str, Any]], columns: tuple[str, ...], ratios: Mapping[str, str], printed: str
) -> pd.DataFrame:
    """The rows and their averages with ratios to the baseline, ours only on the same device."""
    rows = rows + _averages(rows)
    baselines = {row["dataset"]: row for row in rows if row["model"] == BASELINE}
    for row in rows:
        base = baselines.get(row["dataset"])
        if base is None:
            continue
        row["paper_ratio"] = _ratio(row[printed], base[printed])
        if row["device"] and row["device"] == base["device"]:
            row |= {name: _ratio(row[source], base[source]) for name, source in ratios.items()}
    return pd.DataFrame(rows, columns=columns, dtype=object)  # numbers of epochs stay whole


def _averages(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per model, for several data sets: means, nan where a data set has a gap."""
    models = dict.fromkeys(row["model"] for row in rows)
    groups = [[row for row in rows if row["model"] == model] for model in models]
    return [
        {key: _average(key, [row[key] for row in group]) for key in group[0]} | {"dataset": AVERAGE}
        for group in groups
        if len(group) > 1
    ]


def _average(key: str, values: list[Any]) -> Any:
    if isinstance(values[0], str):
        return values[0] if len(set(values)) == 1 else ""
    return sum(values) if key == "training_runs" else fmean(values)


def _ratio(value: float, base: float) -> float:
    return value / base if base else nan
