"""Tables 2 and 3 as the page shows them."""

from __future__ import annotations

import math

from elcrec.report.evidence import Evidence, Row
from elcrec.report.provenance import Links
from elcrec.report.view import Cell, Table, figure_cell, gap
from elcrec.tables.layout import GAP
from elcrec.tables.tables2_3 import AVERAGE


def time_table(evidence: Evidence, links: Links) -> Table | None:
    """Seconds per epoch and projected over a training; None before it is there."""
    rows = _asked(evidence, evidence.table("table2"), "seconds_per_epoch")
    if not rows:
        return None
    header = ["Data set", "Model", "s per epoch", "Epochs", "Projected s", "Ratio to ICLRec"]
    printed = _printed(rows, "paper_seconds")
    header += ["Paper's s", "Paper's ratio"] if printed else []
    body = []
    for row in rows:
        link = _link(row, links)
        low, high = row.number("seconds_per_epoch_min"), row.number("seconds_per_epoch_max")
        spread = "" if math.isnan(low) else f"{low:,.2f} to {high:,.2f}"
        epoch = figure_cell(row.number("seconds_per_epoch"), 2, *link)
        cells = [
            *_names(evidence, row),
            Cell(epoch.text, epoch.sort, spread, epoch.kind, epoch.href, epoch.title),
            figure_cell(row.number("epochs"), 0),
            figure_cell(row.number("projected_training_seconds"), 0),
            _ratio(row.number("projected_ratio")),
        ]
        if printed:
            cells.append(figure_cell(row.number("paper_seconds"), 0))
            cells.append(_ratio(row.number("paper_ratio")))
        body.append(cells)
    notes = [
        "Seconds per epoch: median of the measured epochs with validation and k-means, below it the"
        " least and the most. Projected: seconds per epoch times the mean number of epochs of the"
        " full trainings. A ratio below 1 is faster than ICLRec on the same device.",
        f"Devices: {_devices(rows)}.",
    ]
    return Table("table2-time", "Training time", header, body, text_columns=2, notes=notes)


def memory_table(evidence: Evidence, links: Links) -> Table | None:
    """Peak memory of the same runs; None before it is there."""
    rows = _asked(evidence, evidence.table("table3"), "megabytes")
    if not rows:
        return None
    header = ["Data set", "Model", "Measured", "MB", "Ratio to ICLRec"]
    printed = _printed(rows, "paper_megabytes")
    header += ["Paper's MB", "Paper's ratio"] if printed else []
    body = []
    for row in rows:
        cells = [
            *_names(evidence, row),
            Cell(row.text("measured") or GAP),
            figure_cell(row.number("megabytes"), 0, *_link(row, links)),
            _ratio(row.number("ratio")),
        ]
        if printed:
            cells.append(figure_cell(row.number("paper_megabytes"), 0))
            cells.append(_ratio(row.number("paper_ratio")))
        body.append(cells)
    notes = [
        "MB are 10^6 bytes, peaks of one process. CUDA allocated is memory of tensors on the GPU;"
        " CPU resident is main memory, interpreter and libraries included, and cannot be compared"
        " with the paper's GPU memory.",
        "The paper prints memory in its Table 2; its own Table 3 is an A/B test on private data,"
        " which cannot be repeated.",
        f"Devices: {_devices(rows)}.",
    ]
    return Table("table3-memory", "Peak memory", header, body, text_columns=3, notes=notes)


def _asked(evidence: Evidence, rows: list[Row], key: str) -> list[Row]:
    """Rows of the models that are to be measured, and of any other that was."""
    asked = evidence.config.efficiency.models
    return [r for r in rows if r.text("model") in asked or not math.isnan(r.number(key))]


def _names(evidence: Evidence, row: Row) -> list[Cell]:
    dataset = row.text("dataset")
    name = "Average" if dataset == AVERAGE else evidence.dataset_name(dataset)
    return [Cell(name), Cell(evidence.model_name(row.text("model")))]


def _ratio(value: float) -> Cell:
    if math.isnan(value):
        return gap()
    sign = "=" if value == 1 else "▼" if value < 1 else "▲"
    return Cell(f"{value:.2f} {sign}", sort=value)


def _link(row: Row, links: Links) -> tuple[str, str]:
    return links.get(("measurement", row.text("dataset"), row.text("model")), ("", ""))


def _printed(rows: list[Row], key: str) -> bool:
    """Whether the paper has any of these; otherwise its columns are left out."""
    return any(not math.isnan(row.number(key)) for row in rows)


def _devices(rows: list[Row]) -> str:
    found = dict.fromkeys(r.text("device") for r in rows if r.text("device"))
    return "; ".join(found) or "none yet"
