"""YAML files of models: which keys they may have, and how one starts from another.

This module does not import torch: the configuration reads these files too.
"""

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from elcrec import ROOT
from elcrec.config.merging import Layers
from elcrec.errors import InputError
from elcrec.files.checked import Line, Section, check, in_file, matching
from elcrec.files.yamlfile import read_yaml

MODEL_FOLDER = ROOT / "workflow" / "config" / "models"
NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
Name = Annotated[str, matching(f"^{NAME}$", "a name of letters, digits, '.', '_' and '-'")]
_MODULE = r"^([A-Za-z_]\w*(\.[A-Za-z_]\w*)*|.*[^/]\.py)$"
_MODULE_WORDS = "a Python module (package.module) or a .py file"
Module = Annotated[str, matching(_MODULE, _MODULE_WORDS), Field(max_length=200)]
Settings = dict[str, Any]
"""What only the model's module can check."""


class OnDataset(Section):
    """Differences on a single data set."""

    parameters: Settings = {}
    training: Settings = {}
    grid: Any = None


class ModelFile(OnDataset):
    """A model: workflow/config/models/<model>.yaml or a file of your own."""

    name: Line | None = None
    """As the tables show it."""
    base: Name | None = None
    """Start from this model's file."""
    module: Module = ""
    trained: bool = True
    """false: `training` of the configuration does not apply."""
    starts_from: str | None = None
    """Model from whose weights, for the same data set and seed, this one starts."""
    datasets: dict[str, OnDataset] = {}
    """Differences on single data sets."""


def read_model_file(path: Path) -> dict[str, Any]:
    """Read a model's YAML file; `base: other` starts from another model's file.

    Raises:
        InputError: It cannot be read, or has an unknown key or a value of a wrong type.
    """
    return model_layers(path).merged()


def model_layers(path: Path) -> Layers:
    """Read a model's YAML file as `read_model_file` does, with the files of its bases before it."""
    layers = Layers(tuple(_chain(path)))
    if "module" not in layers.merged():
        raise InputError(f"{path}: the key 'module' is missing (a Python module or a .py file)")
    return layers


def _chain(path: Path, derived: tuple[Path, ...] = ()) -> list[tuple[Path, dict[str, Any]]]:
    """The file and its bases, the outermost base first; module paths become relative to here."""
    content = read_yaml(path)
    check(ModelFile, content, in_file(path))
    if str(content.get("module", "")).endswith(".py"):
        module = path.parent / os.path.expanduser(content["module"])
        content = {**content, "module": str(module)}
    if "base" not in content:
        return [(path, content)]
    sibling = path.parent / f"{content['base']}.yaml"
    base = sibling if sibling.exists() else MODEL_FOLDER / f"{content['base']}.yaml"
    if not base.exists() or base in (path, *derived):
        raise InputError(f"{path}: base: no model '{content['base']}'")
    return [*_chain(base, (*derived, path)), (path, content)]
