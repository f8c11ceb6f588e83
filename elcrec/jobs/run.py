"""One training run: what identifies it, how it is carried out, and what is recorded about it."""

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import torch

from elcrec.config.build import LARGEST
from elcrec.config.config import Config
from elcrec.data.histories import InteractionData
from elcrec.data.repeats import REPEATED, describe_repeats, refuse_repeats
from elcrec.errors import InputError
from elcrec.evaluation.lists import Lister
from elcrec.evaluation.metrics import summarise
from elcrec.files.paths import sha256_of, short
from elcrec.files.weights import read_weights, weights_file
from elcrec.jobs.checkpoints import Checkpoints
from elcrec.jobs.environment import commit
from elcrec.jobs.memory import check_window, out_of_memory, watch
from elcrec.models.interface import RankingProtocol, SequenceModel
from elcrec.runs.fingerprint import fingerprint
from elcrec.runs.settings import RunSettings, module_reference, resolve
from elcrec.training.deadline import Deadline
from elcrec.training.loop import new_model, train
from elcrec.training.result import Options, Report, Result
from elcrec.training.turns import Stepwise, Turns
from elcrec.usage import device_name, peak_memory, ran_out, reset_peak_memory


@dataclass(frozen=True)
class Start:
    """A file of weights, as it was when the run began."""

    file: str
    sha256: str

    def shared(self) -> dict[str, str]:
        """For the record of the run."""
        return {"file": short(self.file), "sha256": self.sha256}


@dataclass(frozen=True)
class Run:
    """What identifies a run."""

    dataset: str
    seed: int
    protocol: RankingProtocol
    settings: RunSettings
    start: Start | None = None
    """Weights of another run that this one starts from."""
    kernels: str = "plain"
    """`native`: compiled kernels for Transformers on the CPU, see `elcrec.models.native`."""
    graphs: bool = False
    """CUDA graphs, see `elcrec.training.graph`."""
    snapshot_epochs: tuple[int, ...] = ()
    """After which epochs to keep users and intents, see `elcrec.training.intents`."""
    keep_checkpoints: bool = False
    """Leave the checkpoints in the folder of the finished run."""

    def decides(self, data: InteractionData) -> dict[str, Any]:
        """Everything that determines results, by its name in metrics.json; of the start its hash.

        Kernels and CUDA graphs are not part of it: they compute the same mathematics.
        """
        return {
            "seed": self.seed,
            "protocol": self.protocol,
            "settings": self.settings.digest(),
            "data": data.digest(),
            "fingerprint": fingerprint(module_reference(self.settings)),
            "start": self.start.sha256 if self.start else None,
        }


def make_run(
    config: Config,
    dataset: str,
    model: str,
    seed: int,
    overrides: Mapping[str, Any] | None = None,
    start: Path | None = None,
    kernels: str | None = None,
) -> Run:
    """The run that a configuration describes; `overrides`, `start` and `kernels` take precedence.

    Raises:
        InputError: An unknown name or key, a wrong value, or no weights to start from.
    """
    if not 0 <= seed <= LARGEST:
        raise InputError(f"--seed {seed}: must be from 0 to {LARGEST}")
    settings = resolve(config, model, dataset, overrides)
    config.dataset(dataset)
    return Run(
        dataset=dataset,
        seed=seed,
        protocol=config.protocol,
        settings=settings,
        start=find_start(config, settings, dataset, seed, start),
        kernels=kernels or config.kernels,
        graphs=config.graphs,
        snapshot_epochs=tuple(config.figures.snapshot_epochs),
        keep_checkpoints=config.keep_checkpoints,
    )


@Stepwise
def execute(
    run: Run,
    data: InteractionData,
    report: Report = lambda row: None,
    checkpoints: Path | None = None,
    test: bool = True,
    deadline: Deadline | None = None,
    at_once: int = 1,
) -> Turns[dict[str, Any]]:
    """Train and test; returns the record that `write` puts into the folder.

    Args:
        run: What to train.
        data: The histories, on the device.
        report: Called after each epoch with its history row.
        checkpoints: Folder to resume from and to write checkpoints to; `write` removes it.
        test: False leaves the test split alone; the record is then not for `write`.
        deadline: When to stop with a checkpoint.
        at_once: How many runs are trained at a time (`elcrec.training.lanes`), for the record.

    Raises:
        InputError: The weights to start from are wrong, or memory runs out.
        OutOfTimeError: The deadline came first.
    """
    device, settings = data.device, run.settings.training
    try:
        check_window(run.settings.parameters)
        model = build(run, data)
        watch(model)
        kernels = choose_kernels(model, run.kernels, device)
        tell_repeats(run, data, model.ranked_by(run.protocol))
        reset_peak_memory(device)
        identified = identity(run, data, kernels)
        options = Options(
            report=report,
            test=test,
            graphs=run.graphs,
            precision=run.settings.precision,
            checkpoints=Checkpoints(checkpoints, identified) if checkpoints else None,
            deadline=deadline,
            snapshot_epochs=run.snapshot_epochs,
        )
        result = yield from train.in_turns(
            model, data, settings, seed=run.seed, protocol=run.protocol, options=options
        )
    except (RuntimeError, MemoryError) as error:
        if not ran_out(error):
            raise
        raise InputError(out_of_memory(run.settings, data, error)) from None
    execution = {"kernels": kernels, "graphs": run.graphs, "precision": run.settings.precision}
    record = describe(run, model, result, data) | execution | {"at_once": at_once}
    output = {"metrics": record, "result": result}
    if test:
        ranked_by = model.ranked_by(run.protocol)
        output["top"] = Lister(data, "test", model.max_length, ranked_by).lists(model)
    return output


