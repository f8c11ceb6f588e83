"""One process at a time trains a run: two would do the same work twice, on one device."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from elcrec.errors import InputError, WriteError, writing

LOCK = ".lock"
"""File in the folder while the lock is held."""


class HeldError(InputError):
    """Another process holds the folder."""


@contextmanager
def held(folder: Path, wait: bool = True, does: str = "trains it") -> Iterator[bool]:
    """Lock a folder, created if needed; yields whether another process held it before.

    The lock ends with the process that holds it, however that ends. A killed Snakemake, for one,
    leaves its trainings running, and the next one starts them again.

    Args:
        folder: A run folder, for example.
        wait: Wait for the other process, with a line on standard error, instead of refusing.
        does: What that process does, for the message.

    Raises:
        HeldError: Another process holds it and `wait` is false.
        WriteError: The folder cannot be created or written to, or has a file of the lock's name.
    """
    path = folder / LOCK
    lock = FileLock(path, fallback_to_soft=False)
    was_held = False
    with writing(path):
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size:  # it would be removed at the end
            raise WriteError(f"{path}: is not empty, so it is not a lock; choose another folder")
    try:
        try:
            lock.acquire(blocking=False)
        except Timeout:
            if not wait:
                raise HeldError(f"{folder}: another process {does}") from None
            print(f"elcrec: {folder}: waiting; another process {does}", file=sys.stderr)
            was_held = True
            lock.acquire()
    except OSError as error:
        if error.filename:
            with writing(path):
                raise
        # About the lock itself: some file systems have none.
        print(f"elcrec: {path}: cannot be locked ({error.strerror})", file=sys.stderr)
    try:
        yield was_held
    finally:
        path.unlink(missing_ok=True)  # while still held: a waiting process looks for the name again
        lock.release()
