"""Tables 2 and 3 for people: Markdown and LaTeX, with the notes that a reader needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from elcrec import paper
from elcrec.config.config import Config
from elcrec.runs.efficiency import EfficiencyRecord
from elcrec.runs.plan import runs_of
from elcrec.runs.reading import Runs
from elcrec.runs.record import RunRecord
from elcrec.tables.document import write_table
from elcrec.tables.layout import (
    GAP,
    Column,
    Named,
    Names,
    Table,
    declared,
    figure,
    figures,
    lines,
    number,
    word,
)
from elcrec.tables.tables2_3 import AVERAGE, memory_frame, model_order, time_frame
from elcrec.tables.wording import missing, origin

Links = Mapping[tuple[str, str, str], tuple[str, str]]
"""(`measurement`, data set, model) to where on the page it comes from, and that in words."""


def time_table(rows: Sequence[Any], names: Named, links: Links) -> Table:
    """The rows of `table2.csv` as a table."""
    columns = [
        *_of_what(names),
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
    caption = (
        "Training time: wall-clock seconds per epoch (median of the measured epochs), and projected"
        " to the epochs of the full runs; ratios to ICLRec, beside the paper's."
    )
    return declared("time", caption, columns, rows)


def memory_table(rows: Sequence[Any], names: Named, links: Links) -> Table:
    """The rows of `table3.csv` as a table."""
    columns = [
        *_of_what(names),
        word("Measured", "measured"),
        _linked("MB", "megabytes", 1, links),
        figures("CUDA reserved MB", "cuda_reserved_megabytes", 1),
        figures("Resident MB", "resident_megabytes", 1),
        figures("Ratio", "ratio", 3),
        figures("Paper MB", "paper_megabytes", 0, paper=True),
        figures("Paper's ratio", "paper_ratio", 3, paper=True),
    ]
    caption = (
        "Peak memory of one training process in megabytes (1,000,000 bytes); ratios to ICLRec,"
        " beside the paper's."
    )
    return declared("memory", caption, columns, rows)


def write(config: Config, folder: Path, any_code: bool = False) -> None:
    """Write table2 and table3, each as CSV, Markdown and LaTeX.

    Raises:
        InputError: A configuration, record, run folder or paper file that is not right.
    """
    reader = Runs(config, "take" if any_code else "refuse")
    records, gaps = reader.measurements(config.use, config.efficiency.models)
    models = model_order([*config.efficiency.models, *(r.model for r in records)])
    runs, absent = reader.read(runs_of(config, config.use, models))
    names = Names.of(config, models)
    printed = paper.load_efficiency()
    times = time_frame(records, runs, names, printed)
    memory = memory_frame(records, names, printed)
    notes = {
        "average": AVERAGE in set(times["dataset"]),
        "origin": origin(records, "measurements"),
        "unmeasured": [(names.model_name(m), names.dataset_name(d)) for d, m in gaps],
    }
    write_table(
        folder,
        "table2",
        times,
        [time_table(lines(times), names, {})],
        **notes,
        measured=sorted({record.epochs_measured for record in records}),
        changed=other_code(records, runs, names),
        missing=missing(absent, names, "Missing training run"),
    )
    write_table(folder, "table3", memory, [memory_table(lines(memory), names, {})], **notes)


def other_code(
    efficiency: Sequence[EfficiencyRecord], records: Sequence[RunRecord], names: Names
) -> list[str]:
    """Name the models that were measured with other code than they were trained with."""
    measured = {(r.model, r.fingerprint) for r in efficiency}
    models = {model for model, _ in measured}
    trained = {(r.model, r.fingerprint) for r in records if r.model in models}
    return [names.model_name(model) for model in sorted({m for m, _ in trained - measured})]


def _of_what(names: Named) -> list[Column]:
    def dataset(row: Any) -> str:
        key: str = row.text("dataset")
        return "Average" if key == AVERAGE else names.dataset_name(key)

    return [
        Column("Dataset", dataset, left=True),
        Column("Model", lambda row: names.model_name(row.text("model")), left=True),
    ]


def _linked(title: str, key: str, digits: int, links: Links) -> Column:
    """Numbers that lead to the measurement that they come from."""

    def cell(row: Any) -> Any:
        place = ("measurement", row.text("dataset"), row.text("model"))
        return figure(row.number(key), digits, *links.get(place, ("", "")))

    return Column(title, cell)


def _spread(row: Any) -> str:
    ends = [number(row.number(f"seconds_per_epoch_{end}"), 2) for end in ("min", "max")]
    return GAP if GAP in ends else "–".join(ends)


def _parts(row: Any) -> str:
    phases = ("training", "validation", "kmeans")
    return " / ".join(number(row.number(f"{phase}_seconds"), 2) for phase in phases)


def _epochs(row: Any) -> str:
    runs = number(row.number("training_runs"), 0)
    return number(row.number("epochs"), 1) + ("" if runs in ("0", GAP) else f" ({runs})")
