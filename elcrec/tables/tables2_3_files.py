"""Tables 2 and 3 as Markdown and LaTeX, with the notes that a reader needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from elcrec import paper
from elcrec.config.config import Config
from elcrec.errors import InputError
from elcrec.files.atomic import write_text
from elcrec.files.csvfile import csv_text
from elcrec.runs.efficiency import EfficiencyRecord
from elcrec.runs.plan import runs_of
from elcrec.runs.reading import Gap, Runs
from elcrec.runs.record import RunRecord
from elcrec.tables import tables2_3
from elcrec.tables.latex import latex_file, latex_table
from elcrec.tables.layout import GAP, TextTable, bullets, number
from elcrec.tables.layout import markdown as markdown_of
from elcrec.tables.tables2_3 import AVERAGE, MemoryRow, TimeRow
from elcrec.tables.wording import missing


def time_markdown(
    rows: Sequence[TimeRow],
    *,
    datasets: Mapping[str, str],
    models: Mapping[str, str],
    notes: Iterable[str] = (),
) -> str:
    """Return `table2.md`; `notes` say what is missing and where the runs come from."""
    table = markdown_of(_time_table(rows, datasets, models))
    return f"# Table 2: training time\n\n{table}\n## Notes\n\n{bullets(_time_notes(rows, notes))}"


def time_latex(
    rows: Sequence[TimeRow],
    *,
    datasets: Mapping[str, str],
    models: Mapping[str, str],
    notes: Iterable[str] = (),
) -> str:
    """Return `table2.tex`, the notes as comments."""
    table = latex_table(
        _time_table(rows, datasets, models),
        caption="Training time: wall-clock seconds per epoch (median of the measured epochs), and "
        "projected to the epochs of the full runs; ratios to ICLRec, beside the paper's.",
        label="tab:time",
    )
    return latex_file([table], _time_notes(rows, notes))


def memory_markdown(
    rows: Sequence[MemoryRow],
    *,
    datasets: Mapping[str, str],
    models: Mapping[str, str],
    notes: Iterable[str] = (),
) -> str:
    """Return `table3.md`; `notes` say what is missing and where the runs come from."""
    table = markdown_of(_memory_table(rows, datasets, models))
    return f"# Table 3: peak memory\n\n{table}\n## Notes\n\n{bullets(_memory_notes(rows, notes))}"


def memory_latex(
    rows: Sequence[MemoryRow],
    *,
    datasets: Mapping[str, str],
    models: Mapping[str, str],
    notes: Iterable[str] = (),
) -> str:
    """Return `table3.tex`, the notes as comments."""
    table = latex_table(
        _memory_table(rows, datasets, models),
        caption="Peak memory of one training process in megabytes (1,000,000 bytes); ratios to "
        "ICLRec, beside the paper's.",
        label="tab:memory",
    )
    return latex_file([table], _memory_notes(rows, notes))


def notes(
    efficiency: Iterable[EfficiencyRecord],
    gaps: Iterable[tuple[str, str]],
    *,
    datasets: Mapping[str, str],
    models: Mapping[str, str],
) -> list[str]:
    """Return the notes on devices, commits and missing measurements, for both tables."""
    found = list(efficiency)
    versions = {f"{(r.commit or 'unknown')[:12]}{' with changes' * r.dirty}" for r in found}
    return [
        f"Device of the measurements: {', '.join(sorted({r.device for r in found})) or GAP}.",
        f"Commit of the measurements: {', '.join(sorted(versions)) or GAP}.",
        *(f"Missing measurement: {models.get(m, m)} on {datasets.get(d, d)}." for d, m in gaps),
    ]


def training_notes(
    efficiency: Iterable[EfficiencyRecord],
    records: Iterable[RunRecord],
    gaps: Iterable[Gap],
    *,
    datasets: Mapping[str, str],
    models: Mapping[str, str],
) -> list[str]:
    """Return the notes on the training runs that give the number of epochs, for Table 2."""
    measured = {(r.model, r.fingerprint) for r in efficiency}
    names = {model for model, _ in measured}
    trained = {(r.model, r.fingerprint) for r in records if r.model in names}
    return [
        *(
            f"Attention: {models.get(m, m)} was measured with other code than it was trained with."
            for m in sorted({model for model, _ in trained - measured})
        ),
        *missing(gaps, datasets, models, "Missing training run"),
    ]


def _time_table(
    rows: Sequence[TimeRow], datasets: Mapping[str, str], models: Mapping[str, str]
) -> TextTable:
    header = ["Dataset", "Model", "s per epoch", "min–max", "Training / validation / k-means"]
    header += ["Once", "Epochs (runs)", "Projected s", "Ratio, epoch", "Ratio, projected"]
    header += ["Paper s", "Paper's ratio"]
    lines = [_names(row, datasets, models) + _time_cells(row) for row in rows]
    return TextTable(header, lines, text=2)


def _memory_table(
    rows: Sequence[MemoryRow], datasets: Mapping[str, str], models: Mapping[str, str]
) -> TextTable:
    header = ["Dataset", "Model", "Measured", "MB", "CUDA reserved MB", "Resident MB", "Ratio"]
    header += ["Paper MB", "Paper's ratio"]
    lines = [_names(row, datasets, models) + _memory_cells(row) for row in rows]
    return TextTable(header, lines, text=3)


def _time_notes(rows: Sequence[TimeRow], notes: Iterable[str]) -> list[str]:
    explained = [
        "s per epoch: wall-clock seconds, median of the measured epochs, validation and k-means "
        f"included; measured epochs per run: {_counts(rows)}.",
        "Training / validation / k-means: medians of the parts, in seconds per epoch.",
        "Once: seconds before the first epoch, such as ELCRec's k-means for the start of its "
        "centers; not part of an epoch and not in the projection.",
        "Epochs: mean over the full training runs, with early stopping; in brackets how many runs.",
        "Projected s: s per epoch x epochs, a projection of the whole training and not a "
        "measurement.",
    ]
    return [*explained, *_common(rows), *notes]


def _memory_notes(rows: Sequence[MemoryRow], notes: Iterable[str]) -> list[str]:
    explained = [
        "MB = 10^6 bytes; all figures are peaks of one process.",
        "CUDA allocated: tensors on the GPU. CUDA reserved: what PyTorch took from the driver. "
        "Resident: main memory of the process, interpreter and libraries included.",
        "MB and Ratio are of what the column Measured says: CUDA allocated on a GPU, resident "
        "memory on a CPU. Those two cannot be compared with each other, nor the latter with the "
        "paper's GPU memory.",
        "The paper prints memory in its Table 2. Its own Table 3 is an A/B test on private data, "
        "which cannot be replicated.",
    ]
    return [*explained, *_common(rows), *notes]


def _names(
    row: TimeRow | MemoryRow, datasets: Mapping[str, str], models: Mapping[str, str]
) -> list[str]:
    average = row.dataset == AVERAGE
    return ["Average" if average else datasets[row.dataset], models[row.model]]


def _time_cells(row: TimeRow) -> list[str]:
    spread = [number(s, 2) for s in (row.seconds_per_epoch_min, row.seconds_per_epoch_max)]
    parts = [row.training_seconds, row.validation_seconds, row.kmeans_seconds]
    runs = f" ({row.training_runs})" if row.training_runs else ""
    return [
        number(row.seconds_per_epoch, 2),
        GAP if GAP in spread else "–".join(spread),
        " / ".join(number(part, 2) for part in parts),
        number(row.seconds_before_training, 2),
        number(row.epochs, 1) + runs,
        number(row.projected_training_seconds, 0),
        number(row.epoch_ratio, 3),
        number(row.projected_ratio, 3),
        number(row.paper_seconds, 0),
        number(row.paper_ratio, 3),
    ]


def _memory_cells(row: MemoryRow) -> list[str]:
    return [
        row.measured or GAP,
        number(row.megabytes, 1),
        number(row.cuda_reserved_megabytes, 1),
        number(row.resident_megabytes, 1),
        number(row.ratio, 3),
        number(row.paper_megabytes, 0),
        number(row.paper_ratio, 3),
    ]


def _counts(rows: Sequence[TimeRow]) -> str:
    measured = {number(row.epochs_measured, 0) for row in rows if row.dataset != AVERAGE}
    return ", ".join(sorted(measured - {GAP}, key=int)) or GAP


def _common(rows: Sequence[TimeRow] | Sequence[MemoryRow]) -> list[str]:
    lines = [
        "Ratio: the model's figure over ICLRec's, below 1 is better; only between measurements on "
        "the same device. Paper's ratio: the same of the printed figures."
    ]
    if any(row.dataset == AVERAGE for row in rows):
        lines.append(
            "Average: mean over the data sets above, for the paper's figures too; a model that "
            "lacks one has none. The average's ratio is the ratio of the averages."
        )
    return lines


def write(config: Config, folder: Path, any_code: bool = False) -> None:
    """Write table2 and table3, each as CSV, Markdown and LaTeX.

    Raises:
        InputError: A configuration, record, run folder or paper file that is not right.
    """
    reader = Runs(config, "take" if any_code else "refuse")
    records, gaps = reader.measurements(config.use, config.efficiency.models)
    models = tables2_3.model_order([*config.efficiency.models, *(r.model for r in records)])
    runs, absent = reader.read(runs_of(config, config.use, models))
    names = {
        "datasets": {i: config.dataset_name(i) for i in config.use},
        "models": {i: _model_name(config, i) for i in models},
    }
    printed = paper.load_efficiency()
    times = tables2_3.time_table(records, runs, paper=printed, **names)
    memory = tables2_3.memory_table(records, paper=printed, **names)
    lines = notes(records, gaps, **names)
    trained = training_notes(records, runs, absent, **names)
    lines_of_times = [*lines, *trained]
    write_text(folder / "table2.csv", csv_text([dataclasses.asdict(row) for row in times]))
    text = time_markdown(times, notes=lines_of_times, **names)
    write_text(folder / "table2.md", text)
    text = time_latex(times, notes=lines_of_times, **names)
    write_text(folder / "table2.tex", text)
    write_text(folder / "table3.csv", csv_text([dataclasses.asdict(row) for row in memory]))
    write_text(folder / "table3.md", memory_markdown(memory, notes=lines, **names))
    write_text(folder / "table3.tex", memory_latex(memory, notes=lines, **names))


def _model_name(config: Config, model: str) -> str:
    """Display name; a record of a model that the configuration does not know keeps its id."""
    try:
        return config.model_name(model)
    except InputError:
        return model
