"""One process at a time trains a run: two would be the same work twice, on one device."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from elcrec.atomic import WriteError
from elcrec.errors import InputError


@contextmanager
def held(folder: Path, wait: bool = True, does: str = "trains it") -> Iterator[bool]:
    """Hold a run folder, made if need be; yields whether another process had it before.

    The lock ends with the process that holds it, however that ends. A killed Snakemake, for one,
    leaves its trainings running, and the next one starts them again.

    Args:
        folder: The run folder.
        wait: Wait for the other process, which is said on standard error, or refuse.
        does: What that process does, for the message.

    Raises:
        InputError: The folder cannot be made, or another process has it and `wait` is false.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise WriteError(f"{folder}: cannot be made: {error.strerror or error}") from None
    try:
        taken = not _lock(handle, fcntl.LOCK_NB)
        if taken and not wait:
            raise InputError(f"{folder}: another process is training this run")
        if taken:
            print(f"elcrec: {folder}: waiting for the process that {does}", file=sys.stderr)
            _lock(handle)
        yield taken
    finally:
        os.close(handle)


def _lock(handle: int, how: int = 0) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | how)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks on folders
    return True
