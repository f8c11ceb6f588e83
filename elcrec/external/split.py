"""The leave-one-out split as files, so that another framework sees the same one."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd

from elcrec.data.sequences import Sequences
from elcrec.errors import InputError, shown, unknown
from elcrec.files.atomic import check_replaceable, replaced

HEADER = ["user_id:token", "item_id:token", "timestamp:float"]
"""Header of RecBole's atomic files; the time is the position, as only the order is known."""


def split(sequences: Sequences) -> dict[str, pd.DataFrame]:
    """The interactions of `all`, and those of `train`, `valid` and `test`, each user's in order.

    Returns:
        Tables with the ids of user and item, and the position in the user's history from 1.
    """
    lengths = sequences.lengths
    user_index = np.repeat(np.arange(sequences.n_users), lengths)
    position = np.arange(sequences.n_actions) - sequences.offsets[user_index]
    remaining = lengths[user_index] - 1 - position
    users, items = (np.array(ids, dtype=object) for ids in (sequences.users, sequences.item_ids))
    interactions = pd.DataFrame(
        {"user": users[user_index], "item": items[sequences.items - 1], "position": position + 1}
    )
    parts = {"train": remaining > 1, "valid": remaining == 1, "test": remaining == 0}
    return {"all": interactions} | {name: interactions[mask] for name, mask in parts.items()}


def export(name: str, sequences: Sequences, folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write the split; returns the files.

    - recbole: `<name>/<name>.inter`, and `<name>.train.inter`, `.valid.inter`, `.test.inter`
    - csv: `all.csv`, `train.csv`, `valid.csv`, `test.csv` with user, item, position
    - text: `all.txt`, `train.txt`, `valid.txt`, `test.txt` with lines `user item item ...`

    Args:
        name: Name of the data set in RecBole, which finds files by it.
        sequences: The histories, with the ids that are written.
        folder: Where to write.
        formats: `recbole`, `csv` or `text`, or several.

    Raises:
        InputError: An unknown format, or an id with whitespace, which text cannot have. Nothing
            is written then.
    """
    for form in formats:
        if form not in _WRITERS:
            raise InputError(f"--format: {unknown('format', form, _WRITERS)}")
    parts = split(sequences)
    files = {
        folder / path: text
        for form in formats
        for part, frame in parts.items()
        for path, text in [_WRITERS[form](name, part, frame)]
    }
    for path in files:
        check_replaceable(path)
    with ExitStack() as written:  # all of them or none
        for path, text in files.items():
            written.enter_context(replaced(path)).write_text(text, encoding="utf-8")
    return list(files)


def _recbole(name: str, part: str, frame: pd.DataFrame) -> tuple[str, str]:
    text = frame.to_csv(sep="\t", index=False, header=HEADER)
    return f"{name}/{name}{'' if part == 'all' else f'.{part}'}.inter", text


def _csv(name: str, part: str, frame: pd.DataFrame) -> tuple[str, str]:
    return f"{part}.csv", frame.to_csv(index=False)


def _text(name: str, part: str, frame: pd.DataFrame) -> tuple[str, str]:
    for column in ("user", "item"):
        if (blank := frame[column].str.contains(r"\s")).any():
            raise InputError(
                f"{column} {shown(frame[column][blank].iloc[0])}: has whitespace, which the format "
                "text cannot have; leave it out of --format, or export --ids numbers"
            )
    lines = frame.groupby("user", sort=False)["item"].agg(" ".join)
    return f"{part}.txt", "".join(f"{user} {items}\n" for user, items in lines.items())


_WRITERS = {"recbole": _recbole, "csv": _csv, "text": _text}
