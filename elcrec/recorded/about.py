"""README.md of a machine's record: what it is, what was run there, and how."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from elcrec.config.config import Config
from elcrec.recorded.row import RecordedRun
from elcrec.runs.plan import variant_text
from elcrec.tables.layout import markdown_table, number

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
    header = ["Data set", "Model", "Seed", "Epochs", "Tested", "Hours", "At once", "MiB"]
    header += ["Kernels", "Commit"]
    rows = [_row(config, run) for run in runs]
    commands = "\n".join(run.command for run in runs)
    return (
        "Runs of the full protocol, recorded by `elcrec recorded add`, which writes this file too."
        "\n\n"
        + "".join(f"- {fact}\n" for fact in facts)
        + f"\n{markdown_table(header, rows, text=2)}\n"
        "Epochs: all that were trained; tested: the one with the best validation. Hours: of the"
        " whole run, the time\nbefore an interruption counted in; other work may have run beside"
        " it. At once: runs in one process, whose\nmemory is not told apart. MiB: peak memory,"
        " allocated on the GPU if there is one, else resident.\n\n"
        "Each run again, in a clean checkout of its commit (where the table says graphs, with"
        " `graphs: true` in a\n`--config`):\n\n"
        f"```sh\n{commands}\n```\n"
    )


def _row(config: Config, run: RecordedRun) -> list[str]:
    m = run.metrics
    memory = m["peak_memory"]
    most = memory["cuda_allocated_bytes"] or memory["resident_bytes"]
    name = config.model_name(m["model"])
    kernels = m["kernels"].split()[0] + (", graphs" if m["graphs"] else "")
    return [
        config.dataset_name(m["dataset"]),
        f"{name} ({variant_text(run.variant)})" if run.variant else name,
        str(m["seed"]),
        str(m["epochs"]),
        str(m["best_epoch"]),
        number(run.hours, 2),
        str(m["at_once"]),
        number(None if m["at_once"] > 1 else most / MIB, 0),
        kernels,
        m["commit"][:7],
    ]


def _on_gpu(runs: Iterable[RecordedRun]) -> bool:
    return any(run.environment.get("cuda") for run in runs)


def _gpu(runs: Sequence[RecordedRun]) -> str:
    if not _on_gpu(runs):
        return ", a processor: no GPU was used"
    drivers = _different(run.environment["driver"] for run in runs)
    return f" (driver {drivers}, CUDA {_different(run.environment['cuda'] for run in runs)})"


def _different(values: Iterable[object]) -> str:
    return " and ".join(dict.fromkeys(str(value) for value in values))
