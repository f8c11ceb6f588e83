"""Tables 2 and 3: training time and peak memory, with the ratio to ICLRec beside the paper's.

The paper's Table 2 holds both; its Table 3 is an A/B test on private data that cannot be repeated.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import nan
from pathlib import Path
from statistics import fmean
from typing import Any

import pandas as pd

from elcrec import paper
from elcrec.config.config import Config
from elcrec.config.names import BASELINE, REFERENCE
from elcrec.files.rows import Row, filled, rows_of
from elcrec.paper import PaperTable
from elcrec.runs.efficiency import EfficiencyRecord
from elcrec.runs.plan import runs_of
from elcrec.runs.reading import Runs
from elcrec.runs.record import RunRecord
from elcrec.tables import layout
from elcrec.tables.document import write_table
from elcrec.tables.layout import GAP, Cell, Column, Named, Names, Table, figures, number
from elcrec.tables.wording import missing, origin

FIRST = (BASELINE, REFERENCE)
AVERAGE = "average"
MEGABYTE = 10**6
CUDA, RESIDENT = "CUDA allocated", "CPU resident"
KEY = ["dataset", "model"]
TIME = [
    *("device", "epochs_measured"),
    *("seconds_per_epoch", "seconds_per_epoch_min", "seconds_per_epoch_max"),
    *("training_seconds", "validation_seconds", "kmeans_seconds", "seconds_before_training"),
    *("epochs", "training_runs", "projected_training_seconds", "paper_seconds"),
    *("epoch_ratio", "projected_ratio", "paper_ratio"),
]
"""Of `table2.csv`, after the key."""
MEMORY = [
    *("device", "measured", "megabytes", "cuda_allocated_megabytes"),
    *("cuda_reserved_megabytes", "resident_megabytes", "paper_megabytes", "ratio", "paper_ratio"),
]
"""Of `table3.csv`, after the key."""

Links = Mapping[tuple[str, str, str], tuple[str, str]]
"""(`measurement`, data set, model) to the anchor of its source, and the source in words."""


def model_order(models: Iterable[str]) -> list[str]:
    """Return each model once: ICLRec and ELCRec first, the others in the order given."""
    return sorted(dict.fromkeys(models), key=lambda model: [*FIRST, model].index(model))


def time_frame(
    efficiency: Iterable[EfficiencyRecord],
    records: Sequence[RunRecord],
    names: Names,
    printed: PaperTable,
) -> pd.DataFrame:
    """Build Table 2: data set by data set, then the averages over all of them.

    Seconds are wall-clock. `seconds_per_epoch` is the median over the measured epochs, everything
    included; training, validation and k-means are its parts. Time spent once before the first
    epoch is not part of it, nor of the projection: `seconds_per_epoch` times `epochs`, the mean of
    the full trainings. Ratios are to ICLRec; nan is a gap.

    Args:
        efficiency: The efficiency records; an absent one becomes a row of gaps.
        records: Full training runs, for the number of epochs.
        names: Data sets and models of the table; the paper's names where it has them.
        printed: The paper's Table 2.
    """
    frame = _rows(efficiency, _time, TIME, names)
    trained = [[r.epochs for r in records if (r.dataset, r.model) == key] for key in frame.index]
    frame["epochs"] = [fmean(epochs) if epochs else nan for epochs in trained]
    frame["training_runs"] = list(map(len, trained))
    frame["projected_training_seconds"] = frame["seconds_per_epoch"] * frame["epochs"]
    frame["paper_seconds"] = _printed(frame, names, printed, "seconds")
    ratios = {
        "epoch_ratio": "seconds_per_epoch",
        "projected_ratio": "projected_training_seconds",
    }
    return _with_ratios(_with_averages(frame), ratios, "paper_seconds")


def memory_frame(
    efficiency: Iterable[EfficiencyRecord], names: Names, printed: PaperTable
) -> pd.DataFrame:
    """Build Table 3, arguments as for `time_frame`.

    Megabytes are 10^6 bytes. `measured` tells which memory `megabytes` and the ratio are of: CUDA
    or resident.
    """
    frame = _rows(efficiency, _memory, MEMORY, names)
    frame["paper_megabytes"] = _printed(frame, names, printed, "megabytes")
    return _with_ratios(_with_averages(frame), {"ratio": "megabytes"}, "paper_megabytes")


def time_table(rows: Sequence[Row], names: Named, links: Links) -> Table:
    """The rows of `table2.csv` that have a number, as a table."""
    columns = [
        _linked("s per epoch", "seconds_per_epoch", 2, links),
        Column("min–max", _spread),
        Column("Training / validation / k-means", _parts),
        figures("Once", "seconds_before_training", 2),
        Column("Epochs (runs)", _epochs),
        figures("Projected s", "projected_training_seconds", 0),
        figures("Ratio, epoch", "epoch_ratio", 3),
        figures("Ratio, projected", "projected_ratio", 3),
        figures("Paper s", "paper_seconds", 0, paper=True),
        figures("Paper's ratio", "paper_ratio", 3, paper=True),
    ]
    with_numbers = filled(rows, "seconds_per_epoch", "epochs", "paper_seconds")
    return _declared("time", columns, with_numbers, names)


def memory_table(rows: Sequence[Row], names: Named, links: Links) -> Table:
    """The rows of `table3.csv` that have a number, as a table."""
    columns = [
        layout.word("Measured", "measured"),
        _linked("MB", "megabytes", 1, links),
        figures("CUDA reserved MB", "cuda_reserved_megabytes", 1),
        figures("Resident MB", "resident_megabytes", 1),
        figures("Ratio", "ratio", 3),
        figures("Paper MB", "paper_megabytes", 0, paper=True),
        figures("Paper's ratio", "paper_ratio", 3, paper=True),
    ]
    return _declared("memory", columns, filled(rows, "megabytes", "paper_megabytes"), names)


def write(config: Config, folder: Path, any_code: bool = False) -> None:
    """Write table2 and table3, each as CSV, Markdown and LaTeX.

    Raises:
        InputError: A configuration, record, run folder or paper file is not valid.
    """
    reader = Runs(config, "take" if any_code else "refuse")
    records, gaps = reader.measurements(config.use, config.efficiency.models)
    models = model_order([*config.efficiency.models, *(r.model for r in records)])
    runs, missing_runs = reader.read(runs_of(config, config.use, models))
    names = Names.of(config, models)
    printed = paper.load_efficiency()
    times = time_frame(records, runs, names, printed)
    memory = memory_frame(records, names, printed)
    notes = {
        "origin": origin(records, "measurements")[:1],  # commits; the table names the devices
        "unmeasured": [(names.model_name(m), names.dataset_name(d)) for d, m in gaps],
    }
    write_table(
        folder,
        "table2",
        times,
        [time_table(rows_of(times), names, {})],
        **notes,
        measured=sorted({record.epochs_measured for record in records}),
        changed=_measured_with_other_code(records, runs, names),
        missing=missing(missing_runs, names, "Missing training run"),
    )
    write_table(folder, "table3", memory, [memory_table(rows_of(memory), names, {})], **notes)


def _time(record: EfficiencyRecord) -> dict[str, Any]:
    return {
        "device": record.device,
        "epochs_measured": record.epochs_measured,
        "seconds_per_epoch": record.total.median,
        "seconds_per_epoch_min": record.total.least,
        "seconds_per_epoch_max": record.total.most,
        "seconds_before_training": record.before_training,
        **{f"{phase}_seconds": spread.median for phase, spread in record.phases.items()},
    }


def _memory(record: EfficiencyRecord) -> dict[str, Any]:
    peaks = {
        f"{kind}_megabytes": None if count is None else count / MEGABYTE
        for kind, count in dict(record.peak_memory).items()
    }
    cuda = record.device_kind == "cuda"
    used = peaks["cuda_allocated_megabytes" if cuda else "resident_megabytes"]
    measured = {"measured": CUDA if cuda else RESIDENT, "megabytes": used}
    return {"device": record.device, **measured, **peaks}


def _rows(
    efficiency: Iterable[EfficiencyRecord],
    read: Callable[[EfficiencyRecord], dict[str, Any]],
    columns: list[str],
    names: Names,
) -> pd.DataFrame:
    """A row for each data set and model, its index; gaps where nothing was measured."""
    values = {(record.dataset, record.model): read(record) for record in efficiency}
    keys = pd.MultiIndex.from_product([names.datasets, model_order(names.models)], names=KEY)
    # As objects, so that numbers of epochs stay whole beside gaps.
    frame = pd.DataFrame([values.get(key, {}) for key in keys], keys, columns, dtype=object)
    texts = frame.columns.intersection(["device", "measured"])
    return frame.fillna(dict.fromkeys(texts, "")).fillna(nan)


def _printed(frame: pd.DataFrame, names: Names, printed: PaperTable, column: str) -> list[float]:
    return [printed.get((names.datasets[d], names.models[m], column), nan) for d, m in frame.index]


def _with_averages(frame: pd.DataFrame) -> pd.DataFrame:
    """With several data sets, a row of averages for each model below them."""
    if frame.index.get_level_values("dataset").nunique() < 2:
        return frame
    averages = frame.groupby("model", sort=False).agg(_average)
    return pd.concat([frame, pd.concat({AVERAGE: averages}, names=KEY)])


def _average(values: pd.Series) -> Any:
    """The mean over data sets, nan where one has a gap; the sum of runs; the common text."""
    if values.name == "training_runs":
        return values.sum()
    if isinstance(values.iloc[0], str):
        return values.iloc[0] if values.nunique() == 1 else ""
    return fmean(values)


def _with_ratios(frame: pd.DataFrame, ratios: Mapping[str, str], printed: str) -> pd.DataFrame:
    """Ratios to the baseline on the same data set; ours only on the same device."""
    base = frame[frame.index.get_level_values("model") == BASELINE].droplevel("model")
    base = base.reindex(frame.index.get_level_values("dataset")).set_axis(frame.index)
    same_device = (frame["device"] != "") & (frame["device"] == base["device"])
    for ratio, column in {**ratios, "paper_ratio": printed}.items():
        divisor = base[column].astype(float)
        quotient = frame[column].astype(float) / divisor.where(divisor != 0)
        frame[ratio] = quotient if column == printed else quotient.where(same_device)
    return frame.reset_index()


def _declared(id: str, columns: Sequence[Column], rows: Sequence[Row], names: Named) -> Table:
    def dataset(key: str) -> str:
        return "Average" if key == AVERAGE else names.dataset_name(key)

    first = layout.named("Dataset", "dataset", dataset)
    second = layout.named("Model", "model", names.model_name)
    devices = dict.fromkeys(filter(None, (row.text("device") for row in rows)))
    average = any(row.text("dataset") == AVERAGE for row in rows)
    columns = [first, second, *columns]
    return layout.declared(id, columns, rows, devices=devices, average=average)


def _linked(title: str, key: str, digits: int, links: Links) -> Column:
    """Numbers that link to the measurement that they come from."""

    def cell(row: Row) -> Cell:
        link_key = ("measurement", row.text("dataset"), row.text("model"))
        return layout.figure(row.number(key), digits, *links.get(link_key, ("", "")))

    return Column(title, cell)


def _spread(row: Row) -> str:
    ends = [number(row.number(f"seconds_per_epoch_{end}"), 2) for end in ("min", "max")]
    return GAP if GAP in ends else "–".join(ends)


def _parts(row: Row) -> str:
    phases = ("training", "validation", "kmeans")
    parts = [number(row.number(f"{phase}_seconds"), 2) for phase in phases]
    return " / ".join(parts) if set(parts) != {GAP} else GAP


def _epochs(row: Row) -> str:
    epochs, runs = number(row.number("epochs"), 1), number(row.number("training_runs"), 0)
    return epochs if epochs == GAP else f"{epochs} ({runs})"


def _measured_with_other_code(
    efficiency: Sequence[EfficiencyRecord], records: Sequence[RunRecord], names: Names
) -> list[str]:
    """Name the models that were measured with different code than they were trained with."""
    measured = {(r.model, r.fingerprint) for r in efficiency}
    models = {model for model, _ in measured}
    trained = {(r.model, r.fingerprint) for r in records if r.model in models}
    return [names.model_name(model) for model in sorted({m for m, _ in trained - measured})]
