"""Our runs against where runs of these models lie elsewhere: what is outside is a finding."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from elcrec import paper
from elcrec.report.evidence import Evidence, Score, read_rows
from elcrec.report.view import Remark, to_come
from elcrec.tables.layout import score

METRIC = "HR@5"
DEVIATIONS = "deviations.csv"
"""File of the record: what was found out about runs outside their band."""


@dataclass(frozen=True)
class Placed:
    """The mean HR@5 of a model, and the band where it is expected."""

    dataset: str
    """Name as printed, as is the model."""
    model: str
    score: Score
    low: float
    high: float
    users: int

    @property
    def outside(self) -> float:
        """How far outside the band, below it negative; 0 inside."""
        return min(self.score.mean - self.low, 0.0) + max(self.score.mean - self.high, 0.0)

    @property
    def error(self) -> float:
        """Standard error of one run over users, binomial, at the nearest value of the band."""
        nearest = min(max(self.score.mean, self.low), self.high)
        return math.sqrt(nearest * (1 - nearest) / self.users)


def placed(evidence: Evidence) -> list[Placed]:
    """The models that have runs and a band, in the order of the tables."""
    bands = paper.load_expected()
    users = {run.text("dataset"): run.integer("users", 1) for run in evidence.runs}
    found = []
    for dataset in (d for d in evidence.config.use if d in users):
        for model in evidence.config.models:
            key = evidence.dataset_name(dataset), evidence.model_name(model)
            ours = evidence.scores.get((dataset, METRIC, model))
            if ours and (*key, "low") in bands:
                low, high = (bands[(*key, end)] for end in ("low", "high"))
                found.append(Placed(*key, ours, low, high, users[dataset]))
    return found


def expected(evidence: Evidence) -> Remark:
    """Which runs lie outside their band, and by how many standard errors."""
    found = placed(evidence)
    examined = deviations(evidence)
    outside = [_described(one, examined) for one in found if one.outside]
    if not found:
        title = "Whether the models lie where they are expected"
    elif outside:
        title = "Some models lie outside where they are expected"
    else:
        title = "Every model lies where it is expected"
    inside = len(found) - len(outside)
    evidence_text = f"{inside} of {len(found)} means of {METRIC} lie inside"
    evidence_text += f". {' '.join(outside)}" if outside else "."
    return Remark(
        title,
        f"workflow/paper/expected.csv says where {METRIC} of a faithful run of each model should"
        " lie: the judgement of this project's founders, with what each band rests on. A standard"
        " error is that of one run over users.",
        evidence_text if found else to_come("runs of the paper's models on its data sets"),
        bool(found),
    )


def deviations(evidence: Evidence) -> Mapping[tuple[str, str], str] | None:
    """What was found out about recorded runs outside their band; None for runs of one's own."""
    if evidence.config.runs != "recorded":
        return None
    rows = read_rows(evidence.config.recorded / DEVIATIONS)
    return {(row.text("dataset"), row.text("model")): row.text("found") for row in rows}


def _described(one: Placed, examined: Mapping[tuple[str, str], str] | None) -> str:
    side = "above" if one.outside > 0 else "below"
    seeds = f"{one.score.seeds} seed{'s' if one.score.seeds > 1 else ''}"
    text = (
        f"Outside: {one.model} on {one.dataset} {one.score.mean:.4f} ({seeds}),"
        f" {abs(one.outside):.4f} or {abs(one.outside) / one.error:.1f} standard errors {side}"
        f" {score(one.low)}–{score(one.high)}"
    )
    if examined is None:
        return f"{text}."
    return f"{text}; {examined.get((one.dataset, one.model), 'not yet looked into')}."


def band_texts() -> Mapping[tuple[str, str], str]:
    """The bands as text, by data set and model as printed."""
    bands = paper.load_expected()
    keys = dict.fromkeys((dataset, model) for dataset, model, _ in bands)
    return {key: f"{score(bands[(*key, 'low')])}–{score(bands[(*key, 'high')])}" for key in keys}
