"""Words that captions share."""

from __future__ import annotations

from collections.abc import Sequence

from elcrec.config import Config
from elcrec.figures.reading import Found
from elcrec.tables.runs import RunRecord


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def seeds_of(records: Sequence[RunRecord]) -> str:
    """The seeds of some runs as a sentence."""
    seeds = sorted({record.seed for record in records})
    if not seeds:
        return "No run yet."
    return f"Seed{'s' if len(seeds) > 1 else ''} {listed([str(seed) for seed in seeds])}."


def gaps(missing: Sequence[str]) -> str:
    """What is not there, as a sentence; empty if nothing is missing."""
    return f" Not run: {'; '.join(dict.fromkeys(missing))}." if missing else ""


def which_runs(config: Config, found: Found) -> str:
    """The seeds that a figure shows, and the models of which it shows none."""
    missing = [
        f"{config.model_name(model)} on {config.dataset_name(dataset)}"
        for (dataset, model), records in found.items()
        if not records
    ]
    return seeds_of([r for records in found.values() for r in records]) + gaps(missing)
