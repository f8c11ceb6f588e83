"""Is a file what it should be? Its checksums decide; without any, its first bytes."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path

from elcrec.data.rawfile import GZIP_MAGIC, ZIP_MAGIC
from elcrec.data.sources import Source

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
    if head.startswith(GZIP_MAGIC) and not (source.sha256 or source.md5):
        return _broken_gzip(path)
    return None


def _wrong_start(head: bytes, name: str) -> str | None:
    """A login or error page often comes in place of a file, with status 200."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        return "an empty file"
    if start.startswith(b"<"):
        return "an HTML page instead of the file"
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
