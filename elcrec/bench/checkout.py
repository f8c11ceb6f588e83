"""A user's own checkout of the authors' released code: what has to be in it."""

from __future__ import annotations

import ast
import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elcrec.errors import InputError

REPOSITORY = "github.com/yueliu1999/ELCRec, at 119b496 or 60086bb"

NEEDED = {
    "main.py": (),
    "models.py": ("SASRecModel",),
    "trainers.py": ("ELCRecTrainer",),
    "datasets.py": ("RecWithContrastiveLearningDataset",),
    "modules.py": (),
    "utils.py": ("get_user_seqs", "set_seed"),
    "data_augmentation.py": (),
}
"""Files below `src`, and the classes and functions in them that are used."""


@dataclass(frozen=True)
class Checkout:
    """A folder that has everything."""

    folder: Path
    commit: str | None
    """Of git, with `+` when files differ from it; None without git."""
    sha256: dict[str, str]
    """Hash of every needed file: which code was measured."""

    @property
    def source(self) -> Path:
        """Folder of the modules."""
        return self.folder / "src"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for the record."""
        return {"commit": self.commit, "sha256": self.sha256}


def find(folder: Path) -> Checkout:
    """Check a folder without running anything in it.

    Raises:
        InputError: It is not there, or has other code in it.
    """
    if not folder.is_dir():
        raise InputError(f"--against {folder}: no such folder; clone {REPOSITORY}")
    hashes = {}
    for name, wanted in NEEDED.items():
        path = folder / "src" / name
        if not path.is_file():
            raise InputError(f"--against {folder}: has no src/{name}; expected {REPOSITORY}")
        content = path.read_bytes()
        hashes[name] = hashlib.sha256(content).hexdigest()
        missing = [w for w in wanted if w not in _defined(content, path)]
        if missing:
            raise InputError(
                f"--against {folder}: src/{name} defines no {missing[0]}; expected {REPOSITORY}"
            )
    return Checkout(folder, _commit(folder), hashes)


def _defined(content: bytes, path: Path) -> set[str]:
    try:
        body = ast.parse(content).body
    except (SyntaxError, ValueError):
        raise InputError(f"--against: {path}: is not Python code") from None
    return {s.name for s in body if isinstance(s, ast.ClassDef | ast.FunctionDef)}


def _commit(folder: Path) -> str | None:
    """Commit of the checkout, if its top folder is this one."""
    if not (folder / ".git").exists():
        return None
    git = ["git", "-C", str(folder)]
    try:
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True)
        changes = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no"], capture_output=True, text=True
        )
    except OSError:
        return None
    if head.returncode:
        return None
    return head.stdout.strip() + ("+" if changes.stdout.strip() else "")
