"""What `elcrec check-gpu` prints: tables here, the words around them in `templates/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from elcrec.bench.text import HOUR, figure, megabytes, short
from elcrec.bench.ways import BATCHES
from elcrec.config.config import Config
from elcrec.tables.document import document
from elcrec.tables.layout import GAP, Table, number, texts

Row = dict[str, Any]
TOLERANCE = 0.03
"""Largest difference of an epoch's mean loss from the CPU's, relative to it: the initial weights
are the same, but each device draws dropout and negatives from its own generator."""
WORTH = 1.5
"""Relative throughput from which runs are trained side by side."""


def checked(
    config: Config,
    dataset: str,
    seconds: float,
    machine: Mapping[str, Any],
    parts: Mapping[str, Row],
    gains: Sequence[Row],
) -> str:
    """The report on all parts done so far, and on what failed and why.

    Args:
        config: Has the names, and the runs that are planned.
        dataset: The one used for training.
        seconds: Wall-clock limit of the whole check.
        machine: Environment of the device; empty if it never answered.
        parts: As in `elcrec.bench.check_gpu.Check`.
        gains: Throughput of runs side by side.
    """
    results: dict[str, Any] = {name: part.get("found") for name, part in parts.items()}
    models = results.get("models") or []
    return document(
        "check_gpu.md.j2",
        "elcrec.bench",
        environment=machine if "device" in machine else None,
        steps=BATCHES,
        dataset=config.dataset_name(dataset),
        minutes=short(seconds / 60),
        tests=results.get("tests"),
        losses=_losses(models) if models else None,
        times=_times(models) if models else None,
        reasons=_reasons(models),
        off=[f"{row['name']} ({way})" for row, way in _ways(models) if is_off(row, way)],
        tolerance=TOLERANCE,
        hours=_hours(config, dataset, models),
        beside=_side_by_side(gains) if results.get("side by side") else None,
        beside_failed=[row for row in results.get("side by side") or [] if "failed" in row],
        worth=WORTH,
        alone=_alone(results["alone"]) if results.get("alone") else None,
        runs=results.get("runs"),
        failed={name: part["failed"] for name, part in parts.items() if "failed" in part},
    )


def difference(row: Row, way: str) -> float | None:
    """Difference of a way's loss from the CPU's, relative to it."""
    losses = [row["ways"][name].get("loss") for name in ("CPU", way)]
    if None in losses:
        return None
    return float(losses[1] / losses[0] - 1)


def is_off(row: Row, way: str) -> bool:
    """Whether a loss differs by more than the tolerance."""
    diff = difference(row, way)
    return diff is not None and not abs(diff) <= TOLERANCE


def _ways(models: list[Row]) -> list[tuple[Row, str]]:
    return [(row, way) for row in models for way in row["ways"] if way != "CPU"]


def _losses(models: list[Row]) -> Table:
    ways = [way for way in models[0]["ways"] if way != "CPU"]
    rows = []
    for row in models:
        cells = [row["name"], number(row["ways"]["CPU"].get("loss"), 4)]
        for way in ways:
            diff, off = difference(row, way), is_off(row, way)
            failed = "failed" if "failed" in row["ways"][way] else GAP
            cells.append(failed if diff is None else f"{100 * diff:+.2f} %{' (too large)' * off}")
        rows.append(cells)
    return texts(["model", "loss, CPU", *ways], rows, left=1)


def _times(models: list[Row]) -> Table:
    ways = list(models[0]["ways"])
    memory = "cuda_allocated_bytes"
    rows = []
    for row in models:
        measurements = row["ways"]
        peak = measurements.get("GPU", {}).get("peak_memory", {}).get(memory)
        steps = [_median(measurements[way].get("step")) for way in ways]
        rows.append([row["name"], *steps, megabytes(peak) if peak else GAP])
    return texts(["s per step", *ways, "GPU MB"], rows, left=1)


def _median(spread: dict[str, float] | None) -> str:
    return short(spread["median"]) if spread else GAP


def _reasons(models: list[Row]) -> list[str]:
    return [
        f"{row['name']}, {way}: {result['failed']}"
        for row in models
        for way, result in row["ways"].items()
        if "failed" in result
    ]


def _hours(config: Config, dataset: str, models: list[Row]) -> dict[str, Any] | None:
    """How long all runs take at most: on this data set, and on all in proportion to their users."""
    ways = [row["ways"]["GPU"] for row in models if "step" in row["ways"].get("GPU", {})]
    if not ways:
        return None
    epochs = [(w["steps"] * w["step"]["median"] + w["evaluation"], w["epochs"]) for w in ways]
    hours = len(config.seeds) * sum(seconds * max_epochs for seconds, max_epochs in epochs) / HOUR
    counts = {name: config.dataset(name).counts for name in config.use}
    users = {name: c.users for name, c in counts.items() if c and c.users}
    own = users.get(dataset)
    total = short(hours * sum(users.values()) / own) if own and len(users) == len(counts) else None
    return {"here": short(hours), "all": total, "models": len(ways), "of": len(models)}


def _side_by_side(gains: Sequence[Row]) -> Table:
    header = ["runs side by side", "CUDA graphs", "s per epoch of all", "throughput", "GPU MB"]
    rows = []
    for row in gains:
        peak = row["peak_memory"].get("cuda_allocated_bytes")
        times = [short(row["seconds"]), number(row["times"], 2)]
        graphs = "yes" if row["graphs"] else "no"
        rows.append([str(row["count"]), graphs, *times, megabytes(peak) if peak else GAP])
    return texts(header, rows, left=0)


def _alone(measured: list[Row]) -> Table:
    rows = []
    for row in measured:
        peaks = row["peak_memory"]
        peak = peaks["cuda_allocated_bytes"] or peaks["resident_bytes"]
        seconds = row["seconds_per_epoch"]["total"]
        rows.append([row["model"], row["dataset"], figure(seconds), megabytes(peak)])
    return texts(["model", "data set", "s per epoch", "MB"], rows, left=2)
