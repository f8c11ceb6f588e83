"""A fetched file: whether it is what it should be, and `source.json`, which says where it is from.

Its checksums decide; without any, its first bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from elcrec.data.rawfile import GZIP_MAGIC, ZIP_MAGIC, numbered_lines
from elcrec.data.sources import FORMATS, RAW_FORMATS, Source
from elcrec.errors import InputError
from elcrec.files.atomic import write_text
from elcrec.files.jsonfile import JsonObject

FIELDS = {"amazon-reviews": b'"reviewerID"', "yelp-reviews": b'"user_id"'}
"""What the first line of a file of reviews has, and a server's message in JSON has not."""
_CHUNK = 1 << 20  # bytes read at a time

NAME = "source.json"
LONGEST_PATH = 500  # characters, so that messages stay readable


def digest(path: Path, algorithm: str = "sha256") -> str:
    """Hexadecimal digest of the content of `path`."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def problem(path: Path, source: Source) -> str | None:
    """Say in a few words why `path` is not what `source` describes, or None if it is."""
    with open(path, "rb") as stream:
        head = stream.read(512)
    if wrong := _wrong_start(head, source.file):
        return wrong
    if source.wheel and path.suffix != ".whl":
        return None  # its checksums are the wheel's, whose archive guards the member taken out
    size = path.stat().st_size
    if source.size is not None and size != source.size:
        return f"{size} bytes instead of {source.size}"
    for algorithm, expected in (("sha256", source.sha256), ("md5", source.md5)):
        if expected and (found := digest(path, algorithm)) != expected:
            return f"{algorithm} {found[:12]}… instead of {expected[:12]}…"
    return None if source.sha256 or source.md5 else _wrong_content(path, head, source)


def _wrong_content(path: Path, head: bytes, source: Source) -> str | None:
    """What can be told of a file without a checksum: archives have their own, reviews fields."""
    if head.startswith(GZIP_MAGIC):
        wrong = _broken_gzip(path)
    elif head.startswith(ZIP_MAGIC) and source.format in RAW_FORMATS:
        wrong = _broken_zip(path)
    else:
        wrong = None
    if wrong or source.format not in RAW_FORMATS:
        return wrong
    try:
        _, first = next(numbered_lines(path, source.member), (0, b""))
    except InputError as error:
        return str(error).removeprefix(f"{path}").lstrip(":, ")
    field = FIELDS.get(source.format, b"")
    if field not in first:
        return f"a file whose first line has no {field.decode()}"
    return "an HTML page instead of the file" if first.lstrip().startswith(b"<") else None


def _wrong_start(head: bytes, name: str) -> str | None:
    """A login or error page often comes in place of a file, with status 200."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        return "an empty file"
    if start.startswith(b"<"):
        return "an HTML page instead of the file"
    if start.startswith(b"{") and ".json" not in name:
        return "a JSON message instead of the file"
    if name.endswith(".zip") and not head.startswith(ZIP_MAGIC):
        return "not a zip archive"
    # A server may unpack the file on its way; the lines are then JSON as they stand.
    if name.endswith(".gz") and not head.startswith((GZIP_MAGIC, b"{")):
        return "not a gzip file"
    return None


def _broken_gzip(path: Path) -> str | None:
    """A gzip file ends with a checksum of its own: reading it through shows a cut."""
    try:
        with gzip.open(path) as stream:
            while stream.read(_CHUNK):
                pass
    except (EOFError, OSError, zlib.error):
        return "a damaged or cut gzip file"
    return None


def _broken_zip(path: Path) -> str | None:
    """So does every member of a zip archive, and its list of members stands at the end."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "a damaged zip archive" if archive.testzip() else None
    except Exception:  # zipfile raises almost anything on damaged bytes
        return "a damaged or cut zip archive"


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
