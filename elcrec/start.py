"""Weights of another run that a model starts from: `starts_from` in its YAML file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from elcrec.config import Config
from elcrec.errors import InputError
from elcrec.interface import SequenceModel
from elcrec.registry import RunSettings
from elcrec.weights import read_weights


@dataclass(frozen=True)
class Start:
    """A file of weights, as it was when the run began."""

    file: Path
    sha256: str

    def as_dict(self) -> dict[str, str]:
        """Plain values, for the record of the run."""
        return {"file": str(self.file), "sha256": self.sha256}


def find_start(
    config: Config, settings: RunSettings, dataset: str, seed: int, given: Path | None = None
) -> Start | None:
    """The weights that a run starts from; None when they are random.

    Args:
        config: The workflow configuration; runs lie below its `output`.
        settings: What `starts_from` the model's file names.
        dataset: Data set of both runs.
        seed: Seed of both runs.
        given: A file to take instead.

    Raises:
        InputError: There is no such file, or a file is given to a model that starts from none.
    """
    if settings.starts_from is None:
        if given is not None:
            raise InputError(f"--start {given}: {settings.model} starts from no other model")
        return None
    path = given or config.run_folder(dataset, settings.starts_from, seed) / "weights.pt"
    if not path.is_file():
        raise InputError(
            f"{path}: not there yet; {settings.model} starts from it. Make it with: elcrec train "
            f"--dataset {dataset} --model {settings.starts_from} --seed {seed} (and the same "
            "--config), or name a file with --start"
        )
    with path.open("rb") as file:
        return Start(path, hashlib.file_digest(file, "sha256").hexdigest())


def start_from(
    start: Start | None, make: Callable[[Mapping[str, Tensor] | None], SequenceModel]
) -> SequenceModel:
    """The model that `make` makes of the weights, or of None without a start.

    Raises:
        InputError: Not a file of weights, or they do not fit.
    """
    if start is None:
        return make(None)
    weights = read_weights(start.file)
    try:
        return make(weights)
    except InputError as error:
        raise InputError(f"{start.file}: {error}") from None
