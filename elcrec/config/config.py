"""The configuration of a replication: YAML files merged and checked.

This module does not import torch: the Snakefile and light commands read the configuration too.
"""

import os
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from elcrec import ROOT
from elcrec.config import sections
from elcrec.config.industrial import Industrial
from elcrec.config.merging import Layers
from elcrec.config.model_file import MODEL_FOLDER as MODEL_FOLDER
from elcrec.config.model_file import Name, Settings, read_model_file
from elcrec.config.names import (
    DatasetName,
    ExternalName,
    Known,
    MetricName,
    ModelEntry,
    ModelName,
    may_be_named,
    model_file,
)
from elcrec.data.repeats import RankingProtocol
from elcrec.data.sources import PREPARED, Dataset, check_own, is_whole
from elcrec.errors import InputError, shown, unknown
from elcrec.files.checked import FilePath, Section, Some, Unique, check
from elcrec.files.yamlfile import read_yaml

SNAKEFILE = ROOT / "Snakefile"
DEFAULT = ROOT / "workflow" / "config" / "config.yaml"
FROM_RECORDED = "from-recorded"
"""Folder in the output for results from recorded runs, apart from those of this machine."""
NOT_TRAINED = "not trained here"
"""Marks the models of other frameworks wherever their names are shown."""


def _of_project(path: Path) -> Path:
    project_path = ROOT / path
    return project_path if project_path.exists() and not path.exists() else path


class ConfigFile(Section):
    """What a configuration may contain. `use`, `models` and `seeds` define the runs."""

    # The first two define the names that all others may use.
    datasets: Annotated[dict[Name, Dataset], AfterValidator(may_be_named)]
    """Every known data set, by the name used in `use` and for folders."""
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
    keep the scores that the model gives them."""
    metrics: Unique[MetricName] = []
    """Metrics of tables, figures and report: HR@k, NDCG@k or MRR@k, computed from the saved ranks;
    none: those of the paper's Table 1."""
    training: Settings = {}
    """Overrides the training section of every model that is trained."""
    parameters: dict[ModelName, Settings] = {}
    """Overrides of hyper-parameters, by model: {elcrec: {intents: 64}}."""
    runs: Literal["trained", "recorded"] = "trained"
    """The runs in tables, figures and report. trained: runs of this machine; recorded: those kept
    in `recorded`, and nothing is trained."""
    recorded: Annotated[FilePath, AfterValidator(_of_project), Field(validate_default=True)] = Path(
        "results/recorded"
    )
    """Folder of recorded runs, with one folder per machine; if the working directory has none, that
    of this project is used."""
    threads: sections.Threads = 2
    """CPU threads of one training job."""
    kernels: Literal["plain", "native"] = "plain"
    """native: train Transformers on the CPU with compiled kernels, which need g++."""
    graphs: bool = False
    """Train with CUDA graphs if there is a GPU."""
    precision: Literal["float32", "tf32", "bf16"] = "float32"
    """Of the matrix products in training steps: tf32 on a GPU only; bf16: autocast."""
    keep_checkpoints: bool = False
    """Keep the checkpoints of finished runs."""
    efficiency: sections.Efficiency = sections.Efficiency()
    figures: sections.FigureSettings = sections.FigureSettings()
    nightly: sections.Nightly = sections.Nightly()
    external: dict[ExternalName, sections.External] = {}
    """Models of other frameworks by id, each with its predictions; Table 1 includes them."""
    released_weights: list[sections.ReleasedWeights] = []
    industrial: Industrial


