"""A stamp for a machine that gets the files without git: the commit, and a hash of every file."""

import re
from pathlib import Path

from elcrec import ROOT
from elcrec.errors import InputError
from elcrec.files.atomic import write_json
from elcrec.files.checked import Line, Record
from elcrec.files.jsonfile import read_json
from elcrec.files.paths import sha256_of

STAMP = ROOT / ".stamp.json"
"""Not tracked by git, which is used instead where it is available."""


class Stamp(Record):
    """Content of the file."""

    commit: Line
    files: dict[str, str]
    """SHA-256 of all tracked files."""


def write_stamp(commit: str, names: list[str]) -> int:
    """Stamp the tracked files of a clean commit; returns how many there are."""
    write_json(STAMP, {"commit": commit, "files": {name: _hash(ROOT / name) for name in names}})
    return len(names)


def stamped() -> tuple[str | None, bool]:
    """Commit that the stamp names, and whether a file differs from it; (None, True) without one."""
    if not STAMP.exists():
        return None, True
    try:
        stamp = read_json(STAMP, Stamp)
        changed = any(_hash(ROOT / name) != digest for name, digest in stamp.files.items())
    except InputError:
        return None, True
    if not re.fullmatch("[0-9a-f]{40}", stamp.commit):
        return None, True
    return stamp.commit, changed


def _hash(path: Path) -> str | None:
    return sha256_of(path) if path.is_file() else None
