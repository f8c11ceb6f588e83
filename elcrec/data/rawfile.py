"""Read a file that may be plain, gzip-compressed or a member of a zip or tar.gz archive.

What a file is, is told by its first bytes and not by its name: some servers unpack `.gz` files on
their way, and some users unpack archives by hand.
"""

from __future__ import annotations

import codecs
import gzip
import lzma
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
ZIP_MAGIC = b"PK\x03\x04"
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
        member: The file to read inside of it, if it is an archive; its folders may be left out
            where only one file has the name, and all of it where a zip archive has only one file.

    Raises:
        InputError: An archive without that member.
        OSError: The file cannot be read; what else a damaged archive raises is in `_DAMAGED`.
    """
    with open(path, "rb") as plain:
        magic = plain.read(4)
        plain.seek(0)
        if magic == ZIP_MAGIC:
            with zipfile.ZipFile(plain) as archive:
                names = [name for name in archive.namelist() if not name.endswith("/")]
                with archive.open(_member(path, names, member)) as stream:
                    yield stream
        elif magic.startswith(GZIP_MAGIC) and member and tarfile.is_tarfile(path):
            with tarfile.open(path) as packed:
                names = [file.name for file in packed if file.isfile()]
                yield cast(IO[bytes], packed.extractfile(_member(path, names, member)))
        elif magic.startswith(GZIP_MAGIC):
            with gzip.open(plain) as stream:
                yield cast(IO[bytes], stream)
        else:
            yield plain


def numbered_lines(path: Path, member: str | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield (line number from 1, line with its end) of the unpacked content, no byte-order mark.

    Raises:
        InputError: The file is missing, damaged or cut short, with the last line that was whole.
    """
    number = 0
    try:
        with open_raw(path, member) as stream:
            for number, line in enumerate(stream, 1):
                yield number, line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
    except _DAMAGED as error:
        raise InputError(
            f"{path}, line {number + 1}: the compressed file is damaged or cut short here"
        ) from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def read_bytes(path: Path, member: str | None = None) -> bytes:
    """Return the unpacked content of `path`; refuses as `numbered_lines` does."""
    return b"".join(line for _, line in numbered_lines(path, member))


def _member(path: Path, names: list[str], member: str | None) -> str:
    """The name, among those of an archive, that `member` stands for."""
    if member is None and len(names) == 1:
        return names[0]
    if member not in names:
        # Copies of one archive differ in whether a folder wraps its files.
        inside = [name for name in names if member and name.endswith(f"/{member}")]
        if len(inside) == 1:
            return inside[0]
        there = ", ".join(map(shown, names[:5])) + (", …" if len(names) > 5 else "")
        has = f"has no {shown(member)}" if member else "has several files"
        raise InputError(f"{path}: {has}; name one with `member`: {there}")
    return member
