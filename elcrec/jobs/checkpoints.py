"""Checkpoints of a training: written atomically, verified when read; the previous one is kept.

A file is one header line (format, identity of the run, SHA-256 of the rest) and what `torch.save`
wrote. A run resumes only from checkpoints with its own identity, so after a change of settings,
data or code it starts anew. Reading never runs code from the file.
"""

import hashlib
import io
import pickle
import sys
import time
from pathlib import Path
from typing import Any

import torch

from elcrec.errors import InputError, WriteError
from elcrec.files.atomic import remove_partial, replaced

FORMAT = "elcrec-checkpoint-2"
KEPT = 2
SECONDS_BETWEEN = 5.0
"""Minimum time between two checkpoints, so that short epochs do not spend their time on writing."""


class Checkpoints:
    """The checkpoints of one run, `epoch-<number>.ckpt` in a folder of its own."""

    def __init__(self, folder: Path, identity: str, seconds_between: float | None = None) -> None:
        """Make or find the folder.

        Args:
            folder: Folder of the files; made when the first one is written.
            identity: Hash of everything that determines the run: settings, data, code.
            seconds_between: Minimum seconds between two; `SECONDS_BETWEEN` by default.
        """
        self.folder = folder
        self.identity = identity
        self.seconds_between = SECONDS_BETWEEN if seconds_between is None else seconds_between
        self._last = time.monotonic()

    def due(self) -> bool:
        """Whether the last checkpoint is long enough ago."""
        return time.monotonic() - self._last >= self.seconds_between

    def save(self, epoch: int, state: dict[str, Any]) -> None:
        """Write the checkpoint of an epoch and remove all but the last two.

        Raises:
            InputError: It cannot be written, e.g. because the disk is full; older ones are left.
        """
        buffer = io.BytesIO()
        torch.save(state, buffer)
        payload = buffer.getbuffer()
        header = f"{FORMAT} {self.identity} {hashlib.sha256(payload).hexdigest()}\n"
        path = self.folder / f"epoch-{epoch:05d}.ckpt"
        try:
            with replaced(path) as temporary, temporary.open("wb") as file:
                file.write(header.encode())
                file.write(payload)
            for obsolete in self._files()[KEPT:]:
                obsolete.unlink(missing_ok=True)
        except (OSError, WriteError) as error:
            raise InputError(
                f"{error}; training stops here and resumes from the last checkpoint when it is "
                "started again"
            ) from None
        self._last = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """Read the newest checkpoint of this run; None when there is none.

        A damaged one is named on standard error and renamed to `*.damaged`, and the previous one is
        read. One of another run (other settings, data or code) is ignored.
        """
        remove_partial(self.folder)
        for path in self._files():
            try:
                content = path.read_bytes()
                head, _, payload = content.partition(b"\n")
                kind, identity, checksum = head.decode("ascii").split(" ")
                if kind != FORMAT or hashlib.sha256(payload).hexdigest() != checksum:
                    raise ValueError("its checksum does not match")
                if identity != self.identity:
                    print(f"{path}: has other settings, data or code; ignored", file=sys.stderr)
                    continue
                state: dict[str, Any] = torch.load(
                    io.BytesIO(payload), map_location="cpu", weights_only=True
                )
                return state
            except (OSError, ValueError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
                damaged = path.with_suffix(".damaged")
                path.replace(damaged)
                print(f"{path}: damaged ({error}); set aside as {damaged.name}", file=sys.stderr)
        return None

    @staticmethod
    def identities(folder: Path) -> set[str]:
        """Identities of the runs that have checkpoints in a folder; damaged files have none."""
        found = set()
        for path in folder.glob("epoch-*.ckpt"):
            with path.open("rb") as file:
                kind, _, rest = file.readline(200).decode(errors="replace").partition(" ")
            found |= {rest.split(" ")[0]} if kind == FORMAT else set()
        return found

    @staticmethod
    def remove(folder: Path) -> None:
        """Delete all checkpoints in a folder, once the run is recorded, and the empty folder.

        Files of the user's own stay, whatever their names.
        """
        if folder.is_dir():
            remove_partial(folder)
            for path in [*folder.glob("epoch-*.ckpt"), *folder.glob("epoch-*.damaged")]:
                if _is_checkpoint(path):
                    path.unlink()
            if not any(folder.iterdir()):
                folder.rmdir()

    def _files(self) -> list[Path]:
        """Newest first."""
        # Longer names first: from epoch 100000 on a number has more digits.
        files = self.folder.glob("epoch-*.ckpt")
        return sorted(files, key=lambda path: (len(path.name), path.name), reverse=True)


def _is_checkpoint(path: Path) -> bool:
    """Whether a file is ours, perhaps damaged, and not one of the user's."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(len(FORMAT))
    return start == FORMAT.encode()[: len(start)]  # it may have been cut, down to nothing
