"""Our runs against where runs of these models lie elsewhere: what is outside is a finding."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from elcrec import paper
from elcrec.report.evidence import Evidence, Score
from elcrec.report.remarks.remark import Remark, remark
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
    outside = [one for one in found if one.outside]
    recorded, rows = evidence.config.runs == "recorded", evidence.recorded(DEVIATIONS)
    examined = {(row.text("dataset"), row.text("model")): row.text("found") for row in rows}
    told = {"outside": outside, "examined": examined if recorded else None, "done": len(found)}
    return remark("expected", bool(found), metric=METRIC, **told)


def band_texts() -> Mapping[tuple[str, str], str]:
    """The bands as text, by data set and model as printed."""
    bands = paper.load_expected()
    keys = dict.fromkeys((dataset, model) for dataset, model, _ in bands)
    return {key: f"{score(bands[(*key, 'low')])}–{score(bands[(*key, 'high')])}" for key in keys}
