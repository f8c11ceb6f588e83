"""Paths that users write, paths in files to be shared, and folders that the program creates."""

import errno
import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from elcrec import ROOT
from elcrec.errors import shown, writing

UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""Characters that cannot be part of a line, or cannot be written."""
_ABSOLUTE = re.compile(r"(?<![\w.~/:])(?:file://)?/[^\s'\",;:()]+")


def as_path(text: str) -> Path:
    """The one place where a user's text becomes a path; `~` is the home folder.

    Raises:
        ValueError: It would name a folder that the user did not mean, or is not one line of text.
    """
    if not text or UNFIT.search(text):
        raise ValueError(f"must be a path of one line, in UTF-8, got {shown(text)}")
    path = Path(os.path.expanduser(text))
    if str(path).startswith("~"):
        raise ValueError(f"must be a path, got {shown(text)}: there is no such user")
    if str(path).startswith("-"):
        raise ValueError(f"must not begin with -, got {shown(text)}; write the full path")
    return path


def check_folder(folder: Path) -> None:
    """Check that files can be written into a folder that exists or would be created.

    Raises:
        WriteError: They cannot, or something else is in its place.
    """
    existing = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    with writing(folder):
        if not os.path.isdir(existing):
            raise NotADirectoryError
        if not os.access(existing, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, unless it exists.

    Raises:
        WriteError: It cannot be created, or nothing can be written into it.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    check_folder(folder)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def without_folders(text: str) -> str:
    """A text to be shared: each absolute path in it is shortened by `short`."""
    return _ABSOLUTE.sub(lambda match: short(match[0].removeprefix("file://")), text)


def shared_words(words: Iterable[str]) -> list[str]:
    """The same for the words of a command: a path, or `--option=path`, may have spaces."""
    parts = (word.rpartition("=") for word in words)
    return [
        option + equals + (short(path) if path.startswith("/") else without_folders(path))
        for option, equals, path in parts
    ]


def short(path: Path | str) -> str:
    """A path relative to the working directory or the project, or else only its name."""
    path = Path(path)
    roots = (f for f in (Path.cwd(), ROOT) if path.is_absolute() and path.is_relative_to(f))
    for folder in roots:
        return str(path.relative_to(folder))
    return path.name if path.is_absolute() else str(path)
