"""The claim about the learned intents: the centers are apart, and users spread over them."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from elcrec.config.names import REFERENCE
from elcrec.errors import InputError, shown
from elcrec.report.claims.claim import Judged, Outcome, Scope, own_runs, so_far
from elcrec.report.evidence import Evidence
from elcrec.runs.record import read_config

APART, TOGETHER = 0.5, 0.9  # our thresholds: mean pairwise cosine of the centers
USED, UNUSED = 0.5, 0.1  # our thresholds: share of the centers in use
THRESHOLDS = {"apart": APART, "together": TOGETHER, "used": USED, "unused": UNUSED}
BADNESS = (Outcome.HOLDS, Outcome.PARTLY, Outcome.FAILS)


def intents(evidence: Evidence, scope: Scope) -> Judged:
    """Are many centers in use, and do they point in different directions?"""
    runs = pd.DataFrame(_centers(evidence, scope))
    if runs.empty:
        return Judged(Outcome.NOT_RUN)
    means = runs.groupby("dataset", sort=False).mean().reset_index().to_dict("records")
    outcomes = list(map(_outcome, means))
    worst = max(
        means, key=lambda row: (BADNESS.index(_outcome(row)), row["center_cosine"] - row["share"])
    )
    numbers = {
        "apart_on": outcomes.count(Outcome.HOLDS),
        "collapsed_on": outcomes.count(Outcome.FAILS),
        "done": len(means),
        "needed": scope.expected,
        "worst": worst,
        "published": published(evidence, scope),
    }
    outcome = _outcome(worst)
    return Judged(outcome if len(means) >= scope.expected else so_far(outcome), numbers)


def _outcome(centers: Mapping[Any, Any]) -> Outcome:
    share, cosine = centers["share"], centers["center_cosine"]
    if share < UNUSED or cosine > TOGETHER:
        return Outcome.FAILS
    return Outcome.HOLDS if share >= USED and cosine < APART else Outcome.PARTLY


def _centers(evidence: Evidence, scope: Scope) -> Iterator[dict[str, Any]]:
    """The centers in the tested weights of every run that recorded them.

    `share`: of the centers nearest to at least one of the sampled users; `center_cosine` and
    `user_cosine`: means over pairs of centers, of sampled users.
    """
    for run in own_runs(evidence, scope):
        row = dict(enumerate(evidence.history(run), 1)).get(run.best_epoch)
        if row is None or "intents_in_use" not in row.values:
            continue
        in_use, cosine = row.number("intents_in_use"), row.number("center_cosine")
        if not math.isnan(in_use + cosine):
            yield {
                "dataset": evidence.dataset_name(run.dataset),
                "share": in_use / _intents(run.folder),
                "center_cosine": cosine,
                "user_cosine": row.number("user_cosine"),
            }


def published(evidence: Evidence, scope: Scope) -> list[dict[str, Any]]:
    """The same of the weights that the authors published, where their centers were recorded."""
    return [
        {"dataset": evidence.dataset_name(record.dataset), **record.intents.model_dump()}
        for record in evidence.released
        if record.intents and record.model == REFERENCE and record.dataset in scope.datasets
    ]


def _intents(folder: Path) -> int:
    """Number of centers of a run."""
    count = read_config(folder).parameters.get("intents")
    if type(count) is not int or count < 1:
        path = folder / "config.yaml"
        raise InputError(f"{path}: parameters.intents is {shown(count)}; allowed: 1 or more")
    return count
