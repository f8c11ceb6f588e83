"""The paper's claims one by one: what it says, what our runs say, and whether that agrees.

A claim is judged on the data sets that the paper has; what the runs on other data sets say is shown
beside it and decides nothing. Judging gives numbers; their words are in `templates/claims.yaml`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from elcrec.files.jsonfile import JsonObject
from elcrec.report.evidence import Evidence
from elcrec.report.words import worded

REFERENCE = "elcrec"

Numbers = Mapping[str, Any]
"""What a text of `claims.yaml` needs, by name."""


class Outcome(StrEnum):
    """Whether a claim agrees with the runs."""

    HOLDS = "holds"
    FAILS = "does not hold"
    PARTLY = "partly"
    NOT_RUN = "not yet run"
    PROVISIONAL = "provisional"
    NOT_DECIDABLE = "not decidable"


@dataclass(frozen=True)
class Scope:
    """Data sets that a claim is judged on."""

    datasets: Sequence[str]
    """Ids of the data sets in this configuration."""
    expected: int
    """How many data sets a full judgement needs."""


@dataclass(frozen=True)
class Judged:
    """What the runs say of a claim, in numbers."""

    outcome: Outcome
    numbers: Numbers = field(default_factory=dict)
    """None where there is nothing to judge yet."""


@dataclass(frozen=True)
class Finding:
    """The same in words."""

    outcome: Outcome
    sentence: str


@dataclass(frozen=True)
class Claim:
    """A claim of the paper with the evidence."""

    id: str
    title: str
    statement: str
    """The paper's, in our words, with its numbers."""
    rule: str
    """When it counts as holding."""
    finding: Finding
    elsewhere: Finding | None
    """On data sets that the paper does not have; None without any."""
    anchor: str
    """Of the page: where the evidence is."""


@dataclass(frozen=True)
class Definition:
    """How a claim is judged; its key in `claims.yaml` is its id."""

    id: str
    judge: Callable[[Evidence, Scope], Judged]
    anchor: str
    """Of the page: where the evidence is."""
    paper: Callable[[Evidence], Numbers] = lambda evidence: {}
    """Numbers of the paper's own claim, counted in its tables."""
    thresholds: Numbers = field(default_factory=dict)

    def find(self, evidence: Evidence, scope: Scope) -> Finding:
        """Judge the claim on a scope of data sets, in words."""
        judged = self.judge(evidence, scope)
        part = "ours" if judged.numbers else "none"
        return Finding(judged.outcome, self.text(part, judged.numbers))

    def statement(self, evidence: Evidence) -> str:
        """What the paper claims."""
        return self.text("paper", self.paper(evidence))

    def text(self, part: str, numbers: Numbers) -> str:
        """One of its texts with the numbers in their places."""
        return worded("claims", self.id, part, {**self.thresholds, **numbers})


def judge_all(evidence: Evidence, definitions: Sequence[Definition]) -> list[Claim]:
    """Judge every claim on the paper's data sets, and on the others of the configuration."""
    inside = [d for d in evidence.config.use if evidence.in_paper(d)]
    outside = [d for d in evidence.config.use if not evidence.in_paper(d)]
    claims = []
    for made in definitions:
        here = made.find(evidence, Scope(inside, len(evidence.paper_datasets)))
        there = made.find(evidence, Scope(outside, len(outside)))
        claims.append(
            Claim(
                made.id,
                made.text("title", {}),
                made.statement(evidence),
                made.text("rule", {}),
                here,
                None if there.outcome is Outcome.NOT_RUN else there,
                made.anchor,
            )
        )
    return claims


def verdict_of(done: int, failed: int, needed: int, allowed: int = 0) -> Outcome:
    """Outcome of a claim that is a count of comparisons.

    Args:
        done: Comparisons that could be made.
        failed: Those that contradict the claim.
        needed: Comparisons of the full claim.
        allowed: So many may fail: the paper's own claim has exceptions.
    """
    if done == 0:
        return Outcome.NOT_RUN
    if failed > allowed:
        return Outcome.FAILS if 2 * failed > done or allowed else Outcome.PARTLY
    return Outcome.HOLDS if done >= needed else Outcome.PARTLY


def unless_open(outcome: Outcome, complete: bool) -> Outcome:
    """The outcome, but a claim holds only partly while something that it needs is not run."""
    return Outcome.PARTLY if outcome is Outcome.HOLDS and not complete else outcome


def settled(evidence: Evidence, *seeds: int) -> bool:
    """Whether a comparison of means over so many seeds stays as it is: all have been run."""
    return min(seeds) >= len(evidence.config.seeds)


def own_runs(evidence: Evidence, scope: Scope) -> list[JsonObject]:
    """`metrics.json` of the finished runs of ELCRec on the data sets of a scope."""
    return [
        run
        for run in evidence.runs
        if run.text("model") == REFERENCE and run.text("dataset") in scope.datasets
    ]
