"""`source.json`: what was fetched, from where, kept beside the fetched file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from elcrec.atomic import write_text
from elcrec.data.sources import FORMATS, Source
from elcrec.data.verify import digest
from elcrec.errors import InputError
from elcrec.tables.jsonfile import JsonObject

NAME = "source.json"
LONGEST_PATH = 500  # characters, so that messages stay readable


@dataclass(frozen=True)
class Fetched:
    """A file of a data set on this machine."""

    path: Path
    source: Source
    origin: str
    """Where it came from: an address, a mirror, a wheel or a local path."""


def write_record(folder: Path, dataset_id: str, fetched: Fetched) -> Path:
    """Write `source.json` to `folder` and return its path."""
    path = fetched.path.resolve()
    inside = path.parent == folder.resolve()
    record = {
        "dataset": dataset_id,
        "format": fetched.source.format,
        # A name when it lies beside the record, so that the folder can be moved.
        "file": path.name if inside else str(path),
        "member": None if fetched.source.wheel else fetched.source.member,
        "origin": fetched.origin,
        "sha256": digest(path),
        "size": path.stat().st_size,
    }
    target = folder / NAME
    write_text(target, json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    return target


def read_record(folder: Path, dataset_id: str) -> Fetched:
    """Return what `source.json` in `folder` describes.

    Raises:
        InputError: There is no record, it is not whole or of another data set, or the file has
            changed since.
    """
    path = folder / NAME
    if not path.is_file():
        raise InputError(f"{path}: is missing; run `elcrec data fetch` first")
    record = JsonObject.read(path)
    record.expect("dataset", dataset_id)
    fetched = _fetched(record)
    again = f"(named in {path}); run `elcrec data fetch` again"
    source = fetched.source
    try:
        changed = (
            fetched.path.stat().st_size != source.size or digest(fetched.path) != source.sha256
        )
    except OSError as error:
        reason = "is missing" if isinstance(error, FileNotFoundError) else error.strerror
        raise InputError(f"{fetched.path}: {reason} {again}") from None
    if changed:
        raise InputError(f"{fetched.path}: has changed since it was fetched {again}")
    return fetched


def earlier_origin(folder: Path, file: str) -> str | None:
    """Where `file` in `folder` came from, if a record there says so."""
    try:
        fetched = _fetched(JsonObject.read(folder / NAME))
    except InputError:
        return None
    return fetched.origin if fetched.path == folder / file else None


def _fetched(record: JsonObject) -> Fetched:
    """What the record says, every value checked; the file itself is not looked at."""
    path = record.path.parent / record.text("file")
    plain = path.name == record.text("file") or Path(record.text("file")).is_absolute()
    if not plain or len(record.text("file")) > LONGEST_PATH:
        record.refuse("file", "a file name or an absolute path")
    source = Source(
        format=record.one_of("format", FORMATS),
        file=path.name,
        size=record.integer("size"),
        sha256=record.text("sha256"),
        member=record.optional_text("member"),
    )
    return Fetched(path, source, record.text("origin"))
