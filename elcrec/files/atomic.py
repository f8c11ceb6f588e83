"""Write files so that a reader sees the old content or the whole new one, never a part."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from elcrec.errors import WriteError, writing

PARTIAL = ".partial"
_protected: ContextVar[Path | None] = ContextVar("_protected", default=None)


@contextmanager
def protecting(path: Path | None) -> Iterator[None]:
    """Inside the block, no existing file is replaced at this place or below it.

    Raises:
        WriteError: The place is an existing file; inside the block, if one would be replaced.
    """
    token = _protected.set(path)
    try:
        if path and not os.path.isdir(path):
            check_replaceable(path)
        yield
    finally:
        _protected.reset(token)


def check_replaceable(path: Path) -> None:
    """Refuse to replace what is not an ordinary file, or a file that `protecting` protects.

    Raises:
        WriteError: The path is one of these.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        raise WriteError(f"{path}: cannot be written: it exists and is not a file")
    if _protected.get() in (path, *path.parents) and os.path.lexists(path):
        raise WriteError(f"{path}: already exists; choose another path, or replace it with --force")


@contextmanager
def replaced(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it takes its place when the block ends without error.

    The temporary file keeps the suffix of `path` (writers such as `numpy.savez` look at it) and is
    removed when the block raises. Missing parent folders are made.

    Raises:
        WriteError: The disk is full, the place is not writable, or has a file that must stay.
    """
    path = Path(path)
    check_replaceable(path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem}.", suffix=PARTIAL + path.suffix
        )
    temporary = Path(name)
    try:
        yield temporary
        os.fsync(handle)  # the content must reach the disk before the name: power may fail
        temporary.chmod(0o666 & ~_umask())
        check_replaceable(path)  # again: somebody may have written there meanwhile
        temporary.replace(path)
    except OSError as error:
        if error.filename not in (None, name):  # about another file, which the block read
            raise
        with writing(path):
            raise
    finally:
        os.close(handle)
        temporary.unlink(missing_ok=True)


def remove_partial(folder: Path) -> None:
    """Remove the temporary files of a killed process; no other process may write to the folder."""
    for path in folder.glob(f".*{PARTIAL}*"):
        path.unlink(missing_ok=True)


def write_text(path: Path | str, text: str) -> None:
    """Write `text` (UTF-8) to `path` atomically."""
    with replaced(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path | str, value: Any) -> None:
    """Write `value` as indented JSON to `path` atomically."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    # A file name need not be text: JSON escapes such a byte as Python does.
    write_text(path, text.encode(errors="backslashreplace").decode())


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
