"""Models by name: a YAML file says which module to use and with which settings.

A model's id is the name of its YAML file. Values come from these places, later ones winning: the
defaults of the module's `Hyperparameters`; the file's `parameters` and `training`; its section for
the data set; `parameters` and `training` of the workflow configuration; `--set` on the command
line.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from elcrec.config.build import Given, build_from, field_names
from elcrec.config.config import Config
from elcrec.config.merging import Layers
from elcrec.config.model_file import model_layers
from elcrec.errors import InputError, brief, shown, unknown_key
from elcrec.files.yamlfile import parse
from elcrec.runs.definitions import PACKAGES
from elcrec.training.settings import BEFORE, TrainingSettings

if TYPE_CHECKING:
    from elcrec.models.interface import SequenceModel
    from elcrec.training.precision import Precision

_PREFIX = "elcrec_user_"
"""Prefix of the names of modules that are a user's own files."""


@dataclass(frozen=True)
class RunSettings:
    """Everything that determines a run besides data, seed and protocol."""

    model: str
    name: str
    module: ModuleType
    parameters: Any
    """The module's `Hyperparameters`."""
    training: TrainingSettings
    starts_from: str | None = None
    """Model whose weights, of the same data set and seed, this one starts from."""
    precision: Precision = "float32"
    """Of the products in training steps, see `elcrec.training.precision`."""

    def build(self, n_users: int, item_size: int) -> SequenceModel:
        """Make the model; the caller has seeded the weights."""
        model: SequenceModel = self.module.Model(self.parameters, n_users, item_size)
        return model

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for the record of the run; a user's own module is named by its file."""
        module = self.module.__name__
        values = {
            "model": self.model,
            "name": self.name,
            "module": str(self.module.__file__) if module.startswith(_PREFIX) else module,
            "parameters": asdict(self.parameters),
            "training": asdict(self.training),
        }
        if self.starts_from:
            values["starts_from"] = self.starts_from
        if self.precision != "float32":
            values["precision"] = self.precision
        return values

    def digest(self) -> str:
        """Hash of the values that affect results: see `settings_digest`."""
        return settings_digest(self.as_dict())


DIGESTED = ("model", "parameters", "training", "starts_from", "precision")
"""Hashed keys of a run's settings. Neither its name nor the place of its module affects results;
the module's code is in the run's fingerprint."""


def settings_digest(values: Mapping[str, Any]) -> str:
    """Hash of a run's settings: 16 hexadecimal digits.

    Args:
        values: `RunSettings.as_dict`, or the content of a run's config.yaml.
    """
    return hashlib.sha256(json.dumps(digested(values), sort_keys=True).encode()).hexdigest()[:16]


def digested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a run's settings that affect results; `values` as for `settings_digest`."""
    result = {key: values[key] for key in DIGESTED if key in values}
    initial = {f.name: f.metadata[BEFORE] for f in fields(TrainingSettings) if BEFORE in f.metadata}
    if isinstance(training := result.get("training"), Mapping):
        unchanged = [key for key, default in initial.items() if training.get(key) == default]
        result["training"] = {key: value for key, value in training.items() if key not in unchanged}
    return result


def option(key: str, value: Any) -> str:
    """How a message names a value from the command line."""
    return f"--set {brief(key)}={brief(value) if isinstance(value, str) else shown(value)}"


def resolve(
    config: Config,
    model: str,
    dataset: str,
    overrides: Mapping[str, Any] | None = None,
    where: Callable[[str, Any], str] = option,
) -> RunSettings:
    """Settings of `model` on `dataset`.

    Args:
        config: The workflow configuration.
        model: Model id.
        dataset: Data set id.
        overrides: Values by key of the parameters or of the training settings.
        where: Names the place of a key and value of `overrides`, for a message.

    Raises:
        InputError: Unknown key, wrong type or value, or a module without `Model` and
            `Hyperparameters`; names the file, or the option, that has it.
    """
    path = config.model_file(model)
    layers = model_layers(path)
    content = layers.merged()
    module = load_module(content["module"], path)
    classes = (module.Hyperparameters, TrainingSettings)
    parameters, training = (
        _from_file(layers, name, dataset) for name in ("parameters", "training")
    )
    for key, value in config.parameters.get(model, {}).items():
        parameters.append(Given(key, value, config.where_parameter(model, key)))
    if content.get("trained", True):
        for key, value in config.training.items():
            training.append(Given(key, value, config.layers.where("training", key)))
    for key, value in (overrides or {}).items():
        given = Given(key, value, where(key, value))
        allowed = [name for cls in classes for name in field_names(cls)]
        if key not in allowed:
            raise InputError(f"{given.where}: {unknown_key(key, allowed)}")
        (training if key in field_names(TrainingSettings) else parameters).append(given)
    return RunSettings(
        model=model,
        name=config.model_name(model),
        module=module,
        parameters=build_from(module.Hyperparameters, parameters),
        training=build_from(TrainingSettings, training),
        starts_from=_start(content, config, path),
        precision=config.precision,
    )


def _from_file(layers: Layers, section: str, dataset: str) -> list[Given]:
    """Values of a model's files in a section, then in the same section for the data set."""
    content = layers.merged()
    given = []
    for keys in ((section,), ("datasets", dataset, section)):
        values: Any = content
        for key in keys:
            values = values.get(key, {})
        given += [Given(k, value, layers.where(*keys, k)) for k, value in values.items()]
    return given


def _start(content: Mapping[str, Any], config: Config, path: Path) -> str | None:
    """The model that `starts_from` names, if any; it must exist."""
    start = content.get("starts_from")
    if start is not None:
        try:
            config.model_file(str(start))
        except InputError as error:
            raise InputError(f"{path}: starts_from: {error}") from None
    return start


def add_model_file(config: Config, model: str) -> str:
    """Make a path to a model's YAML file known to the config; returns the model's id.

    Raises:
        InputError: The file cannot be read, or is not a model file.
    """
    if not model.endswith((".yaml", ".yml")):
        return model
    path = Path(os.path.expanduser(model))
    model_layers(path)  # refused here if it cannot be read
    config.model_files[path.stem] = path
    return path.stem


def load_module(name: str, path: Path) -> ModuleType:
    """Import a model's module, a dotted name or a .py file, that the YAML file `path` names."""
    try:
        module = _load_file(Path(name)) if name.endswith(".py") else importlib.import_module(name)
    except (ImportError, OSError, SyntaxError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(f"{path}: module: cannot import '{name}' ({reason})") from None
    for needed in ("Model", "Hyperparameters"):
        if not hasattr(module, needed):
            raise InputError(f"{path}: module: '{name}' defines no class '{needed}'")
    if not is_dataclass(module.Hyperparameters):
        raise InputError(f"{path}: module: Hyperparameters of '{name}' is not a dataclass")
    return module


def _load_file(file: Path) -> ModuleType:
    name = f"{_PREFIX}{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


def parse_overrides(texts: Sequence[str]) -> dict[str, Any]:
    """Read `key=value` texts of `--set`; values are read as YAML."""
    values: dict[str, Any] = {}
    for text in texts:
        key, separator, value = text.partition("=")
        key, where = key.strip(), f"--set {brief(text)}"
        if not separator or not key:
            raise InputError(f"{where}: must be key=value")
        if key in values:
            raise InputError(f"{where}: {brief(key)} is set twice")
        values[key] = parse(value, where)
    return values


def module_reference(settings: RunSettings) -> str:
    """Dotted name of the model's module, or the path of a user's own file."""
    name = settings.module.__name__
    if name.partition(".")[0] in PACKAGES:
        return name
    return str(settings.module.__file__)
