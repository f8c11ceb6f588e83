"""Is a file what it should be? Its checksums decide; without any, its first bytes."""

from __future__ import annotations

import gzip
import hashlib
import zipfile
import zlib
from pathlib import Path

from elcrec.data.rawfile import GZIP_MAGIC, ZIP_MAGIC, numbered_lines
from elcrec.data.sources import RAW_FORMATS, Source
from elcrec.errors import InputError

FIELDS = {"amazon-reviews": b'"reviewerID"', "yelp-reviews": b'"user_id"'}
"""What the first line of a file of reviews has, and a server's message in JSON has not."""
_CHUNK = 1 << 20  # bytes read at a time


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
