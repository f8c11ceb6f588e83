"""The claim about the learned intents: the centers are apart, and users spread over them."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from elcrec.errors import InputError, shown
from elcrec.files.yamlfile import read_yaml
from elcrec.report.claims.claim import (
    FAILS,
    HOLDS,
    NOT_RUN,
    PARTLY,
    REFERENCE,
    Definition,
    Finding,
    Scope,
    history,
    listed,
    own_runs,
)
from elcrec.report.evidence import Evidence, mean

APART, TOGETHER = 0.5, 0.9  # our thresholds: mean pairwise cosine of the centers
USED, UNUSED = 0.5, 0.1  # our thresholds: share of the centers in use


@dataclass(frozen=True)
class _Centers:
    """Centers of a data set in the tested weights, means over its runs."""

    dataset: str
    share: float
    """Of them nearest to at least one of the sampled users."""
    cosine: float
    """Mean of two centers."""
    users: float
    """Mean cosine of two of the sampled users."""

    @property
    def outcome(self) -> str:
        if self.share < UNUSED or self.cosine > TOGETHER:
            return FAILS
        return HOLDS if self.share >= USED and self.cosine < APART else PARTLY


def intents(evidence: Evidence, scope: Scope) -> Finding:
    """Are many centers in use, and do they point in different directions?"""
    found = _centers(evidence, scope)
    if not found:
        return Finding(NOT_RUN, "No run of ELCRec has recorded its centers yet.")
    outcomes = [each.outcome for each in found]
    badness = (HOLDS, PARTLY, FAILS)
    worst = max(found, key=lambda c: (badness.index(c.outcome), c.cosine - c.share))
    sentence = (
        f"The centers are apart on {outcomes.count(HOLDS)} of {len(found)} data sets run (of"
        f" {scope.expected}) and collapsed on {outcomes.count(FAILS)}; worst on"
        f" {evidence.dataset_name(worst.dataset)}: in the tested weights {worst.share:.0%} of the"
        " centers are nearest to at least one of the sampled users, the mean cosine of two centers"
        f" is {worst.cosine:.2f}, that of two users {worst.users:.2f} (1: all point the same way)."
    ).replace("%", " %")
    sentence += published(evidence, scope)
    if len(found) < scope.expected:
        return Finding(PARTLY, sentence)
    return Finding(worst.outcome, sentence)


def _centers(evidence: Evidence, scope: Scope) -> list[_Centers]:
    """Centers of every data set whose runs recorded them."""
    found: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for values in own_runs(evidence, scope):
        rows = {int(r.number("epoch")): r for r in history(values)}
        row = rows.get(values.integer("best_epoch"))
        if row is None or "intents_in_use" not in row.values:
            continue
        share = row.number("intents_in_use") / _intents(values.path.parent / "config.yaml")
        cosine = row.number("center_cosine")
        if not math.isnan(share + cosine):
            found[values.text("dataset")].append((share, cosine, row.number("user_cosine")))
    return [
        _Centers(dataset, *(mean(column) for column in zip(*runs, strict=True)))
        for dataset, runs in found.items()
    ]


def published(evidence: Evidence, scope: Scope) -> str:
    """The same of the weights that the authors published; empty where nobody has looked at them."""
    told = []
    for record in evidence.released:
        dataset = record.text("dataset")
        if record.text("model") != REFERENCE or dataset not in scope.datasets:
            continue
        if record.values.get("intents") is None:  # records of before it was looked at
            continue
        seen = record.section("intents")
        count, used = seen.integer("count", least=1), seen.integer("in_use")
        # 1.01: a mean of rounded cosines may pass 1 a little.
        if used > count:
            seen.refuse("in_use", f"at most {count}, as many as there are")
        centers, users = (seen.number(k, -1.01, 1.01) for k in ("center_cosine", "user_cosine"))
        told.append(
            f"{used} of {count} centers in use on {evidence.dataset_name(dataset)}, mean cosines"
            f" {centers:.2f} and {users:.2f}"
        )
    return f" The authors' published weights: {listed(told)}." if told else ""


def _intents(path: Path) -> int:
    """Number of centers that a run was made with."""
    parameters = read_yaml(path).get("parameters")
    count = parameters.get("intents") if isinstance(parameters, dict) else None
    if type(count) is not int or count < 1:
        raise InputError(f"{path}: parameters.intents is {shown(count)}; allowed: 1 or more")
    return count


INTENTS = Definition(
    "intents",
    "Intents separate users",
    lambda evidence: (
        "The learned centers split users into clear groups, which a t-SNE of the users shows more"
        " and more during training."
    ),
    f"Holds if on each of the paper's data sets at least {100 * USED:g} % of the centers are in use"
    f" and their mean pairwise cosine is below {APART}; fails if on any, all being run, fewer than"
    f" {100 * UNUSED:g} % are, or the cosine is above {TOGETHER}. The thresholds are ours.",
    intents,
    {"figures": "Figures"},
)
