# Configuration, paths and resources shared by all rules.
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, workflow.basedir)

from elcrec.config.config import DEFAULT, ConfigFile, from_mapping
from elcrec.config.merging import Layers
from elcrec.data.sources import PREPARATION, mirror
from elcrec.errors import InputError
from elcrec.files.atomic import write_text
from elcrec.files.checked import converted
from elcrec.files.paths import check_folder, make_folder
from elcrec.files.yamlfile import dump, read_yaml
from elcrec.runs import settings as registry
from elcrec.runs.fingerprint import code_hash, fingerprint
from elcrec.runs.grid import read_grid
from elcrec.runs.places import source
from elcrec.runs.plan import check_runs, runs_of


def checked_config():
    """The merged configuration; everything it requests is checked before any job starts."""
    files = [DEFAULT, *map(Path, workflow.overwrite_configfiles or [])]
    layers = [(file, read_yaml(file)) for file in files]
    # Snakemake has merged these too, but passes numbers of a nested --config as strings.
    layers.append(
        ("--config", converted(ConfigFile, dict(workflow.config_settings.config)))
    )
    config.update(Layers(tuple(layers)).merged())
    made = from_mapping(config, layers)
    check_runs(made)
    return made


def check_folders():
    """Refuse a file in the place of a folder that jobs write to."""
    kinds = "runs tables figures report efficiency sensitivity released grid"
    folders = [CONFIG.output / kind for kind in kinds.split()]
    folders += [CONFIG.data / name for name in ("logs", *CONFIG.use)]
    if not RECORDED:
        folders += [run.folder for run in runs_of(CONFIG, CONFIG.use, CONFIG.models)]
    for folder in folders:
        check_folder(folder)
    make_folder(CONFIG.data)


def snapshot():
    """The configuration as merged here, including --configfile and --config, as a file for the commands.

    The file is named by its content, so that another call of Snakemake does not change the file of a running one.
    """
    text = dump(dict(config))
    name = f"config-{hashlib.sha256(text.encode()).hexdigest()[:12]}.yaml"
    path = CONFIG.output / "logs" / name
    if not path.exists() or path.read_text() != text:
        write_text(path, text)
    return str(path)


def count_gpus():
    """NVIDIA GPUs of this machine; ELCREC_GPUS overrides."""
    told = os.environ.get("ELCREC_GPUS")
    if told is not None:
        if not (told.isascii() and told.isdigit()):
            raise InputError(f"ELCREC_GPUS={told!r}: must be an integer, 0 or more")
        return int(told)
    try:
        listed = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True
        ).stdout
    except OSError:
        return 0
    return sum(line.startswith("GPU ") for line in listed.splitlines())


try:
    if set("{}") & set(str(workflow.basedir)):
        raise InputError(
            f"{workflow.basedir}: must not contain braces, which Snakemake replaces"
        )
    CONFIG = checked_config()
    RECORDED = CONFIG.runs == "recorded"
    source(CONFIG)  # refused now if no runs are recorded
    GPUS = count_gpus()
    mirror()  # refused now if it names nothing
    CONFIG.check_own_files()
    check_folders()
    SNAPSHOT = snapshot()
except InputError as error:
    # Not a WorkflowError, which would add lines of this file to the one that matters
    sys.exit(f"elcrec: {error}")
OUTPUT = str(CONFIG.output)
DATA = str(CONFIG.data)
PYTHON = f"{shlex.quote(sys.executable)} -m elcrec"
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(workflow.basedir), *filter(None, [os.environ.get("PYTHONPATH")])]
)

# A training uses one `gpu`; the profile says how many there are (default 1). An undeclared resource
# would be unlimited, and `--resources` on the command line replaces all resources of the profile.
GPU_PER_JOB = 1 if GPUS else 0
workflow.global_resources.setdefault("gpu", 1)
ALL_GPUS = workflow.global_resources["gpu"].value


wildcard_constraints:
    dataset="|".join(map(re.escape, CONFIG.datasets)),
    model="[^/]+",
    seed=r"\d+",


def run_file(name):
    """Pattern of a file in a run folder."""
    return f"{OUTPUT}/runs/{{dataset}}/{{model}}/{{seed}}/{name}"


def available(paths):
    """The files that can exist: with `runs: recorded` only those that are recorded."""
    return [path for path in paths if not RECORDED or Path(path).exists()]


def run_files(datasets, models):
    """The record files of the runs of models on data sets, for every seed."""
    names = ("metrics.json", "ranks.npz", "history.csv")
    runs = runs_of(CONFIG, datasets, models)
    return available(f"{run.folder}/{name}" for run in runs for name in names)


RUN_FILES = run_files(CONFIG.use, CONFIG.models)
# Predictions of other frameworks, and the id files that they refer to
EXTERNAL = list(map(str, CONFIG.external_files()))


def start_weights(dataset, model, seed):
    """Weights that a run starts from, if the model's file names another model to start from."""
    other = registry.resolve(CONFIG, model, dataset).starts_from
    if not other:
        return []
    return [f"{CONFIG.run_folder(dataset, other, seed)}/weights.safetensors"]


def training_code(wildcards):
    """Hash of the code that decides the run's numbers: a change re-runs the training."""
    settings = registry.resolve(CONFIG, wildcards.model, wildcards.dataset)
    return fingerprint(registry.module_reference(settings))


def settings(wildcards):
    """Hash of the resolved settings of a run: a change re-runs the training."""
    resolved = registry.resolve(CONFIG, wildcards.model, wildcards.dataset)
    return f"{CONFIG.protocol} {resolved.digest()}"
