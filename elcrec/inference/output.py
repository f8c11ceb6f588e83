"""Recommendations as a file: user, item, rank from 1 and score, one per line."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from elcrec.errors import InputError
from elcrec.files.atomic import replaced
from elcrec.inference.histories import Part
from elcrec.inference.recommender import NONE, Best

ENDINGS = (".csv", ".parquet")
Write = Callable[[pd.DataFrame], object]


def table(part: Part, best: Best, ids: NDArray[np.object_]) -> pd.DataFrame:
    """The lines of a part's users, best first; none for what was not recommended."""
    items, scores = best
    row, position = np.nonzero(recommended := scores > NONE)
    columns = {"user": part.names[row], "item": ids[items[recommended] - 1]}
    return pd.DataFrame(columns | {"rank": position + 1, "score": scores[recommended]})


def check_ending(path: Path) -> None:
    """Refuse a file that is neither CSV nor Parquet, or Parquet without the library for it."""
    if path.suffix not in ENDINGS:
        raise InputError(f"{path}: its name must end in {' or '.join(ENDINGS)}")
    if path.suffix == ".parquet":
        import pyarrow.parquet  # noqa: F401


@contextmanager
def writing(path: Path | None) -> Iterator[Write]:
    """Yield a function that writes one table after another; the file appears when all are written.

    Args:
        path: With one of `ENDINGS`; None: CSV on standard output.
    """
    if path is None:
        with _csv(sys.stdout) as write:
            yield write
    elif path.suffix == ".csv":
        with (
            replaced(path) as temporary,
            temporary.open("w", encoding="utf-8") as file,
            _csv(file) as write,
        ):
            yield write
    else:
        import pyarrow
        from pyarrow.parquet import ParquetWriter

        text, number = pyarrow.string(), pyarrow.int32()
        fields = {"user": text, "item": text, "rank": number, "score": pyarrow.float32()}
        schema = pyarrow.schema(fields.items())
        with replaced(path) as temporary, ParquetWriter(temporary, schema) as writer:
            yield lambda lines: writer.write_table(
                pyarrow.Table.from_pandas(lines, schema, preserve_index=False)
            )


@contextmanager
def _csv(file: TextIO | None) -> Iterator[Write]:
    """The header comes with the first lines: a refusal before them prints nothing.

    Standard output that was closed is None; nothing is printed then.
    """
    header = iter([True])
    yield lambda lines: lines.to_csv(file, header=next(header, False), index=False)
    if next(header, False):
        print("user,item,rank,score", file=file)
