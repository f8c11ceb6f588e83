"""README.md of a machine's record: what it is, what was run there, and how."""

from collections.abc import Callable, Iterable

from elcrec.config.config import Config
from elcrec.recorded.check import settings_files
from elcrec.recorded.folder import RecordedRun
from elcrec.runs.plan import variant_text
from elcrec.tables.document import document
from elcrec.tables.layout import number, texts

GIB = 2**30
MIB = 2**20
HEADER = ("Data set", "Model", "Seed", "Epochs", "Tested", "Hours", "At once", "MiB", "Kernels")


def about(config: Config, runs: Iterable[RecordedRun]) -> str:
    """The text, made from the records of the runs.

    Args:
        config: Names data sets and models.
        runs: All recorded runs of the machine.
    """
    ordered = sorted(runs, key=_order(config))
    seen = [run.environment for run in ordered]
    return document(
        "machine.md.j2",
        "elcrec.recorded",
        runs=ordered,
        table=texts([*HEADER, "Commit"], [_row(config, run) for run in ordered], left=2),
        files=settings_files(config),
        device=_different(e.device for e in seen),
        driver=_different(e.driver for e in seen if e.driver),
        cuda=_different(e.cuda for e in seen if e.cuda),
        cores=_different(e.cores for e in seen),
        memory=_different(number(e.memory_bytes / GIB, 0) for e in seen),
        python=_different(e.python for e in seen),
        versions=_different(" ".join(f"{n} {v}" for n, v in e.versions.items()) for e in seen),
        commits=_different(run.commit for run in ordered),
    )


def _order(config: Config) -> Callable[[RecordedRun], tuple[object, ...]]:
    """Order of the tables: data sets, models, then runs of the sensitivity."""
    names = [*config.use, *config.models, *config.figures.models()]

    def place(name: str) -> int:
        return names.index(name) if name in names else len(names)

    return lambda run: (place(run.dataset), bool(run.variant), place(run.model), *run.key)


def _row(config: Config, run: RecordedRun) -> list[str]:
    name, memory = config.model_name(run.model), run.peak_memory
    mib = (memory.cuda_allocated or memory.resident) / MIB
    return [
        config.dataset_name(run.dataset),
        f"{name} ({variant_text(run.variant)})" if run.variant else name,
        str(run.seed),
        str(run.epochs),
        str(run.best_epoch),
        number(run.hours, 2),
        str(run.at_once),
        number(mib if run.at_once == 1 else None, 0),
        run.kernels.split()[0] + (", graphs" if run.graphs else ""),
        str(run.commit)[:7],
    ]


def _different(values: Iterable[object]) -> str:
    return " and ".join(dict.fromkeys(str(value) for value in values))
