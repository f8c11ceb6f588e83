"""Sections of the configuration.

Data sets and models named under `figures` count only where `use` and `models` name them too, so
that a small configuration draws, and trains, no more than it asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Ablation:
    """Parts of a model added one after the other; the missing ones are trained."""

    models: tuple[str, ...] = ()
    """Ids of the arms; the last one is the whole model."""
    datasets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sensitivity:
    """One hyper-parameter changed at a time; every value is trained."""

    model: str = "elcrec"
    datasets: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    alpha: tuple[float, ...] = ()
    """Weights of the cluster loss."""
    intents: tuple[int, ...] = ()
    """Numbers K of intents; no more than there are users."""
    training: Mapping[str, Any] = field(default_factory=dict)
    """Overrides of the training settings, e.g. fewer epochs."""


@dataclass(frozen=True)
class FigureSettings:
    """The whole section; an empty one draws nothing."""

    snapshot_epochs: tuple[int, ...] = ()
    """Epochs whose user vectors and intents a training keeps; 0 is before the first."""
    ablation: Ablation = Ablation()
    sensitivity: Sensitivity = Sensitivity()
    convergence: tuple[str, ...] = ()
    """Models whose training is shown epoch by epoch."""
    diagnostics: tuple[str, ...] = ()
    """Models whose intents are looked at epoch by epoch."""
    activity: tuple[str, ...] = ()
    """Models compared on groups of users by the length of their history."""
    intents_of: str = "elcrec"
    """Model of the t-SNE and of the case study."""
    seed: int = 1
    """Seed of the run that those two show: the first of `seeds` where it is not among them."""

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> FigureSettings:
        """Make the settings from the section, which the schema has checked."""
        values = {key: _frozen(value) for key, value in section.items()}
        parts = {"ablation": Ablation, "sensitivity": Sensitivity}
        for key, part in parts.items():
            inner = {k: _frozen(v) for k, v in section.get(key, {}).items()}
            values[key] = part(**inner)
        return cls(**values)

    def models(self) -> list[str]:
        """Ids of all models named, each once."""
        named = [*self.ablation.models, self.sensitivity.model, self.intents_of]
        named += [*self.convergence, *self.diagnostics, *self.activity]
        return list(dict.fromkeys(named))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True)
class Efficiency:
    """What is measured for Tables 2 and 3."""

    models: tuple[str, ...] = ()
    """Ids of the measured models."""
    seed: int = 1
    """Seed of the measured runs."""
    epochs: int = 10
    """Epochs measured after one warm-up epoch."""


@dataclass(frozen=True)
class OptionalTables:
    """What is run for Tables 7 to 9, whose data sets `all` does not fetch."""

    models: tuple[str, ...] = ()
    """Ids of the models in Tables 8 and 9."""
    with_all: bool = False
    """`all` makes those tables whose data set is prepared already."""


@dataclass(frozen=True)
class Nightly:
    """What `snakemake replication_check` runs and compares with the record."""

    use: tuple[str, ...] = ()
    """Data sets."""
    models: tuple[str, ...] = ()
    """Ids of the models."""
    seeds: tuple[int, ...] = ()
    """A cell is the mean over all of them."""
