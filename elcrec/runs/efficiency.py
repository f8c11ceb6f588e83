"""Efficiency records: `<output>/efficiency/<dataset>/<model>.json`, read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from elcrec.errors import InputError
from elcrec.files.jsonfile import JsonObject
from elcrec.runs.record import PeakMemory

PHASES = ("training", "validation", "kmeans")
"""What the seconds of an epoch are split into."""


@dataclass(frozen=True)
class Spread:
    """Wall-clock seconds over the measured epochs."""

    median: float
    least: float
    most: float


@dataclass(frozen=True)
class EfficiencyRecord:
    """Time and memory of one model on one data set, measured alone on a device."""

    path: Path
    dataset: str
    model: str
    seed: int
    device: str
    device_kind: str
    """`cuda` or `cpu`."""
    epochs_measured: int
    total: Spread
    """Seconds per epoch."""
    phases: dict[str, Spread]
    """Of these, per phase of `PHASES`; a phase that the model does not have is absent."""
    before_training: float | None
    """Seconds spent once before the first epoch (ELCRec's k-means); None when not recorded."""
    peak_memory: PeakMemory
    fingerprint: str
    settings: str
    commit: str | None
    dirty: bool


def load_efficiency_run(path: Path | str) -> EfficiencyRecord:
    """Read one record.

    Raises:
        InputError: The file is missing, cut off, or has a key that does not fit.
    """
    values = JsonObject.read(Path(path))
    values.expect("format", 1)
    kind = values.one_of("device_kind", ("cuda", "cpu"))
    memory = PeakMemory.read(values.section("peak_memory"))
    if kind == "cuda" and None in (memory.cuda_allocated, memory.cuda_reserved):
        raise InputError(f"{path}: peak_memory has no CUDA figures, although device_kind is 'cuda'")
    seconds = values.section("seconds_per_epoch")
    present = [phase for phase in PHASES if seconds.values.get(phase) is not None]
    return EfficiencyRecord(
        path=Path(path),
        dataset=values.text("dataset"),
        model=values.text("model"),
        seed=values.integer("seed"),
        device=values.text("device"),
        device_kind=kind,
        epochs_measured=values.integer("epochs_measured", 1),
        total=_spread(seconds.section("total")),
        phases={phase: _spread(seconds.section(phase)) for phase in present},
        before_training=_optional_number(values, "seconds_before_training"),
        peak_memory=memory,
        fingerprint=values.text("fingerprint"),
        settings=values.text("settings"),
        commit=values.optional_text("commit"),
        dirty=values.flag("dirty"),
    )


def _optional_number(values: JsonObject, key: str) -> float | None:
    return None if values.values.get(key) is None else values.number(key)


def _spread(values: JsonObject) -> Spread:
    spread = Spread(values.number("median"), values.number("min"), values.number("max"))
    if not spread.least <= spread.median <= spread.most:
        key = values.prefix.rstrip(".")
        raise InputError(f"{values.path}: {key} needs min <= median <= max, has {spread}")
    return spread
