"""The points of all grids with their validation scores: which one is best, which one is in use."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from elcrec.config.config import Config
from elcrec.errors import InputError
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.files.jsonfile import read_json
from elcrec.files.rows import Row, rows_of
from elcrec.runs.grid import read_grid
from elcrec.runs.records import TriedPoint
from elcrec.tables.document import write_table
from elcrec.tables.layout import Column, Table, declared, figures, word

COLUMNS = (
    *("dataset", "model", "point", "best", "in_use", "select_by", "score", "best_epoch", "epochs"),
    *("seconds", "seed", "device", "commit", *(f"valid {metric}" for metric in TABLE_METRICS)),
)
"""Of `grid.csv`."""


def frame(
    files: Sequence[Path], in_use: Callable[[str, str, dict[str, Any]], bool]
) -> pd.DataFrame:
    """Read the records that `elcrec try` wrote.

    Args:
        files: The records, all points of a model on a data set one after the other.
        in_use: Whether the settings of (model, data set) are those of a point.

    Returns:
        `grid.csv`: a row per point, named by `key=value`, separated by spaces. `score` is the
        validation metric that `select_by` names; the best of a model's points on a data set, the
        first of equals, is `best`, and `in_use` is what the model's YAML file has.

    Raises:
        InputError: A record that is missing or incomplete.
    """
    rows = []
    for file in files:
        trial = read_json(file, TriedPoint)
        try:
            is_used = in_use(trial.model, trial.dataset, trial.point)
        except InputError as error:
            raise InputError(f"{file}: {error}") from None
        rows.append(
            trial.model_dump(exclude={"valid"})
            | {f"valid {metric}": value for metric, value in trial.valid.items()}
            | {
                "point": " ".join(f"{key}={value}" for key, value in trial.point.items()),
                "in_use": is_used,
                "score": trial.valid[trial.select_by],
                "commit": f"{trial.commit or 'unknown'}{' and changes' * trial.dirty}",
            }
        )
    points = pd.DataFrame(rows, columns=COLUMNS)
    best = points.groupby(["dataset", "model"], sort=False)["score"].idxmax()
    points["best"] = points.index.isin(best)
    return points


def shown(rows: Sequence[Row]) -> Table:
    """The rows of `grid.csv` as a table."""
    columns = [
        word("Data set", "dataset"),
        word("Model", "model"),
        word("Point", "point"),
        _yes_column("Best", "best"),
        _yes_column("In use", "in_use"),
        *(figures(metric, f"valid {metric}") for metric in TABLE_METRICS),
        figures("Epoch", "best_epoch", 0),
        figures("of", "epochs", 0),
        figures("s", "seconds", 0),
    ]
    return declared("grid", columns, rows)


def write(config: Config, folder: Path, files: Sequence[Path]) -> None:
    """Write grid.csv, .md and .tex from the records of `elcrec try`."""
    points = frame(files, lambda m, d, point: read_grid(config, m, d).in_use(point))
    write_table(
        folder,
        "grid",
        points,
        [shown(rows_of(points))],
        selected_by=list(dict.fromkeys(points["select_by"])),
        made_by=list(dict.fromkeys(zip(points["device"], points["commit"], strict=True))),
    )


def _yes_column(title: str, key: str) -> Column:
    return Column(title, lambda row: "yes" if row.text(key) == "True" else "", left=True)
