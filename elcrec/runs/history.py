"""`history.csv` of a run: what training and validation gave, epoch by epoch."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from elcrec.errors import InputError, shown
from elcrec.files.csvfile import as_number, read_csv


def read_history(path: Path, epochs: int) -> dict[str, NDArray[np.float64]]:
    """Read the columns, each (epochs,); an empty field is nan.

    Args:
        path: The file.
        epochs: Number of epochs according to `metrics.json`.

    Raises:
        InputError: The file is not such a table, a field is not a number, or the epochs are not 1
            to `epochs`.
    """
    header, rows = read_csv(path)
    if len(rows) != epochs:
        raise InputError(f"{path}: has {len(rows)} epochs, metrics.json says {epochs}")
    if rows and "epoch" not in header:
        raise InputError(f"{path}: the column 'epoch' is missing; it has {shown(header)}")
    columns = {
        name: np.array(
            [as_number(row[i], f"{path}: epoch {n}, {name}:") for n, row in enumerate(rows, 1)]
        )
        for i, name in enumerate(header)
    }
    if rows and columns["epoch"].tolist() != list(range(1, epochs + 1)):
        raise InputError(f"{path}: the column 'epoch' must count from 1 to {epochs}")
    return columns
