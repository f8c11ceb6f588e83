"""A fetched file: whether it is the right one, and `source.json`, which records its origin.

Its checksums decide; without any, its first bytes.
"""

import codecs
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Generic, TypeVar

import pooch
from pydantic import AfterValidator, Field

from elcrec.data.rawfile import GZIP_MAGIC, ZIP_MAGIC, is_packed, numbered_lines
from elcrec.data.sources import Columns, DataSource, Format, Source
from elcrec.errors import InputError
from elcrec.files.atomic import write_json
from elcrec.files.checked import Count, Line, Record
from elcrec.files.jsonfile import read_json
from elcrec.files.paths import without_folders

S = TypeVar("S", bound=Source)
NAME = "source.json"
FIELDS = (b'"reviewerID"', b'"user_id"')
"""Fields at the start of a file of reviews that a server's JSON message does not have."""
_ARCHIVES = ((".zip", ZIP_MAGIC, "a zip archive"), (".gz", GZIP_MAGIC, "a gzip file"))


@dataclass(frozen=True)
class Fetched(Generic[S]):
    """A file on this machine."""

    path: Path
    source: S
    origin: str
    """Where it came from, in words: an address, a mirror, a wheel, a local file."""


class SourceRecord(Record):
    """Content of `source.json`."""

    dataset: Line
    format: Format
    file: Annotated[Line, Field(max_length=500)]
    """Name of a file next to the record, or of a local file that the configuration gives."""
    member: Line | None
    columns: Columns | None = None
    origin: Annotated[Line, AfterValidator(without_folders)]
    sha256: Line
    size: Count


def problem(path: Path, source: Source) -> str | None:
    """Say in a few words why `path` is not what `source` describes, or None if it is."""
    if source.wheel and path.suffix != ".whl":
        return None  # its checksums are the wheel's, whose archive protects the extracted file
    size = path.stat().st_size
    if source.size not in (None, size):
        return f"{size} bytes instead of {source.size}"
    for algorithm, expected in (("sha256", source.sha256), ("md5", source.md5)):
        if expected and (found := pooch.file_hash(path, algorithm)) != expected:
            return f"{algorithm} {found[:12]}… instead of {expected[:12]}…"
    proved = source.sha256 or source.md5 or source.wheel
    return None if proved else _wrong_look(path, source)


def _wrong_look(path: Path, source: Source) -> str | None:
    """What is wrong with the first bytes of a file that has no checksum; None if nothing.

    Servers often send a login or error page instead of the file, with status 200.
    """
    with open(path, "rb") as stream:
        start = stream.read(512).removeprefix(codecs.BOM_UTF8).lstrip()
    if not start:
        return "an empty file"
    if start.startswith(b"<"):
        return "an HTML page instead of the file"
    if start.startswith(b"{"):  # reviews, perhaps decompressed by the server
        known = any(field in start for field in FIELDS)
        return None if known else "a JSON message instead of the file"
    for suffix, magic, what in _ARCHIVES:
        if source.name.endswith(suffix) and not start.startswith(magic):
            return f"not {what}"
    packed = isinstance(source, DataSource) and is_packed(start)
    return _damage(path, source.member) if packed else None


def _damage(path: Path, member: str | None) -> str | None:
    """Reading an archive to its end verifies the archive's own checksums."""
    try:
        for _ in numbered_lines(path, member):
            pass
    except InputError as error:
        return str(error).removeprefix(f"{path}").lstrip(":, ")
    return None


def write_record(folder: Path, dataset: str, fetched: Fetched[DataSource]) -> Path:
    """Write `source.json` to `folder` and return its path."""
    path, columns = fetched.path, fetched.source.columns
    record = {
        "dataset": dataset,
        "format": fetched.source.format,
        "file": path.name,
        "member": None if fetched.source.wheel else fetched.source.member,
        "columns": columns.model_dump(exclude_none=True) if columns else None,
        "origin": fetched.origin,
        "sha256": pooch.file_hash(path),
        "size": path.stat().st_size,
    }
    write_json(folder / NAME, record)
    return folder / NAME


def read_record(
    folder: Path, dataset: str, places: Iterable[DataSource] = ()
) -> Fetched[DataSource]:
    """Return what `source.json` in `folder` describes.

    Args:
        folder: Folder of the record, and of the file unless that is a local one.
        dataset: Name of the data set.
        places: Sources of the configuration, which know where a local file is.

    Raises:
        InputError: The record is missing, incomplete or of another data set, or the file has
            changed since.
    """
    path = folder / NAME
    if not path.is_file():
        raise InputError(f"{path}: is missing")
    record = read_json(path, SourceRecord)
    if record.dataset != dataset:
        raise InputError(f"{path}: dataset: must be {dataset!r}, got {record.dataset!r}")
    named = f"(named in {path})"
    if Path(record.file).name != record.file and not Path(record.file).is_absolute():
        allowed = "a file name or an absolute path"  # the latter in older records
        raise InputError(f"{path}: file: must be {allowed}, got {record.file!r}")
    file = located(folder, record, places)
    try:
        same = (file.stat().st_size, pooch.file_hash(file)) == (record.size, record.sha256)
    except OSError as error:
        reason = "is missing" if isinstance(error, FileNotFoundError) else error.strerror
        raise InputError(f"{file}: {reason} {named}") from None
    if not same:
        raise InputError(f"{file}: has changed since it was fetched {named}")
    source = DataSource(
        file=file.name, format=record.format, member=record.member, columns=record.columns
    )
    return Fetched(file, source, record.origin)


def located(folder: Path, record: SourceRecord, places: Iterable[DataSource]) -> Path:
    """Where the file of a record is or should be: local ones are where the configuration says."""
    local = [place.path for place in places if place.path and place.path.name == record.file]
    found = [*local, folder / record.file]
    right = (file for file in found if file.is_file() and file.stat().st_size == record.size)
    return next(right, found[0])


def earlier(folder: Path) -> SourceRecord | None:
    """The record in a folder; None if it is missing or invalid."""
    try:
        return read_json(folder / NAME, SourceRecord)
    except InputError:
        return None
