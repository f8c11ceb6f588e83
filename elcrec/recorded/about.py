"""README.md of a machine's record: what it is, what was run there, and how."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from elcrec.config import Config
from elcrec.errors import InputError
from elcrec.recorded.row import RecordedRun
from elcrec.tables.markdown import markdown_table, number

GIB = 2**30
MIB = 2**20


def about(config: Config, runs: Sequence[RecordedRun]) -> str:
    """The text, from what the runs themselves say.

    Args:
        config: Names data sets and models.
        runs: All recorded runs of the machine, in the order of the tables.
    """
    if not runs:
        return "No run of this machine is recorded.\n"
    seen = [run.environment for run in runs]
    versions = _different(
        " ".join(f"{name} {version}" for name, version in e["versions"].items()) for e in seen
    )
    memory = _different(number(e["memory_bytes"] / GIB, 0) for e in seen)
    facts = [
        f"Device: {_different(e['device'] for e in seen)}{_gpu(runs)}.",
        f"Machine: {_different(e['cores'] for e in seen)} cores, {memory} GiB of memory.",
        f"Python {_different(e['python'] for e in seen)}; {versions}.",
        f"Commits: {_different(run.metrics['commit'] for run in runs)}.",
    ]
    header = ["Data set", "Model", "Seed", "Epochs", "Tested", "Hours", "MiB", "Kernels", "Commit"]
    rows = [_row(config, run) for run in runs]
    commands = "\n".join(run.command for run in runs)
    return (
        "Runs of the full protocol, recorded by `elcrec recorded add`, which writes this file too."
        "\n\n"
        + "".join(f"- {fact}\n" for fact in facts)
        + f"\n{markdown_table(header, rows, text=2)}\n"
        "Epochs: all that were trained; tested: the one with the best validation. Hours: of the"
        " whole run, the time\nbefore an interruption counted in; other work may have run beside"
        " it. MiB: peak memory,"
        f" {'allocated on the GPU' if _on_gpu(runs) else 'resident'}.\n\n"
        f"The commands, in a clean checkout of the commit:\n\n```sh\n{commands}\n```\n"
    )


def _row(config: Config, run: RecordedRun) -> list[str]:
    m = run.metrics
    memory = m["peak_memory"]
    most = memory["cuda_allocated_bytes"] or memory["resident_bytes"]
    name = model_name(config, m["model"])
    return [
        config.dataset_name(m["dataset"]),
        f"{name} ({run.variant.replace('-', ' = ', 1)})" if run.variant else name,
        str(m["seed"]),
        str(m["epochs"]),
        str(m["best_epoch"]),
        number(run.hours, 2),
        number(most / MIB, 0),
        m["kernels"].split()[0],
        m["commit"][:7],
    ]


def model_name(config: Config, model: str) -> str:
    """Name of a model as tables show it; its id for one that the configuration does not know."""
    try:
        return config.model_name(model)
    except InputError:
        return model


def _on_gpu(runs: Iterable[RecordedRun]) -> bool:
    return any(run.environment.get("cuda") for run in runs)


def _gpu(runs: Sequence[RecordedRun]) -> str:
    if not _on_gpu(runs):
        return ", a processor: no GPU was used"
    drivers = _different(run.environment["driver"] for run in runs)
    return f" (driver {drivers}, CUDA {_different(run.environment['cuda'] for run in runs)})"


def _different(values: Iterable[object]) -> str:
    return " and ".join(dict.fromkeys(str(value) for value in values))
