"""From finished runs of a clean commit to cells of the reference."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from elcrec.config.sections import Replication
from elcrec.errors import InputError
from elcrec.evaluation.metrics import TABLE_METRICS, per_user
from elcrec.files.jsonfile import JsonObject
from elcrec.nightly.reference import Cell, measured, versions_of
from elcrec.runs.reading import load_runs
from elcrec.runs.record import RunRecord, clean_commit, read_settings


def record_cells(
    output: Path, wanted: Replication, command: str
) -> tuple[list[Cell], list[tuple[str, str]]]:
    """Read the runs below `output` and make a cell of each model that has all its seeds.

    Args:
        output: Folder that has `runs/`.
        wanted: Data sets, models and seeds of the check.
        command: What the cells will name as the command that recorded them.

    Returns:
        The cells, and the (data set, model) pairs that lack a run.

    Raises:
        InputError: A run was made from uncommitted changes, the seeds of a cell by different
            commits, or a run folder is not whole.
    """
    cells, absent = [], []
    for dataset in wanted.use:
        for model in wanted.models:
            runs, gaps = load_runs(output, [dataset], [model], wanted.seeds)
            if gaps:
                absent.append((dataset, model))
            else:
                cells.append(_cell(runs, command))
    return cells, absent


def _cell(runs: Sequence[RunRecord], command: str) -> Cell:
    commits = {clean_commit(run, "a reference") for run in runs}
    if len(commits) > 1:
        found = ", ".join(sorted(commits))
        raise InputError(f"{runs[0].folder.parent}: its seeds are of different commits: {found}")
    first = runs[0]
    settings = read_settings(first.folder)
    machines = [JsonObject.read(run.folder / "environment.json") for run in runs]
    return Cell(
        dataset=first.dataset,
        model=first.model,
        seeds=[run.seed for run in runs],
        protocol=first.protocol,
        users=first.users,
        data=first.data,
        parameters=settings.parameters,
        training=settings.training,
        kernels=first.kernels,
        precision=settings.precision,
        commit=commits.pop(),
        device=sorted({run.device for run in runs}),
        python=machines[0].text("python"),
        versions=versions_of(machines[0]),
        commands=[portable(m.texts("command"), ("--config", "--output")) for m in machines],
        recorded_by=command,
        metrics={name: measured(*_of_runs(name, runs)) for name in TABLE_METRICS},
    )


def _of_runs(name: str, runs: Sequence[RunRecord]) -> tuple[list[float], list[float]]:
    """A metric on the test split, and its standard error over users, per run."""
    users = [per_user(name, run.ranks["test"]) for run in runs]
    return (
        [run.metrics["test"][name] for run in runs],
        [float(v.std(ddof=1)) / len(v) ** 0.5 if len(v) > 1 else 0.0 for v in users],
    )


def portable(command: Sequence[str], without: Sequence[str]) -> str:
    """A command line without the paths of the machine it ran on: `elcrec train --dataset …`.

    Args:
        command: The words, the program first.
        without: Options to leave out with their values.
    """
    kept: list[str] = []
    skip = False
    for word in command[1:]:
        if word.startswith("-"):
            skip = word in without
        if not skip:
            kept.append(word)
    return shlex.join(["elcrec", *kept])
