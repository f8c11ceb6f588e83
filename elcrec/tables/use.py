"""Should I use it? Accuracy beside what a model costs: training, size, and answers per second.

From the runs of Table 1 and `serve.json`, which `elcrec bench --serve` measures.
"""

import shlex
from collections.abc import Sequence
from math import nan
from pathlib import Path
from statistics import fmean

import pandas as pd

from elcrec.config.config import Config
from elcrec.files.checked import Amount, Count, Line, Record
from elcrec.files.jsonfile import read_json
from elcrec.files.paths import shared_words
from elcrec.files.rows import Row, rows_of
from elcrec.runs.places import source
from elcrec.runs.plan import SIMPLE
from elcrec.tables import table1
from elcrec.tables.document import write_table
from elcrec.tables.layout import (
    Column,
    Named,
    Table,
    declared,
    figure,
    figures,
    named,
    with_interval,
)

MEASURED = "serve.json"
"""In the output folder, or in the folder of a recorded machine."""
METRIC = "NDCG@20"
COLUMNS = (
    *("dataset", "model", "metric", "mean", "low95", "high95", "seeds", "training_hours"),
    *("parameters", "megabytes", "latency_ms", "latency95_ms", "users_per_second"),
)
"""Of `use.csv`."""


class _Served(Record):
    dataset: Line
    model: Line
    latency: Amount
    latency95: Amount
    per_second: Amount
    parameters: Count
    bytes: Count


class _NotRun(Record):
    not_run: Line


class _Environment(Record):
    device: Line
    host_load: Amount


class ServeFile(Record):
    """What `elcrec bench --serve --json` wrote; times in seconds."""

    models: list[_Served | _NotRun]
    environment: _Environment


def shown(rows: Sequence[Row], names: Named) -> Table:
    """The rows of the file as a table; rows without any value are left out, unless all are."""
    rows = [row for row in rows if row.number("seeds") or row.number("latency_ms") > 0] or rows
    accuracy = "mean", "low95", "high95"
    metric = next((row.text("metric") for row in rows), METRIC)
    columns = [
        named("Dataset", "dataset", names.dataset_name),
        named("Model", "model", names.model_name),
        Column(f"{metric}, 95 %", lambda row: with_interval(*map(row.number, accuracy))),
        figures("Seeds", "seeds", 0),
        Column("Training (min)", lambda row: figure(60 * row.number("training_hours"), 1)),
        figures("Parameters", "parameters", 0),
        figures("MB", "megabytes", 1),
        figures("One request (ms)", "latency_ms", 1),
        figures("95 % within", "latency95_ms", 1),
        figures("Users per s", "users_per_second", 0),
    ]
    return declared("use", columns, rows)


def write(config: Config, folder: Path, any_code: bool = False) -> None:
    """Write use.csv, use.md and use.tex; models that were not measured are gaps.

    Args:
        config: Names the runs of Table 1, to which `SIMPLE` models are added; the last of its
            metrics is shown, by default NDCG@20.
        folder: Where the files go.
        any_code: Accept runs made by other code, too.

    Raises:
        InputError: A run or the measurement is not valid.
    """
    path = source(config) / MEASURED
    measured = read_json(path, ServeFile) if path.exists() else None
    models = measured.models if measured else []
    served = {(m.dataset, m.model): m for m in models if isinstance(m, _Served)}
    metric = config.metrics[-1] if config.metrics else METRIC
    more = [model for model in SIMPLE if model not in config.models]
    table = table1.read(config.replaced(models=[*config.models, *more]), any_code, [metric])
    rows = []
    for (dataset, _, model), cell in table.cells.items():
        runs = [r for r in table.runs.get((dataset, model), []) if r.device]
        hours = fmean(run.seconds["total"] for run in runs) / 3600 if runs else nan
        row: list[object] = [dataset, model, metric, cell.mean, cell.low95, cell.high95, cell.seeds]
        if timing := served.get((dataset, model)):
            times = 1000 * timing.latency, 1000 * timing.latency95, timing.per_second
            row += [hours, timing.parameters, timing.bytes / 1e6, *times]
        else:
            row += [hours, *[nan] * 5]
        rows.append(row)
    frame = pd.DataFrame(rows, columns=COLUMNS)
    command = config.elcrec("bench", "--serve", "--json", str(path))
    write_table(
        folder,
        "use",
        frame,
        [shown(rows_of(frame), table.names)],
        measured=measured,
        command=shlex.join(shared_words(shlex.split(command))),
        **table.remarks,
    )
