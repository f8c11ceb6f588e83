"""The claim about the learned intents: the centers are apart, and users spread over them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from elcrec.errors import InputError, shown
from elcrec.files.yamlfile import read_yaml
from elcrec.report.claims.claim import REFERENCE, Judged, Outcome, Scope, own_runs
from elcrec.report.evidence import Evidence, mean

APART, TOGETHER = 0.5, 0.9  # our thresholds: mean pairwise cosine of the centers
USED, UNUSED = 0.5, 0.1  # our thresholds: share of the centers in use
THRESHOLDS = {"apart": APART, "together": TOGETHER, "used": USED, "unused": UNUSED}
BADNESS = (Outcome.HOLDS, Outcome.PARTLY, Outcome.FAILS)
QUANTITIES = ("share", "center_cosine", "user_cosine")


def intents(evidence: Evidence, scope: Scope) -> Judged:
    """Are many centers in use, and do they point in different directions?"""
    found = _centers(evidence, scope)
    if not found:
        return Judged(Outcome.NOT_RUN)
    outcomes = [_outcome(row) for row in found]
    worst = max(
        found, key=lambda row: (BADNESS.index(_outcome(row)), row["center_cosine"] - row["share"])
    )
    numbers = {
        "apart_on": outcomes.count(Outcome.HOLDS),
        "collapsed_on": outcomes.count(Outcome.FAILS),
        "done": len(found),
        "needed": scope.expected,
        "worst": worst,
        "published": published(evidence, scope),
    }
    return Judged(_outcome(worst) if len(found) >= scope.expected else Outcome.PARTLY, numbers)


def _outcome(centers: Mapping[str, Any]) -> Outcome:
    share, cosine = centers["share"], centers["center_cosine"]
    if share < UNUSED or cosine > TOGETHER:
        return Outcome.FAILS
    return Outcome.HOLDS if share >= USED and cosine < APART else Outcome.PARTLY


def _centers(evidence: Evidence, scope: Scope) -> list[dict[str, Any]]:
    """Centers of every data set whose runs recorded them, in the tested weights: means over runs.

    `share`: of the centers nearest to at least one of the sampled users; `center_cosine` and
    `user_cosine`: means over pairs of centers, of sampled users.
    """
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    for values in own_runs(evidence, scope):
        rows = {int(r.number("epoch")): r for r in evidence.history(values)}
        row = rows.get(values.integer("best_epoch"))
        if row is None or "intents_in_use" not in row.values:
            continue
        seen = {key: row.number(key) for key in QUANTITIES[1:]}
        count = _intents(values.path.parent / "config.yaml")
        seen["share"] = row.number("intents_in_use") / count
        if not math.isnan(seen["share"] + seen["center_cosine"]):
            found[values.text("dataset")].append(seen)
    return [
        {"dataset": evidence.dataset_name(dataset)}
        | {key: mean([run[key] for run in runs]) for key in QUANTITIES}
        for dataset, runs in found.items()
    ]


def published(evidence: Evidence, scope: Scope) -> list[dict[str, Any]]:
    """The same of the weights that the authors published, where somebody has looked at them."""
    told = []
    for record in evidence.released:
        ours = record.text("model") == REFERENCE and record.text("dataset") in scope.datasets
        if not ours or record.values.get("intents") is None:  # of before it was looked at
            continue
        seen = record.section("intents")
        count, used = seen.integer("count", least=1), seen.integer("in_use")
        if used > count:
            seen.refuse("in_use", f"at most {count}, as many as there are")
        # 1.01: a mean of rounded cosines may pass 1 a little.
        cosines = {key: seen.number(key, -1.01, 1.01) for key in QUANTITIES[1:]}
        name = evidence.dataset_name(record.text("dataset"))
        told.append({"dataset": name, "count": count, "used": used, **cosines})
    return told


def _intents(path: Path) -> int:
    """Number of centers that a run was made with."""
    parameters = read_yaml(path).get("parameters")
    count = parameters.get("intents") if isinstance(parameters, dict) else None
    if type(count) is not int or count < 1:
        raise InputError(f"{path}: parameters.intents is {shown(count)}; allowed: 1 or more")
    return count
