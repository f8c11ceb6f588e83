"""Read a file that may be plain, gzip-compressed or a member of a zip, tar or tar.gz archive.

The type of a file is detected from its first bytes, not from its name: some servers decompress
`.gz` files in transit, and some users unpack archives by hand.
"""

import codecs
import gzip
import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from elcrec.errors import InputError, shown

GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")  # the second: an empty archive
TAR_MAGIC, TAR_AT = b"ustar", 257
_UNREAD = {
    "bzip2": re.compile(rb"BZh[1-9]1AY&SY"),
    "xz": re.compile(rb"\xfd7zXZ\0"),
    "Zstandard": re.compile(rb"\x28\xb5\x2f\xfd"),
    "7-Zip": re.compile(rb"7z\xbc\xaf\x27\x1c"),
    "RAR": re.compile(rb"Rar!\x1a\x07"),
}
"""First bytes of other common formats, which are refused."""
_NOTES = re.compile(r"(^|/)(__MACOSX/|\._[^/]*$|\.DS_Store$)")
# What damaged archives make their readers raise; RuntimeError: encrypted, or another compression.
_DAMAGED = (
    *(EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
    *(RuntimeError, struct.error, UnicodeDecodeError, tarfile.TarError),
)


@contextmanager
def open_raw(path: Path, member: str | None = None) -> Iterator[IO[bytes]]:
    """Open the unpacked content of `path` for reading.

    Args:
        path: The file.
        member: The file to read inside it, if it is an archive; its folders may be omitted if only
            one file has this name, and all of it if the archive has only one file.

    Raises:
        InputError: The archive does not have that member.
        OSError: The file cannot be read; `_DAMAGED` lists what else a damaged archive raises.
    """
    with open(path, "rb") as plain:
        start = plain.read(TAR_AT + len(TAR_MAGIC))
        plain.seek(0)
        if other := next((name for name, magic in _UNREAD.items() if magic.match(start)), None):
            allowed = "plain text, gzip, zip, tar or tar.gz"
            raise InputError(f"{path}: is in {other} format; allowed: {allowed}")
        if start.startswith(ZIP_MAGIC):
            with zipfile.ZipFile(plain) as archive:
                names = [name for name in archive.namelist() if not name.endswith("/")]
                with archive.open(_member(path, names, member)) as stream:
                    yield _unpacked(stream)
        elif start.endswith(TAR_MAGIC) or (start.startswith(GZIP_MAGIC) and _is_tar(path)):
            with tarfile.open(path) as packed:
                names = [file.name for file in packed if file.isfile()]
                file = packed.extractfile(_member(path, names, member))
                yield _unpacked(cast(IO[bytes], file))
        else:
            yield _unpacked(plain)


def numbered_lines(path: Path, member: str | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield (line number from 1, line with its line end) of the unpacked content.

    A byte-order mark at the start of any line is removed: concatenated files have some inside, too.

    Raises:
        InputError: The file is missing, damaged or cut short; names the first unreadable line.
    """
    number = 0
    try:
        with open_raw(path, member) as stream:
            for number, line in enumerate(stream, 1):
                yield number, line.removeprefix(codecs.BOM_UTF8)
    except _DAMAGED as error:
        raise InputError(
            f"{path}, line {number + 1}: the compressed file is damaged or cut short here"
        ) from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def read_bytes(path: Path, member: str | None = None) -> bytes:
    """Return the unpacked content of `path`; errors as for `numbered_lines`."""
    return b"".join(line for _, line in numbered_lines(path, member))


def _unpacked(stream: IO[bytes]) -> IO[bytes]:
    """The content of a file that may be gzip-compressed, also inside of an archive."""
    compressed = stream.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    stream.seek(0)
    return cast(IO[bytes], gzip.open(stream)) if compressed else stream


def is_packed(start: bytes) -> bool:
    """Whether a file that begins like this is an archive, supported or not."""
    read = start.startswith((*ZIP_MAGIC, GZIP_MAGIC))
    return read or any(magic.match(start) for magic in _UNREAD.values())


def _is_tar(path: Path) -> bool:
    try:
        return tarfile.is_tarfile(path)
    except _DAMAGED:  # reported when it is read
        return False


def _member(path: Path, names: list[str], member: str | None) -> str:
    """The name in an archive that `member` refers to."""
    # macOS also packs metadata files of its file manager.
    names = [name for name in names if not _NOTES.search(name)] or names
    if member is None and len(names) == 1:
        return names[0]
    if member not in names:
        # Copies of one archive differ in whether a folder wraps its files.
        inside = [name for name in names if member and name.endswith(f"/{member}")]
        if len(inside) == 1:
            return inside[0]
        if not names:
            raise InputError(f"{path}: an archive with no file in it")
        there = ", ".join(map(shown, inside[:5] or names[:5]))
        there += ", …" if len(inside or names) > 5 else ""
        has = f"has no {shown(member)}" if member else "has several files"
        if inside:
            has = f"has {shown(member)} in {len(inside)} folders"
        raise InputError(f"{path}: {has}; name one with `member`: {there}")
    return member
