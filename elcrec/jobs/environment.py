"""Where a number came from: commit, versions, device, host."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from contextlib import suppress
from typing import Any

import psutil
import torch

from elcrec import ROOT
from elcrec.errors import InputError
from elcrec.files.paths import shared_words
from elcrec.jobs.stamp import STAMP, stamped, write_stamp
from elcrec.usage import device_name

PACKAGES = ("torch", "numpy", "scipy", "pandas", "snakemake", "faiss-cpu", "faiss-gpu")


def commit() -> tuple[str | None, bool]:
    """Commit of this project and whether tracked files differ from it; (None, True) if unknown.

    An installed package may be in the repository of another project, whose commit says nothing.
    Files that came without git may have a stamp (`elcrec.jobs.stamp`).
    """
    head = _git("rev-parse", "HEAD") if (ROOT / ".git").exists() else None
    if head is None:
        return stamped()
    return head, _git("status", "--porcelain", "--untracked-files=no") != ""  # None: it failed


def stamp() -> str:
    """Stamp this project's files, for a machine without git; returns a line about it.

    Raises:
        InputError: Git is not available, or there are uncommitted changes.
    """
    head, dirty = commit()
    names = (_git("ls-files", "-z") or "").split("\0")[:-1]
    if head is None or not names:
        raise InputError(f"{ROOT}: no git here; a stamp is made from a git commit")
    if dirty:
        raise InputError(f"{ROOT}: has changes that are not committed; a stamp names a commit")
    return f"{STAMP}: {write_stamp(head, names):,} files of {head}"


def command() -> list[str]:
    """The command being run, without folders of this machine."""
    return ["elcrec", *shared_words(sys.argv[1:])]


def environment(device: torch.device) -> dict[str, Any]:
    """Everything about the machine and the software that a reader of a result may ask for."""
    head, dirty = commit()
    return {
        "commit": head,
        "dirty": dirty,
        "command": command(),
        "device": device_name(device),
        "driver": _driver() if device.type == "cuda" else None,
        "cuda": torch.version.cuda if device.type == "cuda" else None,
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "versions": versions(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "host_load": os.getloadavg()[0],
    }


def versions() -> dict[str, str]:
    """Installed versions of the packages that numbers depend on."""
    installed = {}
    for package in PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            installed[package] = importlib.metadata.version(package)
    return installed


def _git(*arguments: str) -> str | None:
    try:
        process = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return process.stdout.strip()


def _driver() -> str | None:
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    query = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    process = subprocess.run(query, capture_output=True, text=True, check=False)
    return process.stdout.splitlines()[0].strip() if process.stdout else None
