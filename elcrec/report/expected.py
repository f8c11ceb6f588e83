"""Our runs against where runs of these models lie elsewhere: what is outside is a finding."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from elcrec.report.claims import listed
from elcrec.report.evidence import Evidence, Score
from elcrec.report.view import Remark, to_come
from elcrec.tables import paper

METRIC = "HR@5"


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
        """Standard error of one run over users, binomial."""
        return math.sqrt(self.score.mean * (1 - self.score.mean) / self.users)


def placed(evidence: Evidence) -> list[Placed]:
    """The models that have runs and a band, in the order of the tables."""
    bands = paper.load_expected()
    users = {run.text("dataset"): run.integer("users", 1) for run in evidence.runs}
    found = []
    for dataset in (d for d in evidence.config.use if d in users):
        for model in evidence.config.models:
            key = evidence.dataset_name(dataset), evidence.model_name(model)
            score = evidence.scores.get((dataset, METRIC, model))
            if score and (*key, "low") in bands:
                low, high = (bands[(*key, end)] for end in ("low", "high"))
                found.append(Placed(*key, score, low, high, users[dataset]))
    return found


def expected(evidence: Evidence) -> Remark:
    """Which runs lie outside their band, and by how many standard errors."""
    found = placed(evidence)
    outside = [_described(one) for one in found if one.outside]
    title = {
        True: "Every model lies where it is expected",
        False: "Some models lie outside where they are expected",
    }[not outside]
    inside = len(found) - len(outside)
    evidence_text = f"{inside} of {len(found)} means of {METRIC} lie inside"
    evidence_text += f"; outside: {listed(outside, len(outside))}." if outside else "."
    return Remark(
        title if found else "Whether the models lie where they are expected",
        f"workflow/paper/expected.csv says where {METRIC} of a faithful run of each model should"
        " lie, from what others print for the same files. A standard error is that of one run over"
        " users.",
        evidence_text if found else to_come("runs of the paper's models on its data sets"),
        bool(found),
    )


def _described(one: Placed) -> str:
    side = "above" if one.outside > 0 else "below"
    seeds = f"{one.score.seeds} seed{'s' if one.score.seeds > 1 else ''}"
    return (
        f"{one.model} on {one.dataset} {one.score.mean:.4f} ({seeds}), {abs(one.outside):.4f} or"
        f" {abs(one.outside) / one.error:.1f} standard errors {side} {one.low:g}–{one.high:g}"
    )


def band_texts() -> Mapping[tuple[str, str], str]:
    """The bands as text, by data set and model as printed."""
    bands = paper.load_expected()
    keys = dict.fromkeys((dataset, model) for dataset, model, _ in bands)
    return {key: f"{bands[(*key, 'low')]:g}–{bands[(*key, 'high')]:g}" for key in keys}
