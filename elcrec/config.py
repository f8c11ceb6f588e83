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

from elcrec.errors import InputError
from elcrec.figures.settings import FigureSettings
from elcrec.names import Precision
from elcrec.yamlfile import merge, read_yaml

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
class OptionalTables:
    """What is run for Tables 7 to 9, whose data sets `all` does not fetch."""

    models: tuple[str, ...] = ()
    """Ids of the models in Tables 8 and 9."""
    with_all: bool = False
    """`all` makes those tables whose data set is prepared already."""


@dataclass(frozen=True)
class Replication:
    """What `snakemake replication_check` runs and compares."""

    use: tuple[str, ...] = ()
    """Data sets."""
    models: tuple[str, ...] = ()
    """Ids of the models."""
    seeds: tuple[int, ...] = ()
    """A cell is the mean over all of them."""
    reference: Path = Path("reference.json")
    """What the runs are compared with."""


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
    precision: Precision
    """Of the products in training steps: see `elcrec.precision`."""
    efficiency: Efficiency
    released_weights: list[dict[str, Any]]
    datasets: dict[str, dict[str, Any]]
    tolerance_percent: float = 5.0
    """How far our mean may be from the paper's value for a cell to count as reproduced."""
    figures: FigureSettings = field(default_factory=FigureSettings)
    """What is drawn."""
    optional: OptionalTables = field(default_factory=OptionalTables)
    """Tables of data sets that are not part of the replication."""
    replication: Replication = field(default_factory=Replication)
    """The nightly check."""
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
        precision=merged.get("precision", "float32"),
        efficiency=Efficiency(**efficiency),
        released_weights=list(merged.get("released_weights", [])),
        datasets=dict(merged["datasets"]),
        tolerance_percent=merged.get("verdict", {}).get("tolerance_percent", 5.0),
        figures=FigureSettings.of(merged.get("figures", {})),
        optional=_optional(merged.get("optional", {})),
        replication=_replication(merged.get("replication", {})),
        model_files=files,
    )
    for dataset in (*config.use, *config.replication.use):
        config.dataset(dataset)
    named = (*config.models, *config.efficiency.models, *config.figures.models())
    named = (*named, *config.replication.models)
    for model in (*named, *config.optional.models, *config.parameters):
        config.model_file(model)
    for model in (*config.figures.ablation.models, *config.optional.models):
        _take_overrides_of_base(config, model)
    return config


def _optional(section: Mapping[str, Any]) -> OptionalTables:
    return OptionalTables(tuple(section.get("models", ())), section.get("with_all", False))


def _take_overrides_of_base(config: Config, arm: str) -> None:
    """Let an ablation arm follow `parameters` of the model it varies, but for its own difference.

    Without this, `parameters: {elcrec: {intents: 64}}` would change the whole model and not the
    arm that it is compared with.
    """
    content = read_yaml(config.model_file(arm))
    if "base" in content:
        own = set(content.get("parameters", {}))
        base = config.parameters.get(content["base"], {})
        followed = {key: value for key, value in base.items() if key not in own}
        config.parameters[arm] = followed | config.parameters.get(arm, {})


def _replication(section: Mapping[str, Any]) -> Replication:
    lists = {key: tuple(section.get(key, ())) for key in ("use", "models", "seeds")}
    return Replication(**lists, reference=Path(section.get("reference", Replication.reference)))


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
