"""Remarks on these runs and these data; findings about the paper are in docs/findings.md.

Each is a function that computes its numbers; the words that follow from these, and what is needed
before they can be computed, are in `templates/remarks.yaml`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from elcrec import paper
from elcrec.config.names import REFERENCE
from elcrec.data.core import k_core, selected
from elcrec.data.fetched import NAME, SourceRecord, located, read_record
from elcrec.data.formats import read_interactions
from elcrec.data.repeats import REPEATED
from elcrec.files.jsonfile import read_json
from elcrec.files.rows import frame_of
from elcrec.report.evidence import Evidence
from elcrec.report.words import rendered

METRIC = "HR@5"
"""The metric that has an expected band."""
WINDOW = 50  # positions of the paper's models; older items are cut off
DAY = 86_400  # seconds
DEVIATIONS = "deviations.csv"
"""File of the record: what was found out about runs outside their band."""
RULES = "verdict_rules.csv"
"""File of the record: every cell that was run when the rule changed, under both rules."""


@dataclass(frozen=True)
class Remark:
    """A remark whose words follow from its numbers."""

    title: str
    statement: str
    evidence: str
    """Outcome of the computation that shows it, or what it needs."""
    shown: bool
    """Whether the computation could be made."""


def remarks(evidence: Evidence) -> list[Remark]:
    """Compute all of them, in the order of the page; without those that do not apply."""
    makers = (expected, padding, loss_matters, repeated_targets, order_by_day, rule_change)
    return [remark for make in makers if (remark := make(evidence.in_paper_metrics))]


def _remark(key: str, shown: bool, **numbers: Any) -> Remark:
    """Fill the texts of `templates/remarks.yaml`."""
    title, statement, evidence = (
        rendered("remarks", key, part, numbers | {"shown": shown})
        for part in ("title", "statement", "evidence" if shown else "needs")
    )
    return Remark(
        title, statement, evidence if shown else f"Not computed yet; it needs: {evidence}.", shown
    )


def placed(evidence: Evidence) -> pd.DataFrame:
    """The mean HR@5 of the models that have runs and a band, in the order of the tables.

    Returns:
        Names as printed, `mean`, `seeds` and the band, `low` and `high`; `outside`: how far outside
        the band, below it negative; `errors`: the same in standard errors of one run over users,
        binomial, at the nearest value of the band.
    """
    bands = paper.load_expected()
    users = {run.dataset: run.users for run in evidence.runs}
    rows = []
    for (dataset, metric, model), score in evidence.scores.items():
        key = evidence.dataset_name(dataset), evidence.model_name(model)
        if metric == METRIC and dataset in users and (*key, "low") in bands:
            band = (bands[(*key, end)] for end in ("low", "high"))
            rows.append((*key, score.mean, score.seeds, *band, users[dataset]))
    columns = ["dataset", "model", "mean", "seeds", "low", "high", "users"]
    frame = pd.DataFrame(rows, columns=columns)
    nearest = frame["mean"].clip(frame["low"], frame["high"])
    frame["outside"] = frame["mean"] - nearest
    frame["errors"] = frame["outside"] / (nearest * (1 - nearest) / frame["users"]) ** 0.5
    return frame


def expected(evidence: Evidence) -> Remark:
    """Which runs lie outside their band, and by how many standard errors."""
    frame = placed(evidence)
    outside = frame[frame["outside"] != 0].to_dict("records")
    recorded, rows = evidence.config.runs == "recorded", evidence.recorded(DEVIATIONS)
    examined = {(row.text("dataset"), row.text("model")): row.text("found") for row in rows}
    numbers = {"outside": outside, "examined": examined if recorded else None, "done": len(frame)}
    return _remark("expected", bool(numbers["done"]), metric=METRIC, **numbers)


def padding(evidence: Evidence) -> Remark:
    """Share of padding in the windows that training sees."""
    shares = [
        {"dataset": name, "share": 1 - np.minimum(sequences.lengths - 3, WINDOW).mean() / WINDOW}
        for name, sequences in evidence.histories.items()
    ]
    most = [row["dataset"] for row in shares if row["share"] > 0.5]
    return _remark("padding", bool(shares), shares=shares, most=most, window=WINDOW)


def loss_matters(evidence: Evidence) -> Remark:
    """SASRec with two losses, and ELCRec."""
    rows, more = [], []
    for dataset in evidence.config.use:
        keys = [(dataset, "NDCG@20", model) for model in ("sasrec", "sasrec_ce", REFERENCE)]
        if evidence.scores.keys() >= set(keys):
            binary, softmax, elcrec = (evidence.scores[key].mean for key in keys)
            name = evidence.dataset_name(dataset)
            rows.append({"dataset": name, "binary": binary, "softmax": softmax, "elcrec": elcrec})
            more += [name] * (softmax - binary > max(elcrec - softmax, 0.0))
    return _remark("loss", bool(rows), rows=rows, more=more)


def repeated_targets(evidence: Evidence) -> Remark:
    """Targets that already occur in the user's own history, and how each protocol ranks them."""
    histories = evidence.histories.items()
    counts = [{"dataset": d, "users": s.n_users, **s.repeated()} for d, s in histories]
    ranked: dict[str, dict[str, None]] = {}
    for run in evidence.runs:
        ranked.setdefault(run.ranked_by, {})[evidence.model_name(run.model)] = None
    by = {protocol: list(models) for protocol, models in sorted(ranked.items())}
    by = by or {evidence.config.protocol: []}
    numbers = {"by": by, "fate": REPEATED, "some": any(c["valid"] or c["test"] for c in counts)}
    return _remark("repeated", bool(counts), counts=counts, **numbers)


def order_by_day(evidence: Evidence) -> Remark:
    """Users whose last two items carry the same date, where the raw file with dates exists."""
    shares = []
    for dataset in evidence.config.use:
        folder = evidence.config.data / dataset
        if not (folder / NAME).is_file():
            continue
        record, entry = read_json(folder / NAME, SourceRecord), evidence.config.dataset(dataset)
        if record.format == "amazon-reviews" and located(folder, record, entry.places).exists():
            fetched = read_record(folder, dataset, entry.places)
            frame = read_interactions(fetched.path, fetched.source.format, fetched.source.member)
            filtered = k_core(selected(frame, entry.min_rating, entry.doubled), entry.core)
            share = same_day_share(filtered)
            shares.append({"dataset": evidence.dataset_name(dataset), "share": share})
    return _remark("same_day", bool(shares), shares=shares)


def rule_change(evidence: Evidence) -> Remark | None:
    """The verdicts by the former rule and by the present one; None without a record of them."""
    rules = ["old_verdict", "new_verdict"]
    text_columns = ["dataset", "model", "metric", *rules]
    cells = frame_of(evidence.recorded(RULES), text_columns, ["mean", "paper"])
    counts = cells.groupby(rules).size().reset_index(name="cells").to_dict("records")
    numbers = {"counts": counts, "cells": cells.to_dict("records")}
    return None if cells.empty else _remark("rule_change", True, **numbers)


def same_day_share(frame: pd.DataFrame) -> float:
    """Share of the users whose last two interactions are on the same day; `time` is in seconds."""
    # `observed`: not the users that the core has removed, who are still categories.
    days = (frame["time"] // DAY).sort_values().groupby(frame["user"], observed=True)
    last = days.tail(2).groupby(frame["user"], observed=True)
    return float((last.nunique() == 1).mean())