def tell_repeats(run: Run, data: InteractionData, protocol: RankingProtocol) -> None:
    """Report on standard error how targets that their users had before are ranked, if any."""
    repeated, name = data.sequences.repeated(), f"{run.settings.name} on {run.dataset}"
    try:
        refuse_repeats(repeated, data.n_users, protocol)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    if any(repeated.values()):
        print(
            f"elcrec: {name}: {describe_repeats(repeated, data.n_users)}; "
            f"under the protocol `{protocol}` these items {REPEATED[protocol]}",
            file=sys.stderr,
        )


def build(run: Run, data: InteractionData) -> SequenceModel:
    """The run's model before its training, on the device of `data`.

    Raises:
        InputError: What it starts from is not a file of weights, or they do not fit.
    """
    model_class, parameters = run.settings.module.Model, run.settings.parameters
    if run.start is None:
        return new_model(model_class, parameters, data, run.seed)
    weights = read_weights(Path(run.start.file))
    try:
        return new_model(model_class, parameters, data, run.seed, weights)
    except InputError as error:
        raise InputError(f"{run.start.file}: {error}") from None


def choose_kernels(model: SequenceModel, kernels: str, device: torch.device) -> str:
    """Switch a model to the requested kernels; returns those it will train with, for the record.

    Raises:
        InputError: Native kernels without a C++ compiler.
    """
    if kernels == "native" and device.type == "cpu":
        from elcrec.models import native  # compiled on demand only

        if native.use_native(model):
            return f"native {native.source_hash()}"
    return "plain"


def identity(run: Run, data: InteractionData, kernels: str) -> str:
    """Hash of all that determines a training to the last bit; other checkpoints are ignored."""
    return _identity(run.decides(data), data.device.type, kernels, run.graphs)


def identities(run: Run, data: InteractionData) -> set[str]:
    """`identity` of a run for every kind of device, with and without kernels and CUDA graphs."""
    from elcrec.models.native import source_hash

    decides = run.decides(data)
    variants = product(("cpu", "cuda"), ("plain", f"native {source_hash()}"), (False, True))
    return {_identity(decides, *variant) for variant in variants}


def _identity(*parts: object) -> str:
    return hashlib.sha256(repr(list(parts)).encode()).hexdigest()[:16]


def describe(
    run: Run, model: SequenceModel, result: Result, data: InteractionData
) -> dict[str, Any]:
    """The content of metrics.json."""
    head, dirty = commit()
    device = data.device
    seconds = {"training": 0.0, "validation": 0.0, "kmeans": 0.0, "test": 0.0} | result.seconds
    return {
        "format": 1,
        "dataset": run.dataset,
        "model": run.settings.model,
        "ranked_by": model.ranked_by(run.protocol),
        "metrics": {split: summarise(ranks) for split, ranks in result.ranks.items()},
        "users": data.n_users,
        "best_epoch": result.best_epoch,
        "epochs": len(result.history),
        "resumed_after": result.resumed_after,
        "seconds": seconds,
        "peak_memory": peak_memory(device),
        "device": device_name(device),
        "parameters": sum(p.numel() for p in model.parameters()),
        **run.decides(data),
        "start": run.start.shared() if run.start else None,
        "commit": head,
        "dirty": dirty,
    }


def find_start(
    config: Config, settings: RunSettings, dataset: str, seed: int, given: Path | None = None
) -> Start | None:
    """The weights that a run starts from; None when they are random.

    Args:
        config: The workflow configuration; runs are below its `output`.
        settings: Settings of the run; `starts_from` names the other model.
        dataset: Data set of both runs.
        seed: Seed of both runs.
        given: A file to use instead.

    Raises:
        InputError: There is no such file, or a file is given for a model that starts from none.
    """
    if settings.starts_from is None:
        if given is not None:
            raise InputError(f"--start {given}: {settings.model} does not start from another model")
        return None
    path = given or weights_file(config.run_folder(dataset, settings.starts_from, seed))
    if not path.is_file():
        options = ("--dataset", dataset, "--model", settings.starts_from, "--seed", str(seed))
        raise InputError(
            f"{path}: not there yet; {settings.model} starts from it; name a file with --start, or "
            f"make it with: {config.elcrec('train', *options)}"
        )
    return Start(str(path), sha256_of(path))
