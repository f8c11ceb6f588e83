"""The configuration of a replication: YAML files merged, checked against a strict schema.

This module does not import torch: the Snakefile and light commands read the configuration too.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from elcrec.errors import InputError

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = ROOT / "workflow" / "config" / "config.yaml"
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.json"
MODEL_FOLDER = ROOT / "workflow" / "config" / "models"


@dataclass(frozen=True)
class Efficiency:
    """What is measured for Tables 2 and 3."""

    models: tuple[str, ...] = ()
    """Ids of the measured models."""
    seed: int = 1
    """Seed of the measured runs."""
    epochs: int = 10
    """Epochs measured after one warm-up epoch."""


@dataclass(frozen=True)
class Config:
    """A checked configuration; `use`, `models` and `seeds` span the runs."""

    output: Path
    data: Path
    use: list[str]
    models: list[str]
    """Model ids: names of their YAML files without the suffix."""
    seeds: list[int]
    protocol: str
    training: dict[str, Any]
    parameters: dict[str, dict[str, Any]]
    """Overrides of hyper-parameters by model id."""
    threads: int
    kernels: str
    """`plain` or `native`: see `elcrec.native`."""
    graphs: bool
    """Train from CUDA graphs: see `elcrec.graph`."""
    efficiency: Efficiency
    released_weights: list[dict[str, Any]]
    datasets: dict[str, dict[str, Any]]
    model_files: dict[str, Path] = field(default_factory=dict)
    """YAML file of every model id."""

    def dataset_name(self, dataset: str) -> str:
        """Name of a data set as the tables show it."""
        return str(self.dataset(dataset).get("name", dataset))

    def model_name(self, model: str) -> str:
        """Name of a model as the tables show it: the `name` in its YAML file."""
        return str(read_yaml(self.model_file(model)).get("name", model))

    def dataset(self, dataset: str) -> dict[str, Any]:
        """The entry of a data set."""
        if dataset not in self.datasets:
            known = ", ".join(sorted(self.datasets))
            raise InputError(f"unknown data set '{dataset}'; known: {known}")
        return self.datasets[dataset]

    def model_file(self, model: str) -> Path:
        """The YAML file of a model id, listed under `models` or in workflow/config/models/."""
        path = self.model_files.get(model) or MODEL_FOLDER / f"{model}.yaml"
        if not path.exists():
            known = sorted({p.stem for p in MODEL_FOLDER.glob("*.yaml")} | set(self.model_files))
            raise InputError(f"unknown model '{model}'; known: {', '.join(known)}")
        return path

    def sequences_file(self, dataset: str) -> Path:
        """Where the prepared data set lies."""
        return self.data / dataset / "sequences.txt"

    def prepared_file(self, dataset: str) -> Path:
        """The same, of a known data set that has been prepared.

        Raises:
            InputError: It is not known or not there; the message says how to make it.
        """
        self.dataset(dataset)
        path = self.sequences_file(dataset)
        if not path.exists():
            raise InputError(f"{path}: not there yet; make it with: snakemake --cores 1 {path}")
        return path

    def run_folder(self, dataset: str, model: str, seed: int | str) -> Path:
        """Where a run is written."""
        return self.output / "runs" / dataset / model / str(seed)


def load_config(paths: Sequence[Path | str] = ()) -> Config:
    """Read the default configuration and merge `paths` into it, the last one winning.

    Mappings are merged key by key; lists and values are replaced. A file named `config.yaml` of
    this project itself may be among `paths`.

    Raises:
        InputError: A file that cannot be read, or a key or value that the schema refuses; the
            message names the file, the key and what is allowed.
    """
    layers = [(DEFAULT, read_yaml(DEFAULT))]
    layers += [(Path(p), read_yaml(Path(p))) for p in paths if Path(p).resolve() != DEFAULT]
    merged: dict[str, Any] = {}
    for _, layer in layers:
        merged = merge(merged, layer)
    return from_mapping(merged, layers)


def from_mapping(
    merged: Mapping[str, Any], layers: Iterable[tuple[Path, Mapping[str, Any]]] = ()
) -> Config:
    """Check a merged mapping and make a `Config`; `layers` tell which file a bad key came from."""
    layers = list(layers) or [(DEFAULT, dict(merged))]
    error = jsonschema.exceptions.best_match(_validator().iter_errors(merged))
    if error is not None:
        raise InputError(_explain(error, layers))
    files = dict(_model_entry(str(entry)) for entry in merged["models"])
    efficiency = dict(merged.get("efficiency", {}))
    efficiency["models"] = tuple(efficiency.get("models", ()))
    config = Config(
        output=Path(merged["output"]),
        data=Path(merged["data"]),
        use=list(merged["use"]),
        models=list(files),
        seeds=list(merged["seeds"]),
        protocol=merged["protocol"],
        training=dict(merged.get("training", {})),
        parameters=dict(merged.get("parameters", {})),
        threads=merged.get("threads", 2),
        kernels=merged.get("kernels", "plain"),
        graphs=merged.get("graphs", False),
        efficiency=Efficiency(**efficiency),
        released_weights=list(merged.get("released_weights", [])),
        datasets=dict(merged["datasets"]),
        model_files=files,
    )
    for dataset in config.use:
        config.dataset(dataset)
    for model in (*config.models, *config.efficiency.models, *config.parameters):
        config.model_file(model)
    return config


def merge(base: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two mappings key by key, recursively; `update` wins where both have a value."""
    result = dict(base)
    for key, value in update.items():
        old = result.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return result


@functools.cache
def _read_yaml(path: Path, modified: int) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(f"{path}{line}: not valid YAML: {problem}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InputError(f"{path}: must be a mapping of keys to values")
    return content


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping; InputError names the file and the line."""
    try:
        return _read_yaml(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None


@functools.cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))


def _model_entry(entry: str) -> tuple[str, Path]:
    """Id and file of an entry of `models`: a name, or a path to a YAML file."""
    if entry.endswith((".yaml", ".yml")):
        path = Path(entry)
        if not path.exists():
            raise InputError(f"models: {entry}: no such file")
        return path.stem, path
    return entry, MODEL_FOLDER / f"{entry}.yaml"


def _explain(
    error: jsonschema.ValidationError, layers: Sequence[tuple[Path, Mapping[str, Any]]]
) -> str:
    """One line: file, key, what is wrong, what is allowed."""
    path = list(error.absolute_path)
    if error.validator == "additionalProperties":
        schema: Any = error.schema
        instance: Any = error.instance
        allowed = schema["properties"]
        unknown = next(k for k in instance if k not in allowed)
        file = _origin([*path, unknown], layers)
        where = ".".join(map(str, [*path, unknown]))
        return f"{file}: unknown key '{where}'; allowed: {', '.join(sorted(allowed))}"
    where = ".".join(map(str, path)) or "top level"
    return f"{_origin(path, layers)}: {where}: {error.message}"


def _origin(path: Sequence[str | int], layers: Sequence[tuple[Path, Mapping[str, Any]]]) -> Path:
    """The last file that has the key."""
    for file, layer in reversed(layers):
        node: Any = layer
        try:
            for key in path:
                node = node[key]
        except (KeyError, IndexError, TypeError):
            continue
        return file
    return layers[-1][0]
