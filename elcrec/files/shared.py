"""Texts in files that are given on: without the folders of the machine that wrote them."""

from __future__ import annotations

import re
from pathlib import Path

from elcrec import ROOT

_PATH = re.compile(r"(?<![\w.~/:])(?:file://)?/[^\s'\",;:()]+")


def without_folders(text: str) -> str:
    """Each absolute path as one seen from the working directory or the project, or as its name."""
    return _PATH.sub(lambda found: short(found[0].removeprefix("file://")), text)


def short(path: Path | str) -> str:
    """The same of a path."""
    path = Path(path)
    inside = (f for f in (Path.cwd(), ROOT) if path.is_absolute() and path.is_relative_to(f))
    for folder in inside:
        return str(path.relative_to(folder))
    return path.name if path.is_absolute() else str(path)
