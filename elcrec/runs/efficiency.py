"""Efficiency records: `<output>/efficiency/<dataset>/<model>.json`, read and checked."""

from typing import Literal, Self

from pydantic import Field, model_validator

from elcrec.files.checked import Amount, Line, Positive, Record
from elcrec.runs.record import PeakMemory, Trained

PHASES = ("training", "validation", "kmeans")
"""What the seconds of an epoch are split into."""


class Spread(Record):
    """Wall-clock seconds over the measured epochs."""

    median: Amount
    least: Amount = Field(alias="min")
    most: Amount = Field(alias="max")

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if not self.least <= self.median <= self.most:
            found = f"{self.least:g}, {self.median:g}, {self.most:g}"
            raise ValueError(f"needs min <= median <= max, has {found}")
        return self


class _Seconds(Record):
    """Seconds per epoch; a phase that the model does not have is None or absent."""

    total: Spread
    training: Spread | None = None
    validation: Spread | None = None
    kmeans: Spread | None = None


class EfficiencyRecord(Trained):
    """Time and memory of one model on one data set, measured alone on a device."""

    format: Literal[1]
    device_kind: Literal["cuda", "cpu"]
    epochs_measured: Positive
    seconds_per_epoch: _Seconds
    before_training: Amount | None = Field(None, alias="seconds_before_training")
    """Seconds spent once before the first epoch (ELCRec's k-means); None when not recorded."""
    peak_memory: PeakMemory
    fingerprint: Line
    settings: Line

    @model_validator(mode="after")
    def _has_its_memory(self) -> Self:
        memory = self.peak_memory
        if self.device_kind == "cuda" and None in (memory.cuda_allocated, memory.cuda_reserved):
            raise ValueError("peak_memory has no CUDA figures, although device_kind is 'cuda'")
        return self

    @property
    def total(self) -> Spread:
        """Seconds per epoch."""
        return self.seconds_per_epoch.total

    @property
    def phases(self) -> dict[str, Spread]:
        """Seconds per epoch by phase of `PHASES`; a phase the model does not have is absent."""
        seconds = {phase: getattr(self.seconds_per_epoch, phase) for phase in PHASES}
        return {phase: spread for phase, spread in seconds.items() if spread is not None}
