"""The paper's claims one by one: what it says, what our runs say, and whether that agrees.

A claim is judged on the data sets that the paper has; what the runs on other data sets say is shown
beside it and decides nothing. Each function judges one claim on a scope of data sets.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from elcrec.files.jsonfile import JsonObject
from elcrec.report.evidence import Evidence, Row, read_rows

HOLDS, FAILS, PARTLY, NOT_RUN = "holds", "does not hold", "partly", "not yet run"
PROVISIONAL, NOT_DECIDABLE = "provisional", "not decidable"
REFERENCE = "elcrec"


@dataclass(frozen=True)
class Scope:
    """Data sets that a claim is judged on."""

    datasets: Sequence[str]
    """Ids of the data sets in this configuration."""
    expected: int
    """How many data sets a full judgement needs."""


@dataclass(frozen=True)
class Finding:
    """What the runs say of a claim."""

    outcome: str
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
    links: Mapping[str, str]
    """Anchor of the page to text: where the evidence is."""


@dataclass(frozen=True)
class Definition:
    """How a claim is stated and judged."""

    id: str
    title: str
    statement: Callable[[Evidence], str]
    rule: str
    judge: Callable[[Evidence, Scope], Finding]
    links: Mapping[str, str]


def judge_all(evidence: Evidence, definitions: Sequence[Definition]) -> list[Claim]:
    """Judge every claim on the paper's data sets, and on the others of the configuration."""
    inside = [d for d in evidence.config.use if evidence.in_paper(d)]
    outside = [d for d in evidence.config.use if not evidence.in_paper(d)]
    claims = []
    for made in definitions:
        here = made.judge(evidence, Scope(inside, len(evidence.paper_datasets)))
        there = made.judge(evidence, Scope(outside, len(outside))) if outside else None
        if there is not None and there.outcome == NOT_RUN:
            there = None
        statement = made.statement(evidence)
        claim = Claim(made.id, made.title, statement, made.rule, here, there, made.links)
        claims.append(claim)
    return claims


def verdict_of(done: int, failed: int, needed: int, allowed: int = 0) -> str:
    """Outcome of a claim that is a count of comparisons.

    Args:
        done: Comparisons that could be made.
        failed: Those that contradict the claim.
        needed: Comparisons of the full claim.
        allowed: So many may fail: the paper's own claim has exceptions.
    """
    if done == 0:
        return NOT_RUN
    if failed > allowed:
        return FAILS if 2 * failed > done or allowed else PARTLY
    return HOLDS if done >= needed else PARTLY


def unless_open(outcome: str, complete: bool) -> str:
    """The outcome, but a claim holds only partly while something that it needs is not run."""
    return PARTLY if outcome == HOLDS and not complete else outcome


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


def history(values: JsonObject) -> list[Row]:
    """Rows of the history beside a run's `metrics.json`, one for each epoch."""
    return read_rows(values.path.parent / "history.csv")


def listed(items: Sequence[str], most: int = 4) -> str:
    """Join for a sentence; of many, the first ones and how many more."""
    shown = list(items[:most])
    if len(items) > most:
        shown.append(f"{len(items) - most} more")
    return ", ".join(shown[:-1]) + f" and {shown[-1]}" if len(shown) > 1 else "".join(shown)


def percent_less(ratio: float) -> str:
    """`7.2 % less` or `3.0 % more` for a ratio to the baseline."""
    if math.isnan(ratio):
        return "unknown"
    return f"{abs(1 - ratio):.1%} {'less' if ratio < 1 else 'more'}".replace("%", " %")


def names(evidence: Evidence, datasets: Sequence[str]) -> str:
    """Display names of data sets, for a sentence."""
    return listed([evidence.dataset_name(d) for d in datasets])
