"""From a fetched file to `sequences.txt`, checked before it is put in place."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd

from elcrec.data.core import densest, k_core, selected, to_sequences
from elcrec.data.fetched import Fetched
from elcrec.data.formats import read_interactions
from elcrec.data.ids import write_ids
from elcrec.data.rawfile import read_bytes
from elcrec.data.sequences import MIN_ITEMS, Sequences, format_sequences, parse_sequences
from elcrec.data.sources import COUNTS, PREPARED, SEQUENCES, Dataset, DataSource
from elcrec.data.statistics import check, statistics
from elcrec.errors import InputError
from elcrec.files.atomic import replaced


def prepare(name: str, dataset: Dataset, fetched: Fetched[DataSource], folder: Path) -> Path:
    """Write `sequences.txt`, `users.csv`, `items.csv` and `statistics.json` to `folder`.

    A raw file is reduced to its core; users and items of any file are numbered, and the two CSV
    files map ids to numbers. Everything is done in memory first, so a failure leaves `folder` as it
    was.
    `before_core` in the statistics counts what was read from a raw file; null for other files.

    Returns:
        The path of `sequences.txt`.

    Raises:
        InputError: The file is wrong, nothing remains of it, or the result does not match the
            configuration's checksum and counts.
    """
    data, sequences, before_core = _content(name, dataset, fetched)
    if dataset.popular:
        whole, sequences = sequences, densest(sequences, dataset.popular)
        if not sequences.n_users:
            raise InputError(
                f"{fetched.path}: nothing is left of {whole.n_users:,} users and {whole.n_items:,} "
                f"items, data set {name}: no user has five of the {dataset.popular:,} most popular "
                "items; raise `popular`"
            )
        data = format_sequences(sequences)
    sha256 = hashlib.sha256(data).hexdigest()
    check(name, dataset, sequences, sha256, fetched.path)
    record = {
        "dataset": name,
        "name": dataset.name or name,
        **statistics(sequences).model_dump(),
        "sha256": sha256,
        "origin": fetched.origin,
        "format": fetched.source.format,
        "before_core": before_core,
    }
    # Nested, so that the statistics are moved into place last, after all other files.
    sequences_file, statistics_file = (folder / file for file in PREPARED[:2])
    with replaced(statistics_file) as last:
        last.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        with replaced(sequences_file) as temporary:
            temporary.write_bytes(data)
            write_ids(folder, sequences)
    return sequences_file


def _content(
    name: str, dataset: Dataset, fetched: Fetched[DataSource]
) -> tuple[bytes, Sequences, dict[str, int] | None]:
    """The bytes of `sequences.txt`, the same as sequences, and the counts of a raw file."""
    path, source = fetched.path, fetched.source
    if source.format == SEQUENCES:
        sequences = parse_sequences(read_bytes(path, source.member), path)
        return format_sequences(sequences), sequences, None
    raw = read_interactions(path, source.format, source.member, source.columns)
    if dataset.min_rating is not None and raw["rating"].isna().any():
        line = int(raw["rating"].isna().argmax()) + 1
        raise InputError(
            f"{path}: interaction {line} has no rating, but data set {name} sets `min_rating`"
        )
    sizes = (raw["user"].nunique(), raw["item"].nunique(), len(raw))
    chosen = selected(raw, dataset.min_rating, dataset.doubled)
    cored = k_core(chosen, dataset.core)
    frame = _long_enough(cored)
    if frame.empty:
        why = (
            f"{_after(dataset, len(chosen))}no user and item have at least {dataset.core} "
            "interactions each; lower `core`"
        )
        if chosen.empty:
            why = f"the highest rating is {raw['rating'].max():g}; lower `min_rating`"
        elif not cored.empty:
            why = f"no user has the {MIN_ITEMS} items that training and evaluation need"
        raise InputError(
            f"{path}: nothing is left of {len(raw):,} interactions ({sizes[0]:,} users, "
            f"{sizes[1]:,} items), data set {name}: {why}"
        )
    sequences = to_sequences(frame)
    return format_sequences(sequences), sequences, dict(zip(COUNTS, sizes, strict=True))


def _after(dataset: Dataset, count: int) -> str:
    """How many interactions the configured filters left, as words before a reason."""
    told = [f"`{key}`" for key in ("min_rating", "doubled") if key in dataset.model_fields_set]
    return f"{count:,} after {' and '.join(told)}, and among these " if told else ""


def _long_enough(frame: pd.DataFrame) -> pd.DataFrame:
    """Drop users with too few items for training and evaluation, which a low core keeps."""
    counts = frame["user"].map(frame["user"].value_counts()).to_numpy(dtype=np.int64)
    return frame[counts >= MIN_ITEMS]
