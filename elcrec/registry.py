"""Models by name: a YAML file says which module to use and with which settings.

A model's id is the name of its YAML file. Values are taken, the later winning, from: the defaults
of the module's `Hyperparameters`; the file's `parameters` and `training`; its section for the data
set; `parameters` and `training` of the workflow configuration; `--set` on the command line.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from elcrec.config import MODEL_FOLDER, Config
from elcrec.errors import InputError
from elcrec.interface import SequenceModel
from elcrec.names import Precision
from elcrec.settings import build
from elcrec.training_settings import TrainingSettings
from elcrec.yamlfile import merge, read_yaml

KEYS = (
    "name",
    "base",
    "module",
    "trained",
    "starts_from",
    "parameters",
    "training",
    "grid",
    "datasets",
)


@dataclass(frozen=True)
class RunSettings:
    """Everything that decides a run besides data, seed and protocol."""

    model: str
    name: str
    module: ModuleType
    parameters: Any
    """The module's `Hyperparameters`."""
    training: TrainingSettings
    starts_from: str | None = None
    """Model whose weights, of the same data set and seed, this one starts from."""
    precision: Precision = "float32"
    """Of the products in training steps, see `elcrec.precision`."""

    def build(self, n_users: int, item_size: int) -> SequenceModel:
        """Make the model; the caller has seeded the weights."""
        model: SequenceModel = self.module.Model(self.parameters, n_users, item_size)
        return model

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for the record of the run."""
        values = {
            "model": self.model,
            "name": self.name,
            "module": self.module.__name__,
            "parameters": asdict(self.parameters),
            "training": asdict(self.training),
        }
        if self.starts_from:
            values["starts_from"] = self.starts_from
        if self.precision != "float32":
            values["precision"] = self.precision
        return values

    def digest(self) -> str:
        """Hash of all values but the name, which changes no number: 16 hexadecimal digits."""
        values = self.as_dict() | {"name": None}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def resolve(
    config: Config, model: str, dataset: str, overrides: Mapping[str, Any] | None = None
) -> RunSettings:
    """Settings of `model` on `dataset`.

    Args:
        config: The workflow configuration.
        model: Model id.
        dataset: Data set id.
        overrides: Values by key of the parameters or of the training settings.

    Raises:
        InputError: Unknown key, wrong type, or a module without `Model` and `Hyperparameters`.
    """
    path = config.model_file(model)
    content = read_model_file(path)
    module = load_module(content["module"], path)
    special = content.get("datasets", {}).get(dataset, {})
    parameters = {**content.get("parameters", {}), **special.get("parameters", {})}
    parameters |= config.parameters.get(model, {})
    training = {**content.get("training", {}), **special.get("training", {})}
    if content.get("trained", True):
        training |= config.training
    names = TrainingSettings.__dataclass_fields__
    for key, value in (overrides or {}).items():
        (training if key in names else parameters)[key] = value
    return RunSettings(
        model=model,
        name=content.get("name", model),
        module=module,
        parameters=build(module.Hyperparameters, parameters, f"{path}: parameters"),
        training=build(TrainingSettings, training, f"{path}: training"),
        starts_from=_start(content, config, path),
        precision=config.precision,
    )


def _start(content: Mapping[str, Any], config: Config, path: Path) -> str | None:
    """The model that `starts_from` names, if it does; it must exist."""
    start = content.get("starts_from")
    if start is not None:
        try:
            config.model_file(str(start))
        except InputError as error:
            raise InputError(f"{path}: starts_from: {error}") from None
    return start


def add_model_file(config: Config, model: str) -> str:
    """Make a path to a model's YAML file known to the config; returns the model's id."""
    if not model.endswith((".yaml", ".yml")):
        return model
    path = Path(model)
    config.model_files[path.stem] = path
    return path.stem


def read_model_file(path: Path, below: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Read a model's YAML file; `base: other` starts from another model's file."""
    content = read_yaml(path)
    for key in content:
        if key not in KEYS:
            raise InputError(f"{path}: unknown key '{key}'; allowed: {', '.join(KEYS)}")
    if "base" in content:
        beside = path.parent / f"{content['base']}.yaml"
        base = beside if beside.exists() else MODEL_FOLDER / f"{content['base']}.yaml"
        if not base.exists() or base in (path, *below):
            raise InputError(f"{path}: base: no model '{content['base']}'")
        inherited = read_model_file(base, (*below, path))
        if not str(inherited["module"]).endswith(".py"):
            return merge(inherited, content)
        return merge({**inherited, "module": str(base.parent / inherited["module"])}, content)
    if "module" not in content:
        raise InputError(f"{path}: the key 'module' is missing (a Python module or a .py file)")
    for section in ("parameters", "training", "datasets"):
        if not isinstance(content.get(section, {}), Mapping):
            raise InputError(f"{path}: {section}: must be a mapping of keys to values")
    return content


def load_module(name: str, path: Path) -> ModuleType:
    """Import a model's module: a dotted name, or a .py file relative to the YAML file `path`."""
    try:
        module = _load_file(path.parent / name) if name.endswith(".py") else _import(name)
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise InputError(f"{path}: module: cannot import '{name}' ({error})") from None
    for needed in ("Model", "Hyperparameters"):
        if not hasattr(module, needed):
            raise InputError(f"{path}: module: '{name}' defines no class '{needed}'")
    return module


def _import(name: str) -> ModuleType:
    return importlib.import_module(name)


def _load_file(file: Path) -> ModuleType:
    name = f"elcrec_user_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


def parse_overrides(texts: Sequence[str]) -> dict[str, Any]:
    """Read `key=value` texts of `--set`; values are read as YAML."""
    values = {}
    for text in texts:
        key, separator, value = text.partition("=")
        if not separator or not key:
            raise InputError(f"--set {text}: must be key=value")
        values[key.strip()] = yaml.safe_load(value)
    return values


def module_reference(settings: RunSettings) -> str:
    """Dotted name of the model's module, or the path of a user's own file."""
    name = settings.module.__name__
    if name.startswith(("elcrec.", "baselines.")):
        return name
    return str(settings.module.__file__)
