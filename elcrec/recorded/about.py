"""README.md of a machine's record: what it is, what was run there, and how."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from elcrec.config.config import Config
from elcrec.files.jsonfile import JsonObject, as_record
from elcrec.recorded.check import settings_files
from elcrec.recorded.folder import RecordedRun
from elcrec.runs.plan import variant_text
from elcrec.runs.record import PeakMemory
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
    memory = _different(number(e.integer("memory_bytes") / GIB, 0) for e in seen)
    facts = [
        f"Device: {_different(e.text('device') for e in seen)}{_gpu(seen)}.",
        f"Machine: {_different(e.integer('cores') for e in seen)} cores, {memory} GiB of memory.",
        f"Python {_different(e.text('python') for e in seen)}; {_different(map(_versions, seen))}.",
        f"Commits: {_different(run.metrics.text('commit') for run in runs)}.",
    ]
    header = ["Data set", "Model", "Seed", "Epochs", "Tested", "Hours", "At once", "MiB"]
    header += ["Kernels", "Commit"]
    rows = [_row(config, run) for run in runs]
    files = ", ".join(f"`{file}`" for file in settings_files(config))
    commands = "\n".join(run.command for run in runs)
    return (
        f"Runs with the settings of {files}, recorded by `elcrec recorded add`, which writes this"
        " file too.\n\n"
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
    memory, at_once = (
        as_record(m.values["peak_memory"], PeakMemory, m.path),
        m.integer("at_once", 1),
    )
    name = config.model_name(m.text("model"))
    return [
        config.dataset_name(m.text("dataset")),
        f"{name} ({variant_text(run.variant)})" if run.variant else name,
        str(m.integer("seed")),
        str(m.integer("epochs")),
        str(m.integer("best_epoch")),
        number(run.hours, 2),
        str(at_once),
        number(None if at_once > 1 else (memory.cuda_allocated or memory.resident) / MIB, 0),
        m.text("kernels").split()[0] + (", graphs" if m.flag("graphs") else ""),
        m.text("commit")[:7],
    ]


def _versions(environment: JsonObject) -> str:
    versions = environment.section("versions")
    return " ".join(f"{name} {versions.text(name)}" for name in versions.values)


def _gpu(seen: Sequence[JsonObject]) -> str:
    drivers, cuda = (
        _different(filter(None, [e.optional_text(key) for e in seen])) for key in ("driver", "cuda")
    )
    return f" (driver {drivers}, CUDA {cuda})" if cuda else ", a processor: no GPU was used"


def _different(values: Iterable[object]) -> str:
    return " and ".join(dict.fromkeys(str(value) for value in values))
