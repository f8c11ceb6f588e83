"""The configuration of a replication: YAML files merged, checked against a strict schema.

This module does not import torch: the Snakefile and light commands read the configuration too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from elcrec import ROOT
from elcrec.config.merging import Layers
from elcrec.config.model_file import MODEL_FOLDER as MODEL_FOLDER
from elcrec.config.model_file import read_model_file
from elcrec.config.schema import check
from elcrec.config.sections import Efficiency, FigureSettings, Nightly, OptionalTables
from elcrec.errors import InputError, unknown
from elcrec.files.yamlfile import read_yaml

DEFAULT = ROOT / "workflow" / "config" / "config.yaml"
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.json"
FROM_RECORDED = "from-recorded"
"""Folder in the output for what is made of recorded runs, apart from those of this machine."""
Keys = tuple[str | int, ...]
# Where models and data sets are named, besides `models`, `released_weights`, keys of `parameters`
MODEL_NAMES: tuple[Keys, ...] = (
    ("efficiency", "models"),
    ("figures", "ablation", "models"),
    ("figures", "sensitivity", "model"),
    ("figures", "convergence"),
    ("figures", "diagnostics"),
    ("figures", "activity"),
    ("figures", "intents_of"),
    ("optional", "models"),
    ("nightly", "models"),
)
DATASET_NAMES: tuple[Keys, ...] = (
    ("use",),
    ("figures", "ablation", "datasets"),
    ("figures", "sensitivity", "datasets"),
    ("nightly", "use"),
)


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
    """`plain` or `native`: see `elcrec.models.native`."""
    graphs: bool
    """Train from CUDA graphs: see `elcrec.training.graph`."""
    precision: Literal["float32", "tf32", "bf16"]
    """Of the products in training steps: see `elcrec.training.precision`."""
    efficiency: Efficiency
    released_weights: list[dict[str, Any]]
    datasets: dict[str, dict[str, Any]]
    keep_checkpoints: bool = False
    """Keep the checkpoints of finished runs."""
    runs: Literal["trained", "recorded"] = "trained"
    """What tables, figures and report are made of; `output` is another folder for `recorded`."""
    recorded: Path = Path("results/recorded")
    """Folder of recorded runs, see `elcrec.recorded`."""
    figures: FigureSettings = field(default_factory=FigureSettings)
    """What is drawn."""
    optional: OptionalTables = field(default_factory=OptionalTables)
    """Tables of data sets that are not part of the replication."""
    nightly: Nightly = field(default_factory=Nightly)
    """The nightly check."""
    model_files: dict[str, Path] = field(default_factory=dict)
    """YAML file of every model id."""
    layers: Layers = field(default_factory=Layers)
    """The files, in order, that it was merged from."""
    followed: dict[str, str] = field(default_factory=dict)
    """Model whose `parameters` an arm of an ablation takes too, by id of the arm."""

    def dataset_name(self, dataset: str) -> str:
        """Name of a data set as the tables show it."""
        return str(self.dataset(dataset).get("name", dataset))

    def model_name(self, model: str) -> str:
        """Name of a model as the tables show it: the `name` in its YAML file."""
        return str(read_yaml(self.model_file(model)).get("name", model))

    def dataset(self, dataset: str) -> dict[str, Any]:
        """The entry of a data set."""
        if dataset not in self.datasets:
            raise InputError(unknown("data set", dataset, self.datasets))
        return self.datasets[dataset]

    def model_file(self, model: str) -> Path:
        """The YAML file of a model id, listed under `models` or in workflow/config/models/."""
        path = self.model_files.get(model) or MODEL_FOLDER / f"{model}.yaml"
        if "/" in model or not os.path.isfile(path):  # no exception for a name that is too long
            paths = [*MODEL_FOLDER.glob("*.yaml"), *self.model_files.values()]
            raise InputError(unknown("model", model, {p.stem for p in paths if os.path.isfile(p)}))
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

    def where_parameter(self, model: str, key: str) -> str:
        """File and key, for a message, of an override in `parameters`."""
        own = ("parameters", model, key)
        if model in self.followed and not self.layers.has(*own):
            return self.layers.where("parameters", self.followed[model], key)
        return self.layers.where(*own)

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
    files = [DEFAULT, *(Path(p) for p in paths if Path(p).resolve() != DEFAULT)]
    layers = Layers(tuple((file, read_yaml(file)) for file in files))
    return from_mapping(layers.merged(), layers.parts)


def from_mapping(
    merged: Mapping[str, Any], layers: Iterable[tuple[Path | str, Mapping[str, Any]]] = ()
) -> Config:
    """Check a merged mapping and make a `Config`; `layers` tell which file a bad key came from."""
    origin = Layers(tuple(layers) or ((DEFAULT, merged),))
    check(merged, SCHEMA, origin)
    files = _model_files(merged["models"], origin)
    efficiency = dict(merged.get("efficiency", {}))
    efficiency["models"] = tuple(efficiency.get("models", ()))
    runs = merged.get("runs", "trained")
    output = Path(merged["output"])
    config = Config(
        output=output / FROM_RECORDED if runs == "recorded" else output,
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
        keep_checkpoints=merged.get("keep_checkpoints", False),
        runs=runs,
        recorded=Path(merged.get("recorded", Config.recorded)),
        figures=FigureSettings.of(merged.get("figures", {})),
        optional=_optional(merged.get("optional", {})),
        nightly=_nightly(merged.get("nightly", {})),
        model_files=files,
        layers=origin,
    )
    _check_names(config, merged)
    for model in (*config.figures.ablation.models, *config.optional.models):
        _take_overrides_of_base(config, model)
    return config


def _model_files(entries: Sequence[str], layers: Layers) -> dict[str, Path]:
    """Files of the entries of `models`, names or paths to YAML files, by id."""
    files: dict[str, Path] = {}
    for number, entry in enumerate(entries):
        where = layers.where("models", number)
        path = MODEL_FOLDER / f"{entry}.yaml"
        if entry.endswith((".yaml", ".yml")):
            path = Path(entry)
            try:
                read_yaml(path)
            except InputError as error:
                raise InputError(f"{where}: {error}") from None
        if path.stem in files:
            raise InputError(
                f"{where}: the model '{path.stem}' is there twice, as {files[path.stem]} and {path}"
            )
        files[path.stem] = path
    return files


def _check_names(config: Config, merged: Mapping[str, Any]) -> None:
    """Refuse names of models and data sets that nothing is known of."""
    datasets = [place for keys in DATASET_NAMES for place in _named(merged, keys)]
    weights = enumerate(config.released_weights)
    datasets += [(("released_weights", n, "dataset"), entry["dataset"]) for n, entry in weights]
    models: list[tuple[Keys, str]] = [(("models", n), m) for n, m in enumerate(config.models)]
    models += [(("parameters", model), model) for model in config.parameters]
    models += [place for keys in MODEL_NAMES for place in _named(merged, keys)]
    for known, places in ((config.dataset, datasets), (config.model_file, models)):
        for path, name in places:
            try:
                known(name)
            except InputError as error:
                raise InputError(f"{config.layers.where(*path)}: {error}") from None


def _named(merged: Mapping[str, Any], path: Keys) -> list[tuple[Keys, str]]:
    """The names that stand at a key, none, one or a list, each with its own key path."""
    node: Any = merged
    for key in path:
        node = node.get(key, {})
    if isinstance(node, list):
        return [((*path, number), name) for number, name in enumerate(node)]
    return [(path, node)] if node else []


def _optional(section: Mapping[str, Any]) -> OptionalTables:
    return OptionalTables(tuple(section.get("models", ())), section.get("with_all", False))


def _take_overrides_of_base(config: Config, arm: str) -> None:
    """Let an ablation arm follow `parameters` of the model it varies, but for its own difference.

    Without this, `parameters: {elcrec: {intents: 64}}` would change the whole model and not the
    arm that it is compared with.
    """
    content = read_yaml(path := config.model_file(arm))
    if "base" in content:
        read_model_file(path)  # refuses what it should not have
        own = set(content.get("parameters", {}))
        base = config.parameters.get(content["base"], {})
        followed = {key: value for key, value in base.items() if key not in own}
        config.parameters[arm] = followed | config.parameters.get(arm, {})
        config.followed[arm] = content["base"]


def _nightly(section: Mapping[str, Any]) -> Nightly:
    return Nightly(**{key: tuple(section.get(key, ())) for key in ("use", "models", "seeds")})
