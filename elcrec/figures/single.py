"""The one run whose users and intents t-SNE and case study show."""

from __future__ import annotations

from typing import NamedTuple

from elcrec.figures.drawn import name_of
from elcrec.runs.plan import single_seed
from elcrec.runs.reading import Runs
from elcrec.runs.record import RunRecord
from elcrec.runs.snapshots import Snapshots, snapshots


class Single(NamedTuple):
    """A run and what it recorded of intents."""

    name: str
    """Model and data set."""
    seed: int
    record: RunRecord | None
    """None: not run."""
    found: Snapshots | None

    @property
    def missing(self) -> str:
        """Why there are no intents to show; empty if there are."""
        return "" if self.found else "not recorded" if self.record else "not run"


def single(runs: Runs, dataset: str) -> Single:
    """The run of the model `intents_of` on a data set."""
    model, seed = runs.config.figures.intents_of, single_seed(runs.config)
    record = runs.run(dataset, model, seed)
    found = snapshots(record) if record else None
    return Single(name_of(runs.config, model, dataset), seed, record, found)
