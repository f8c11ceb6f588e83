"""Records of metrics without a run folder: of published weights, and of tried grid points."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from elcrec.evaluation.metrics import METRICS, TABLE_METRICS
from elcrec.files.checked import (
    LARGEST,
    Amount,
    Count,
    Line,
    Positive,
    Record,
    Share,
    having,
    matching,
)
from elcrec.runs.record import Trained

TableMetrics = Annotated[dict[str, Share], having(*TABLE_METRICS)]
"""Metric to value, with all that tables show."""
Cosine = Annotated[float, Field(ge=-1.01, le=1.01)]  # a mean of rounded ones may slightly exceed 1
SettingName = Annotated[str, matching(r"^[^\W\d]\w*$", "the name of a setting")]
Integer = Annotated[int, Field(ge=-LARGEST, le=LARGEST)]


class _Test(Record):
    test: TableMetrics


class Centers(Record):
    """Learned centers in published weights; means over pairs of centers and of users."""

    count: Positive
    in_use: Count
    """Number of centers nearest to at least one of the sampled users."""
    center_cosine: Cosine
    user_cosine: Cosine

    @model_validator(mode="after")
    def _within_count(self) -> Self:
        if self.in_use > self.count:
            raise ValueError(f"in_use is {self.in_use}; allowed: at most {self.count} (count)")
        return self


class ReleasedRecord(Record):
    """What `elcrec verify released --output` wrote; older ones lack what has a default."""

    dataset: Line
    model: Literal["elcrec", "iclrec"]
    file: Line
    """Name of the file of weights."""
    metrics: _Test
    intents: Centers | None = None
    """None: not examined, or computed anew by k-means at every epoch, as in ICLRec."""
    commit: Line | None = None
    dirty: bool = False
    device: Line = "not recorded"
    command: list[str] = []


class TriedPoint(Trained):
    """What `elcrec try` wrote about a point of a model's grid."""

    point: dict[SettingName, bool | Integer | float | Line]
    select_by: Literal[METRICS]  # type: ignore[valid-type]
    valid: TableMetrics
    best_epoch: Count
    epochs: Count
    seconds: Amount

    @model_validator(mode="after")
    def _has_a_score(self) -> Self:
        if self.select_by not in self.valid:
            raise ValueError(f"valid has no {self.select_by}, which select_by names")
        return self
