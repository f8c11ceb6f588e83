"""A finished run for inference: its folder found, its model rebuilt with its weights."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from elcrec.config.build import build
from elcrec.config.config import Config
from elcrec.config.model_file import read_model_file
from elcrec.errors import InputError, did_you_mean, shown
from elcrec.files.jsonfile import read_json
from elcrec.files.paths import as_path
from elcrec.files.weights import fit, read_weights, weights_file
from elcrec.models.interface import SequenceModel
from elcrec.runs.places import machines
from elcrec.runs.reading import failure
from elcrec.runs.record import MetricsFile, read_config
from elcrec.runs.settings import load_module

Make = Callable[[int, int], SequenceModel]
"""Makes a model from the numbers of users and of rows in the item table."""


@dataclass(frozen=True)
class Restored:
    """A run's model, as it was tested."""

    name: str
    """As the tables show it."""
    metrics: MetricsFile
    model: SequenceModel
    per_user: bool
    """It has weights for each training user, and so none for other users."""


def find(run: Path | str, config: Config) -> Path:
    """The folder of a run: the path itself, or that of a recorded run, `beauty/elcrec/2`.

    If several machines recorded it, the first one that has its weights is used.

    Raises:
        InputError: There is neither.
    """
    try:
        path = as_path(str(run))
    except ValueError as error:
        raise InputError(f"run: {error}") from None
    if path.is_dir():
        return path
    record = [machine / "runs" for machine in machines(config.recorded)]
    folders = [runs / path for runs in record if (runs / path / "metrics.json").exists()]
    if not folders or path.is_absolute():
        all_runs = ((runs, file.parent) for runs in record for file in runs.rglob("metrics.json"))
        ids = {run.relative_to(r).as_posix() for r, run in all_runs if weights_file(run).exists()}
        raise InputError(
            f"{run}: no such run{did_you_mean(run, ids)}; allowed: the folder of a run, or a "
            f"recorded one with weights: {', '.join(sorted(ids)) or 'there is none'}"
        )
    return next((folder for folder in folders if weights_file(folder).exists()), folders[0])


def restore(folder: Path, config: Config, device: torch.device) -> Restored:
    """Rebuild the model of a run with the weights that were tested.

    The module that its config.yaml names is imported (a file, for a user's own model); if that
    module no longer exists, the module of the current model of this name.

    Raises:
        InputError: The run has not finished, its weights are missing or do not fit, or a file is
            damaged.
    """
    path = folder / "config.yaml"
    if not (folder / "metrics.json").exists():
        seeds = sorted(file.parent.name for file in folder.glob("*/metrics.json"))
        why = f"it contains runs {', '.join(seeds)}: name one of them" if seeds else failure(folder)
        raise InputError(f"{folder}: holds no finished run ({why})")
    metrics = read_json(folder / "metrics.json", MetricsFile)
    settings = read_config(folder)
    module = _module(settings.module, path, metrics.model, config)
    parameters = build(module.Hyperparameters, settings.parameters, f"{path}: parameters")
    file = weights_file(folder)
    if not file.exists():
        options = ("--dataset", metrics.dataset, "--model", metrics.model, "--seed", metrics.seed)
        command = config.elcrec("train", *map(str, options))
        raise InputError(f"{file}: not kept with this run; train it again with: {command}")
    weights = read_weights(file)
    with torch.random.fork_rng(devices=[]):  # the initial weights are drawn only to be replaced
        make = partial(module.Model, parameters)
        small_shapes = _shapes(make, 1, 3)
        size = _item_size(small_shapes, _shapes(make, 1, 4), weights, file)
        per_user = small_shapes != _shapes(make, 2, 3)
        model = make(metrics.users, size)
    fit(model, weights, f"{file}: does not fit {settings.name}")
    return Restored(settings.name, metrics, model.to(device).eval(), per_user)


def _module(name: str, path: Path, model: str, config: Config) -> ModuleType:
    try:
        return load_module(name, path)
    except InputError as error:
        with suppress(InputError):
            file = config.model_file(model)
            return load_module(read_model_file(file)["module"], file)
        raise error from None


def _shapes(make: Make, users: int, size: int) -> dict[str, torch.Size]:
    """The shapes of a model's weights, by name."""
    return {name: weights.shape for name, weights in make(users, size).state_dict().items()}


def _item_size(
    small: Mapping[str, torch.Size],
    larger: Mapping[str, torch.Size],
    weights: Mapping[str, Tensor],
    file: Path,
) -> int:
    """Number of item rows, told by the dimension that grows with it; no file of a run has it.

    Args:
        small: Shapes with 3 item rows: padding, an item and the mask.
        larger: The same with 4.
        weights: Those of the run.
        file: Where they are, for messages.
    """
    for name, form in small.items():
        for axis, (small_size, large_size) in enumerate(zip(form, larger[name], strict=True)):
            if small_size == large_size or name not in weights or weights[name].dim() != len(form):
                continue
            if (more := weights[name].shape[axis] - small_size) >= 0:
                return more + 3
    raise InputError(f"{file}: {shown(', '.join(weights))} do not tell how many items there are")
