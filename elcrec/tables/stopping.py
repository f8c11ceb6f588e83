"""Runs whose epochs say that they may not have been trained to their end."""

from __future__ import annotations

from collections.abc import Sequence

from elcrec.runs.record import RunRecord

AT_THE_LIMIT = "†"
"""Marks a row whose best epoch is the last allowed one, or in the last hundredth before it."""
STOPPED_EARLY = "‡"
"""Marks a row with a run that ended before half of the epochs of its longest sibling."""


def stopping(runs: Sequence[RunRecord]) -> str:
    """What is remarkable about the epochs of a model's runs on one data set.

    Returns:
        For example `† seed 1 (300 of 300); ‡ seed 2 (53 of 93)`: tested epoch and all epochs;
        empty for ordinary runs.
    """
    longest = max((run.epochs for run in runs), default=0)
    kinds = {
        AT_THE_LIMIT: [
            r for r in runs if r.epochs > 1 and r.epochs - r.best_epoch <= r.epochs // 100
        ],
        STOPPED_EARLY: [r for r in runs if 2 * r.epochs < longest],
    }
    return "; ".join(
        f"{mark} {', '.join(f'seed {r.seed} ({r.best_epoch} of {r.epochs})' for r in found)}"
        for mark, found in kinds.items()
        if found
    )


def marks(text: str) -> str:
    """The marks alone of what `stopping` says."""
    return "".join(mark for mark in (AT_THE_LIMIT, STOPPED_EARLY) if mark in text)
