"""The configuration of a replication: YAML files merged and checked.

This module does not import torch: the Snakefile and light commands read the configuration too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from elcrec import ROOT
from elcrec.config import sections
from elcrec.config.merging import Layers
from elcrec.config.model_file import MODEL_FOLDER as MODEL_FOLDER
from elcrec.config.model_file import Name, Settings, read_model_file
from elcrec.config.names import DatasetName, Known, ModelEntry, ModelName, may_be_named, model_file
from elcrec.data.repeats import RankingProtocol
from elcrec.data.sources import Dataset
from elcrec.errors import InputError, shown, unknown
from elcrec.files.checked import FilePath, Section, Some, check
from elcrec.files.yamlfile import read_yaml

DEFAULT = ROOT / "workflow" / "config" / "config.yaml"
FROM_RECORDED = "from-recorded"
"""Folder in the output for what is made of recorded runs, apart from those of this machine."""


def _of_project(path: Path) -> Path:
    own = ROOT / path
    return own if own.exists() and not path.exists() else path


class ConfigFile(Section):
    """What a configuration may say. `use`, `models` and `seeds` span the runs."""

    # The first two say what may be named in all others.
    datasets: Annotated[dict[Name, Dataset], AfterValidator(may_be_named)]
    """Every known data set, by the name that `use` and the folders have."""
    models: Annotated[list[ModelEntry], Field(min_length=1)]
    """Names of workflow/config/models/<name>.yaml, or paths to such files."""
    output: FilePath
    """Folder of run folders, tables and figures."""
    data: FilePath
    """Folder of fetched and prepared data sets."""
    use: Some[DatasetName]
    """Data sets to run, in the order of the tables; each is a key of `datasets`."""
    seeds: Some[sections.Seed]
    """One run of every model on every data set per seed."""
    protocol: RankingProtocol
    """paper: items seen before score 0, as in the released code; strict: -inf; repeats: they
    compete with the scores that the model gives them."""
    training: Settings = {}
    """Overrides the training section of every model that is trained."""
    parameters: dict[ModelName, Settings] = {}
    """Overrides of hyper-parameters, by model: {elcrec: {intents: 64}}."""
    runs: Literal["trained", "recorded"] = "trained"
    """What tables, figures and report are made of: trained, runs of this machine; recorded, those
    that are kept in `recorded`, and nothing is trained."""
    recorded: Annotated[FilePath, AfterValidator(_of_project), Field(validate_default=True)] = Path(
        "results/recorded"
    )
    """Folder of recorded runs, a folder per machine; one that is not in the working directory is
    looked for in this project's."""
    threads: Annotated[int, Field(ge=1, le=1024)] = 2
    """CPU threads of one training job."""
    kernels: Literal["plain", "native"] = "plain"
    """native: train Transformers on the CPU with compiled kernels, for which g++ is needed."""
    graphs: bool = False
    """Train from CUDA graphs where there is a GPU."""
    precision: Literal["float32", "tf32", "bf16"] = "float32"
    """Of the products in training steps: tf32 on a GPU only; bf16: autocast."""
    keep_checkpoints: bool = False
    """Keep the checkpoints of finished runs."""
    efficiency: sections.Efficiency = sections.Efficiency()
    figures: sections.FigureSettings = sections.FigureSettings()
    nightly: sections.Nightly = sections.Nightly()
    released_weights: list[sections.ReleasedWeights] = []


class Config(ConfigFile):
    """A checked configuration; `models` are ids, `output` is another folder for `recorded`."""

    model_files: dict[str, Path] = {}
    """YAML file of every model id."""
    layers: Layers = Layers()
    """The files, in order, that it was merged from."""
    followed: dict[str, str] = {}
    """Model whose `parameters` an arm of an ablation takes too, by id of the arm."""

    def dataset_name(self, dataset: str) -> str:
        """Name of a data set as the tables show it."""
        return self.dataset(dataset).name or dataset

    def model_name(self, model: str) -> str:
        """Name of a model as the tables show it: the `name` in its YAML file."""
        return str(read_yaml(self.model_file(model)).get("name", model))

    def dataset(self, dataset: str) -> Dataset:
        """The entry of a data set."""
        if dataset not in self.datasets:
            raise InputError(unknown("data set", dataset, self.datasets))
        return self.datasets[dataset]

    def model_file(self, model: str) -> Path:
        """The YAML file of a model id, listed under `models` or in workflow/config/models/."""
        return model_file(model, self.model_files)

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
    known = Known()
    told: ConfigFile = check(ConfigFile, merged, origin.where, known)
    output = told.output / FROM_RECORDED if told.runs == "recorded" else told.output
    more = {"output": output, "model_files": known.models, "layers": origin, "followed": {}}
    config = Config.model_construct(**dict(told) | more)
    _refuse_equal_names(config, "use", config.use, config.dataset_name)
    _refuse_equal_names(config, "models", config.models, config.model_name)
    for model in config.figures.ablation.models:
        _take_overrides_of_base(config, model)
    return config


def _refuse_equal_names(
    config: Config, key: str, ids: Iterable[str], name_of: Callable[[str], str]
) -> None:
    """Two things of one name could not be told apart in a table."""
    first: dict[str, str] = {}
    for each in ids:
        other = first.setdefault(name := name_of(each), each)
        if other != each:
            raise InputError(
                f"{config.layers.where(key)}: {other} and {each} are both named {shown(name)}; "
                "give one of them another `name`"
            )


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
