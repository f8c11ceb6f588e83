"""What these runs and these data show beyond the paper's tables."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from elcrec.data.core import k_core
from elcrec.data.fetched import NAME, read_record
from elcrec.data.formats import read_interactions
from elcrec.data.repeats import FATE
from elcrec.report.claims.claim import REFERENCE
from elcrec.report.evidence import Evidence
from elcrec.report.remarks.remark import Remark, remark

WINDOW = 50  # positions of the paper's models; older items are cut off
DAY = 86_400  # seconds
RULES = "verdict_rules.csv"
"""File of the record: every cell that was run when the rule changed, under both rules."""


def padding(evidence: Evidence) -> Remark:
    """Share of padding in the windows that training sees."""
    shares = [
        {"dataset": name, "share": 1 - np.minimum(found.lengths - 3, WINDOW).mean() / WINDOW}
        for name, found in evidence.sequences.items()
    ]
    most = [row["dataset"] for row in shares if row["share"] > 0.5]
    return remark("padding", bool(shares), shares=shares, most=most, window=WINDOW)


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
    return remark("loss", bool(rows), rows=rows, more=more)


def repeated_targets(evidence: Evidence) -> Remark:
    """Targets that stand in the user's own history, and what becomes of them by model."""
    found = evidence.sequences.items()
    counts = [{"dataset": d, "users": s.n_users, **s.repeated()} for d, s in found]
    ranked: dict[str, dict[str, None]] = {}
    for run in evidence.runs:
        name = evidence.model_name(run.text("model"))
        ranked.setdefault(run.text("ranked_by"), {})[name] = None
    by = {protocol: list(models) for protocol, models in sorted(ranked.items())}
    by = by or {evidence.config.protocol: []}
    told = {"by": by, "fate": FATE, "some": any(c["valid"] or c["test"] for c in counts)}
    return remark("repeated", bool(counts), counts=counts, **told)


def order_by_day(evidence: Evidence) -> Remark:
    """Users whose last two items carry the same date, where the raw file with dates is there."""
    shares = []
    for dataset in evidence.config.use:
        folder = evidence.config.data / dataset
        if not (folder / NAME).is_file():
            continue
        fetched = read_record(folder, dataset, evidence.config.dataset(dataset).places)
        if fetched.source.format == "amazon-reviews":
            frame = read_interactions(fetched.path, fetched.source.format, fetched.source.member)
            share = same_day_share(k_core(frame, evidence.config.dataset(dataset).core))
            shares.append({"dataset": evidence.dataset_name(dataset), "share": share})
    return remark("same_day", bool(shares), shares=shares)


def rule_change(evidence: Evidence) -> Remark | None:
    """The verdicts by the former rule and by the present one; None without a record of them."""
    words = ("dataset", "model", "metric", "old_verdict", "new_verdict")
    cells = [
        {key: row.text(key) for key in words} | {k: row.number(k) for k in ("mean", "paper")}
        for row in evidence.recorded(RULES)
    ]
    changes = Counter((cell["old_verdict"], cell["new_verdict"]) for cell in cells)
    counts = [{"old": old, "new": new, "cells": n} for (old, new), n in sorted(changes.items())]
    return remark("rule_change", True, counts=counts, cells=cells) if cells else None


def same_day_share(frame: pd.DataFrame) -> float:
    """Share of the users whose last two interactions are of one day; `time` is in seconds."""
    user = frame["user"].astype("category").cat.codes.to_numpy()
    days = frame["time"].to_numpy() // DAY
    order = np.lexsort((days, user))
    user, days = user[order], days[order]
    last = np.flatnonzero(np.diff(user, append=-1))  # of each user; all have at least two
    return float((days[last] == days[last - 1]).mean())