class Config(ConfigFile):
    """A checked configuration; `models` are ids; with `runs: recorded`, `output` is a subfolder."""

    model_files: dict[str, Path] = {}
    """YAML file of every model id."""
    layers: Layers = Layers()
    """The files, in order, that it was merged from."""
    followed: dict[str, str] = {}
    """Model whose `parameters` an ablation arm also uses, by id of the arm."""

    @property
    def compared(self) -> list[str]:
        """Ids of the models of Table 1: `models`, then `external`."""
        return [*self.models, *self.external]

    def external_files(self) -> list[Path]:
        """Predictions on the data sets in use, and the prepared files that they refer to."""
        pairs = [(d, e.files[d]) for e in self.external.values() for d in self.use if d in e.files]
        prepared = [self.data / dataset / name for dataset, _ in pairs for name in PREPARED]
        return list(dict.fromkeys([*(file for _, files in pairs for file in files), *prepared]))

    def dataset_name(self, dataset: str) -> str:
        """Name of a data set as the tables show it."""
        return self.dataset(dataset).name or dataset

    def model_name(self, model: str) -> str:
        """Name of a model as the tables show it: the `name` in its YAML file."""
        if model in self.external:
            return f"{self.external[model].name or model} ({NOT_TRAINED})"
        return str(read_yaml(self.model_file(model)).get("name", model))

    def dataset(self, dataset: str) -> Dataset:
        """The entry of a data set."""
        if dataset not in self.datasets:
            where = self.layers.where("datasets")
            raise InputError(f"{where}: {unknown('data set', dataset, self.datasets)}")
        return self.datasets[dataset]

    def model_file(self, model: str) -> Path:
        """The YAML file of a model id, listed under `models` or in workflow/config/models/."""
        return model_file(model, self.model_files)

    def sequences_file(self, dataset: str) -> Path:
        """Where the prepared data set is."""
        return self.data / dataset / PREPARED[0]

    def prepared_file(self, dataset: str) -> Path:
        """The same, for a known data set that has been prepared.

        Raises:
            InputError: It is unknown, missing or incomplete; the message tells how to make it.
        """
        self.dataset(dataset)
        path = self.sequences_file(dataset)
        args = ("--dataset", dataset)
        if not path.exists():
            steps = " && ".join(self.elcrec("data", step, *args) for step in ("fetch", "prepare"))
            raise InputError(f"{path}: not there yet; make it with: {steps}")
        if not is_whole(path):
            command = self.elcrec("data", "prepare", *args)
            problem = f"does not match {PREPARED[1]} beside it, perhaps copied only in part"
            raise InputError(f"{path}: {problem}; make it again with: {command}")
        return path

    def check_own_files(self) -> None:
        """Check that the data sets in use can be prepared from the user's own files.

        Raises:
            InputError: A file is missing and not yet prepared, or would be overwritten.
        """
        for name in self.use:
            folder, path = self.data / name, self.dataset(name).places[0].path
            if path and not all((folder / file).exists() for file in PREPARED):
                check_own(name, path, folder)

    def snakemake(self, *args: str) -> str:
        """A Snakemake command for this configuration, ready to run, for a message."""
        option = [] if Path("Snakefile").resolve() == SNAKEFILE else ["--snakefile", str(SNAKEFILE)]
        return shlex.join(["snakemake", *option, *args, *self._files("--configfile")])

    def elcrec(self, *args: str) -> str:
        """The same for `elcrec`."""
        return shlex.join(["elcrec", *args, *self._files("--config")])

    def _files(self, option: str) -> list[str]:
        files = [str(file) for file, _ in self.layers.parts if isinstance(file, Path)]
        return [option, *files[1:]] if files[1:] else []

    def where_parameter(self, model: str, key: str) -> str:
        """File and key, for a message, of an override in `parameters`."""
        keys = ("parameters", model, key)
        if model in self.followed and not self.layers.has(*keys):
            return self.layers.where("parameters", self.followed[model], key)
        return self.layers.where(*keys)

    def run_folder(self, dataset: str, model: str, seed: int | str) -> Path:
        """Where a run is written."""
        return self.output / "runs" / dataset / model / str(seed)


def load_config(paths: Sequence[Path | str] = ()) -> Config:
    """Read the default configuration and merge `paths` into it, the last one winning.

    Mappings are merged key by key; lists and values are replaced. This project's own
    `config.yaml` may be among `paths`.

    Raises:
        InputError: A file that cannot be read, or a key or value that the schema refuses; the
            message names the file, the key and what is allowed.
    """
    expanded = [Path(os.path.expanduser(path)) for path in paths]
    files = [DEFAULT, *(path for path in expanded if path.resolve() != DEFAULT)]
    layers = Layers(tuple((file, read_yaml(file)) for file in files))
    return from_mapping(layers.merged(), layers.parts)


def from_mapping(
    merged: Mapping[str, Any], layers: Iterable[tuple[Path | str, Mapping[str, Any]]] = ()
) -> Config:
    """Check a merged mapping and make a `Config`; `layers` tell which file a bad key came from."""
    origin = Layers(tuple(layers) or ((DEFAULT, merged),))
    known = Known()
    parsed: ConfigFile = check(ConfigFile, merged, origin.where, known)
    output = parsed.output / FROM_RECORDED if parsed.runs == "recorded" else parsed.output
    extra = {"output": output, "model_files": known.models, "layers": origin, "followed": {}}
    config = Config.model_construct(**dict(parsed) | extra)
    industrial = config.industrial
    _refuse_equal_names(config, ["use"], config.use, config.dataset_name)
    _refuse_equal_names(config, ["models"], config.models, config.model_name)
    _refuse_equal_names(config, ["external"], config.external, config.model_name)
    _refuse_equal_names(
        config, ["industrial", "use"], industrial.use, lambda use: industrial.datasets[use].name
    )
    for model in config.figures.ablation.models:
        _take_overrides_of_base(config, model)
    return config


def _refuse_equal_names(
    config: Config, keys: list[str], ids: Iterable[str], name_of: Callable[[str], str]
) -> None:
    """Refuse two entries of one name, which a table could not tell apart."""
    first: dict[str, str] = {}
    for entry in ids:
        other = first.setdefault(name := name_of(entry), entry)
        if other != entry:
            raise InputError(
                f"{config.layers.where(*keys)}: {other} and {entry} are both named {shown(name)}; "
                "give one of them another `name`"
            )


def _take_overrides_of_base(config: Config, arm: str) -> None:
    """Let an ablation arm follow `parameters` of the model it varies, except where it differs.

    Without this, `parameters: {elcrec: {intents: 64}}` would change the full model but not the arm
    that it is compared with.
    """
    content = read_yaml(path := config.model_file(arm))
    if "base" in content:
        read_model_file(path)  # refuses keys that it must not have
        own_keys = set(content.get("parameters", {}))
        base = config.parameters.get(content["base"], {})
        inherited = {key: value for key, value in base.items() if key not in own_keys}
        config.parameters[arm] = inherited | config.parameters.get(arm, {})
        config.followed[arm] = content["base"]
