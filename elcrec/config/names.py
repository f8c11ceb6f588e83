"""Names in a configuration: of data sets and models, each of which must be known."""

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, ValidationInfo

from elcrec.config.model_file import MODEL_FOLDER, NAME, Name
from elcrec.errors import InputError, did_you_mean, shown, unknown
from elcrec.files.checked import matching
from elcrec.files.paths import as_path
from elcrec.files.yamlfile import read_yaml

D = TypeVar("D", bound=Collection[str])
_ENTRY = rf"^{NAME}$|^(.*/)?{NAME}\.ya?ml$"
FAMILIES = ("HR", "NDCG", "MRR")
"""What the name of a metric begins with, see `elcrec.evaluation.metrics`."""
REFERENCE = "elcrec"
"""The model that the others are compared with."""
BASELINE = "iclrec"
"""The model that ELCRec improves on: the paper reports leads over it."""


@dataclass
class Known:
    """Names that a configuration may use: the context of its validators, which fill it in."""

    datasets: Collection[str] | None = None
    """None if `datasets` itself is invalid."""
    models: dict[str, Path] = field(default_factory=dict)
    """YAML file of every entry of `models`, by model id."""


def model_file(model: str, files: Mapping[str, Path]) -> Path:
    """The YAML file of a model id, one of `files` or in workflow/config/models/.

    Raises:
        InputError: There is none.
    """
    path = files.get(model) or MODEL_FOLDER / f"{model}.yaml"
    if "/" in model or not os.path.isfile(path):  # no exception for a name that is too long
        paths = [*MODEL_FOLDER.glob("*.yaml"), *files.values()]
        raise InputError(unknown("model", model, {p.stem for p in paths if os.path.isfile(p)}))
    return path


def may_be_named(datasets: D, info: ValidationInfo[Known]) -> D:
    """Validator of `datasets`: note their names."""
    info.context.datasets = datasets
    return datasets


def _of_dataset(name: str, info: ValidationInfo[Known]) -> str:
    known = info.context.datasets
    if known is not None and name not in known:
        raise ValueError(unknown("data set", name, known))
    return name


def _of_model(name: str, info: ValidationInfo[Known]) -> str:
    try:
        model_file(name, info.context.models)
    except InputError as error:
        raise ValueError(str(error)) from None
    return name


def _of_no_model(name: str, info: ValidationInfo[Known]) -> str:
    try:
        path = model_file(name, info.context.models)
    except InputError:
        return name
    raise ValueError(f"the name {name!r} is already used by the model in {path}; choose another")


def _entry(entry: str, info: ValidationInfo[Known]) -> str:
    """Note the file of an entry of `models`; returns the id of the model."""
    path, files = MODEL_FOLDER / f"{entry}.yaml", info.context.models
    if entry.endswith((".yaml", ".yml")):
        path = as_path(entry)
        try:
            read_yaml(path)
        except InputError as error:
            raise ValueError(str(error)) from None
    if path.stem in files:
        paths = f"{files[path.stem]} and {path}"
        raise ValueError(f"the model '{path.stem}' is listed twice, as {paths}")
    files[path.stem] = path
    return _of_model(path.stem, info)


def _of_metric(name: str) -> str:
    if not re.fullmatch(rf"({'|'.join(FAMILIES)})@[1-9][0-9]{{0,5}}", name, re.ASCII):
        k = re.sub(r"\D", "", name).lstrip("0")[:6] or "10"
        hint = did_you_mean(name.upper(), [f"{family}@{k}" for family in FAMILIES])
        allowed = ", ".join(f"{family}@k" for family in FAMILIES)
        raise ValueError(f"unknown metric {shown(name)}{hint}; allowed: {allowed}, k from 1")
    return name


DatasetName = Annotated[Name, AfterValidator(_of_dataset)]
ModelName = Annotated[Name, AfterValidator(_of_model)]
ExternalName = Annotated[Name, AfterValidator(_of_no_model)]
MetricName = Annotated[str, AfterValidator(_of_metric)]
ModelEntry = Annotated[
    str,
    matching(_ENTRY, "the name of a model, or the path of a .yaml file"),
    AfterValidator(_entry),
]
"""An entry of `models`; it becomes the id of the model."""
