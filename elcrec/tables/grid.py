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
        tried = read_json(file, TriedPoint)
        try:
            used = in_use(tried.model, tried.dataset, tried.point)
        except InputError as error:
            raise InputError(f"{file}: {error}") from None
        rows.append(
            tried.model_dump(exclude={"valid"})
            | {f"valid {metric}": value for metric, value in tried.valid.items()}
            | {
                "point": " ".join(f"{key}={value}" for key, value in tried.point.items()),
                "in_use": used,
                "score": tried.valid[tried.select_by],
                "commit": f"{tried.commit or 'unknown'}{' and changes' * tried.dirty}",
            }
        )
    found = pd.DataFrame(rows, columns=COLUMNS)
    best = found.groupby(["dataset", "model"], sort=False)["score"].idxmax()
    found["best"] = found.index.isin(best)
    return found


def shown(rows: Sequence[Row]) -> Table:
    """The rows of `grid.csv` as a table."""
    columns = [
        word("Data set", "dataset"),
        word("Model", "model"),
        word("Point", "point"),
        _yes("Best", "best"),
        _yes("In use", "in_use"),
        *(figures(metric, f"valid {metric}") for metric in TABLE_METRICS),
        figures("Epoch", "best_epoch", 0),
        figures("of", "epochs", 0),
        figures("s", "seconds", 0),
    ]
    return declared("grid", columns, rows)


def write(config: Config, folder: Path, files: Sequence[Path]) -> None:
    """Write grid.csv, .md and .tex from the records of `elcrec try`."""
    found = frame(files, lambda m, d, point: read_grid(config, m, d).in_use(point))
    write_table(
        folder,
        "grid",
        found,
        [shown(rows_of(found))],
        selected_by=list(dict.fromkeys(found["select_by"])),
        made_by=list(dict.fromkeys(zip(found["device"], found["commit"], strict=True))),
    )


def _yes(title: str, key: str) -> Column:
    return Column(title, lambda row: "yes" if row.text(key) == "True" else "", left=True)
