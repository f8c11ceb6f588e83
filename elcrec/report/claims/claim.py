"""The paper's claims one by one: what it says, what our runs say, and whether that agrees.

A claim is judged on the data sets that the paper has; what the runs on other data sets say is shown
beside it and decides nothing. Judging gives numbers; their words are in `templates/claims.yaml`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from elcrec.config.names import REFERENCE
from elcrec.report.evidence import Evidence
from elcrec.report.words import rendered
from elcrec.runs.record import RunRecord

Numbers = Mapping[str, Any]
"""What a text of `claims.yaml` needs, by name."""


class Outcome(StrEnum):
    """Whether a claim agrees with the runs."""

    HOLDS = "holds"
    FAILS = "does not hold"
    PARTLY = "partly"
    NOT_SO_FAR = "not so far"
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
    """Empty where there is nothing to judge yet."""


@dataclass(frozen=True)
class Finding:
    """The same in words."""

    outcome: Outcome
    sentence: str


@dataclass(frozen=True)
class Claim:
    """A claim of the paper; its id is its key in `claims.yaml`."""

    id: str
    judge: Callable[[Evidence, Scope], Judged]
    anchor: str
    """Anchor on the page where the evidence is."""
    paper: Callable[[Evidence], Numbers] = lambda evidence: {}
    """Numbers of the paper's own claim, counted in its tables."""
    thresholds: Numbers = field(default_factory=dict)

    def find(self, evidence: Evidence, scope: Scope) -> Finding:
        """Judge the claim on a scope of data sets, in words."""
        judged = self.judge(evidence, scope)
        part = "ours" if judged.numbers else "none"
        return Finding(judged.outcome, self.text(part, judged.numbers))

    def text(self, part: str, numbers: Numbers) -> str:
        """One of its texts with the numbers in their places."""
        return rendered("claims", self.id, part, {**self.thresholds, **numbers})


@dataclass(frozen=True)
class JudgedClaim:
    """A claim of the paper with the evidence, for the page."""

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


def judge_all(evidence: Evidence, claims: Sequence[Claim]) -> list[JudgedClaim]:
    """Judge every claim on the paper's data sets, and on the others of the configuration."""
    evidence = evidence.in_paper_metrics
    use = evidence.config.use
    in_paper = Scope([d for d in use if evidence.in_paper(d)], len(evidence.paper_datasets))
    outside = [d for d in use if not evidence.in_paper(d)]
    judged = []
    for claim in claims:
        here, other = (claim.find(evidence, s) for s in (in_paper, Scope(outside, len(outside))))
        elsewhere = None if other.outcome is Outcome.NOT_RUN else other
        title, rule = claim.text("title", {}), claim.text("rule", {})
        statement = claim.text("paper", claim.paper(evidence))
        judged.append(JudgedClaim(claim.id, title, statement, rule, here, elsewhere, claim.anchor))
    return judged


def verdict_of(
    done: int, failed: int, needed: int, allowed: int = 0, complete: bool = True
) -> Outcome:
    """Outcome of a claim that is a count of comparisons.

    Args:
        done: Comparisons that could be made.
        failed: Those that contradict the claim.
        needed: Comparisons of the full claim.
        allowed: How many may fail, since the paper's own claim has exceptions.
        complete: Whether all that it needs has been run; otherwise it holds only partly.
    """
    if done == 0:
        return Outcome.NOT_RUN
    if failed > allowed:
        return Outcome.FAILS if 2 * failed > done or allowed else Outcome.PARTLY
    return Outcome.HOLDS if done >= needed and complete else Outcome.PARTLY


def so_far(outcome: Outcome) -> Outcome:
    """The outcome of a claim about all data sets, from some of them."""
    return Outcome.NOT_SO_FAR if outcome is Outcome.FAILS else Outcome.PARTLY


def own_runs(evidence: Evidence, scope: Scope) -> list[RunRecord]:
    """The finished runs of ELCRec on the data sets of a scope."""
    return [r for r in evidence.runs if r.model == REFERENCE and r.dataset in scope.datasets]
