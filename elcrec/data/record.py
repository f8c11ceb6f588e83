"""`source.json`: what was fetched, from where, kept beside the fetched file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from elcrec.atomic import write_text
from elcrec.data.sources import FORMATS, Source
from elcrec.data.verify import digest
from elcrec.errors import InputError

NAME = "source.json"
_KEYS = ("dataset", "format", "file", "member", "origin", "sha256", "size")


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
        InputError: There is no record, it is of another data set, or the file has changed since.
    """
    record = _load(folder / NAME)
    if record["dataset"] != dataset_id:
        raise InputError(f"{folder / NAME}: is of data set {record['dataset']}, not {dataset_id}")
    path = folder / record["file"]
    if not path.is_file():
        raise InputError(f"{path}: is missing; run `elcrec data fetch` again")
    if path.stat().st_size != record["size"] or digest(path) != record["sha256"]:
        raise InputError(f"{path}: has changed since it was fetched; run `elcrec data fetch` again")
    source = Source(
        format=record["format"],
        file=path.name,
        size=record["size"],
        sha256=record["sha256"],
        member=record["member"],
    )
    return Fetched(path, source, record["origin"])


def earlier_origin(folder: Path, file: str) -> str | None:
    """Where `file` in `folder` came from, if a record there says so."""
    try:
        record = _load(folder / NAME)
    except InputError:
        return None
    return record["origin"] if record["file"] == file else None


def _load(path: Path) -> dict:
    if not path.is_file():
        raise InputError(f"{path}: is missing; run `elcrec data fetch` first")
    try:
        record = json.loads(path.read_bytes())
    except ValueError as error:
        raise InputError(f"{path}: is not JSON; run `elcrec data fetch` again") from error
    if not isinstance(record, dict) or any(key not in record for key in _KEYS):
        raise InputError(f"{path}: must hold {', '.join(_KEYS)}; run `elcrec data fetch` again")
    if record["format"] not in FORMATS:
        raise InputError(f"{path}: format must be one of {', '.join(FORMATS)}")
    return record
