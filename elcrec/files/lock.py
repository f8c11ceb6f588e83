"""One process at a time trains a run: two would be the same work twice, on one device."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from elcrec.errors import InputError
from elcrec.files.atomic import WriteError

LOCK = ".lock"
"""File in the folder, while it is held."""


class HeldError(InputError):
    """Another process has the folder."""


@contextmanager
def held(folder: Path, wait: bool = True, does: str = "trains it") -> Iterator[bool]:
    """Hold a folder, made if need be; yields whether another process had it before.

    The lock ends with the process that holds it, however that ends. A killed Snakemake, for one,
    leaves its trainings running, and the next one starts them again.

    Args:
        folder: A run folder, for example.
        wait: Wait for the other process, which is said on standard error, or refuse.
        does: What that process does, for the message.

    Raises:
        HeldError: Another process has it and `wait` is false.
        WriteError: The folder cannot be made or written to.
    """
    path = folder / LOCK
    taken = False
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT)  # NFS locks what can be written only
        except OSError as error:
            raise WriteError(f"{path}: cannot be written: {error.strerror or error}") from None
        try:
            if not _lock(handle, path, fcntl.LOCK_NB):
                if not wait:
                    raise HeldError(f"{folder}: another process {does}")
                if not taken:
                    print(f"elcrec: {folder}: waiting; another process {does}", file=sys.stderr)
                taken = True
                _lock(handle, path)
            if not _is_there(handle, path):  # the other one has removed it at its end
                continue
            try:
                yield taken
            finally:
                path.unlink(missing_ok=True)
            return
        finally:
            os.close(handle)


def _lock(handle: int, path: Path, how: int = 0) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | how)
    except BlockingIOError:
        return False
    except OSError as error:
        print(f"elcrec: {path}: cannot be locked ({error.strerror})", file=sys.stderr)
    return True


def _is_there(handle: int, path: Path) -> bool:
    """Whether the open file still has its name."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
