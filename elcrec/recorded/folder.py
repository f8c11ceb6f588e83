"""A machine's folder in the record: run folders, laid out as below an output folder."""

import re
import shlex
from pathlib import Path
from typing import Annotated

from elcrec.errors import InputError, brief, shown
from elcrec.files.checked import Amount, Count, Line, Positive, Record, check, having, in_file
from elcrec.files.jsonfile import read_json, read_object
from elcrec.files.weights import WEIGHTS
from elcrec.runs.places import place_of
from elcrec.runs.record import MetricsFile

EXTRAS = ("efficiency", "released")
"""Folders of measurements and of checks of published weights: JSON by data set and model."""
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")


class Environment(Record):
    """Content of `environment.json`: machine and software of a run."""

    command: list[Line]
    device: Line
    driver: Line | None
    cuda: Line | None
    threads: Count
    python: Line
    versions: dict[Line, Line]
    system: Line
    cores: Count
    memory_bytes: Count


class RecordedRun(MetricsFile):
    """A recorded run without its ranks, history and settings."""

    seconds: Annotated[dict[str, Amount], having("total")]
    graphs: bool
    at_once: Positive
    """Runs in one process."""
    folder: Path
    environment: Environment

    @property
    def variant(self) -> str:
        """`<parameter>-<value>` of a sensitivity run; empty for a run of the model as it is."""
        return self.folder.parent.name if self.folder.parents[2].name == "sensitivity" else ""

    @property
    def key(self) -> tuple[str, str, str, int]:
        """Data set, model, variant, seed."""
        return self.dataset, self.model, self.variant, self.seed

    @property
    def id(self) -> str:
        """Its name for a reader: `beauty-elcrec-1`, `beauty-elcrec-alpha-0.1-1`."""
        return "-".join(str(part) for part in self.key if part != "")

    @property
    def loadable(self) -> str:
        """Its name for `elcrec.load`: `beauty/elcrec/1`; empty if its weights are not kept."""
        kept = (self.folder / WEIGHTS).exists() and not self.variant
        return f"{self.dataset}/{self.model}/{self.seed}" if kept else ""

    @property
    def hardware(self) -> str:
        """Its device, without the number of threads."""
        return self.device.split(" (")[0]

    @property
    def summary(self) -> str:
        """One line with its main results."""
        test = "  ".join(f"{name} {self.metrics['test'][name]:.4f}" for name in ("HR@5", "NDCG@20"))
        return f"{self.id}: {test}  ({self.epochs} epochs, {self.hours:.2f} h)"

    @property
    def command(self) -> str:
        """The command that makes it again."""
        return shlex.join(self.environment.command)

    @property
    def hours(self) -> float:
        """How long it took."""
        return self.seconds["total"] / 3600


def machine_folder(record: Path, name: str) -> Path:
    """A machine's folder in a record, which need not exist yet.

    Raises:
        InputError: The name is not allowed for a machine.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{shown(name)}: must be lowercase letters, digits, dots and dashes, such as gpu-h200"
        )
    return record / name


def run_folders(folder: Path) -> list[Path]:
    """The folders of finished runs below a machine's folder or an output folder."""
    folders = (p for kind in ("runs", "sensitivity") for p in folder.glob(f"{kind}/*/*/*"))
    return sorted(path for path in folders if (path / "metrics.json").exists())


def extra_files(folder: Path) -> list[Path]:
    """The files of `EXTRAS` below such a folder."""
    return sorted(path for kind in EXTRAS for path in folder.glob(f"{kind}/*/[!.]*.json"))


def recorded_runs(machine: Path) -> list[RecordedRun]:
    """The runs of a machine.

    Raises:
        InputError: A record is missing or incomplete.
    """
    return [read_run(folder) for folder in run_folders(machine)]


def read_run(folder: Path) -> RecordedRun:
    """Read a run; errors as for `recorded_runs`."""
    path = folder / "metrics.json"
    environment = read_json(folder / "environment.json", Environment)
    values = read_object(path) | {"folder": folder, "environment": environment}
    run: RecordedRun = check(RecordedRun, values, in_file(path))
    if folder.parts[-4:] != place_of(*run.key).parts:
        raise InputError(f"{path}: is of {brief(run.id)}, which belongs in another folder")
    return run
