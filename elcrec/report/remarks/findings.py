"""What our runs and the data show beyond the paper's tables."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from elcrec.data.core import k_core
from elcrec.data.fetched import NAME, read_record
from elcrec.data.formats import read_interactions
from elcrec.data.sequences import Sequences, read_sequences
from elcrec.report.claims.claim import REFERENCE, history, listed
from elcrec.report.evidence import Evidence
from elcrec.report.remarks.expected import expected
from elcrec.report.rule_change import rule_change
from elcrec.report.view import Remark, to_come

WINDOW = 50  # positions of the paper's models; older items are cut off
DAY = 86_400  # seconds
SAME_LOSS = 1e-4  # absolute: the loss is of the order of 1, in float32
CLOSED_FORM = (
    "Where all vectors have unit length, the loss equals 2|m|² − 2 b·m, with m the mean center and"
    " b the mean user"
)
SEEN_PAPER = (
    "Under the protocol `paper` items that the user had before score 0, which beats every negative"
    " score: where the test item is one of them, its rank is that of a score of 0 and says nothing"
    " of what the model gives it."
)
SEEN_STRICT = (
    "Under the protocol `strict` items that the user had before score −∞, so a user whose test item"
    " is one of them counts as a miss for every model."
)


def findings(evidence: Evidence) -> list[Remark]:
    """Compute all of them, in the order of the page."""
    made: list[Callable[[Evidence], Remark]] = [
        expected,
        cluster_identity,
        padding,
        loss_matters,
        repeated_targets,
        order_by_day,
    ]
    return [*(function(evidence) for function in made), *rule_change(evidence)]


def cluster_identity(evidence: Evidence) -> Remark:
    """The cluster loss pair by pair against its closed form, over all recorded epochs."""
    largest, epochs = 0.0, 0
    for run in (r for r in evidence.runs if r.text("model") == REFERENCE):
        for row in history(run):
            if "cluster_direct" not in row.values:
                continue
            apart = abs(row.number("cluster_direct") - row.number("cluster_identity"))
            if not math.isnan(apart):
                largest, epochs = max(largest, apart), epochs + 1
    if not epochs:
        title = "Whether ELCRec's cluster loss can separate centers"
        statement = f"{CLOSED_FORM}. The recorded losses show whether that holds."
    elif largest <= SAME_LOSS:
        title = "ELCRec's cluster loss cannot separate centers"
        statement = (
            f"{CLOSED_FORM}: the terms of single pairs cancel. It moves the mean of the centers,"
            " but does not push any two of them apart."
        )
    else:
        title = "ELCRec's cluster loss differs from its closed form"
        statement = f"{CLOSED_FORM}. The recorded losses do not agree with that."
    return Remark(
        title,
        statement,
        f"Over {epochs:,} recorded epochs of ELCRec the loss computed pair by pair and the closed"
        f" form differ by {largest:.1e} at most."
        if epochs
        else to_come("a run of ELCRec"),
        bool(epochs),
    )


def padding(evidence: Evidence) -> Remark:
    """Share of padding in the windows that training sees."""
    shares = {
        name: 1 - np.minimum(sequences.lengths - 3, WINDOW).mean() / WINDOW
        for name, sequences in _prepared(evidence).items()
    }
    shown = [f"{name} {share:.0%}".replace("%", " %") for name, share in shares.items()]
    most = [name for name, share in shares.items() if share > 0.5]
    return Remark(
        _title(
            "Most of each input is padding",
            most,
            len(shares),
            none="Less than half of each input is padding",
            before="How much of each input is padding",
        ),
        f"Users are averaged over all {WINDOW} positions, padding included, before they are"
        " clustered and contrasted.",
        f"Share of padding in the training inputs cut to {WINDOW}: {listed(shown, len(shown))}."
        if shown
        else to_come("prepared data sets"),
        bool(shown),
    )


def _title(claim: str, where: list[str], of: int, *, none: str, before: str) -> str:
    """A title that follows the numbers: the claim holds on `where`, out of so many data sets."""
    if not of:
        return before
    if len(where) == of:
        return claim
    return f"{claim} on {listed(where, len(where))}" if where else none


def loss_matters(evidence: Evidence) -> Remark:
    """SASRec with two losses, and ELCRec."""
    shown, more = [], []
    for dataset in evidence.config.use:
        key = (dataset, "NDCG@20")
        found = [evidence.scores.get((*key, m)) for m in ("sasrec", "sasrec_ce", REFERENCE)]
        means = [score.mean for score in found if score]
        if len(means) == len(found):
            name = evidence.dataset_name(dataset)
            shown.append(f"{name} {' / '.join(f'{value:.4f}' for value in means)}")
            binary, softmax, elcrec = means
            if softmax - binary > max(elcrec - softmax, 0.0):
                more.append(name)
    return Remark(
        _title(
            "The loss explains more than the model",
            more,
            len(shown),
            none="The loss does not explain more than the model",
            before="Whether the loss or the model explains more",
        ),
        "SASRec with the softmax over all items instead of one sampled negative is the same model;"
        " the paper's tables leave that row out.",
        "NDCG@20 of SASRec with the binary loss / with the softmax / of ELCRec: "
        f"{listed(shown, len(shown))}."
        if shown
        else to_come("runs of sasrec, sasrec_ce and elcrec"),
        bool(shown),
    )


def repeated_targets(evidence: Evidence) -> Remark:
    """Users whose test item stands in their own history."""
    shares = {name: repeated_share(s) for name, s in _prepared(evidence).items()}
    shown = [f"{name} {share:.2%}".replace("%", " %") for name, share in shares.items()]
    strict = evidence.config.protocol == "strict"
    if not shares:
        title = "Test items that the user had before"
    elif not any(shares.values()):
        title = "No test item is one that the user had before"
    elif strict:
        title = "Some test items can never be hit"
    else:
        title = "Some test items are ones that the user had before"
    return Remark(
        title,
        SEEN_STRICT if strict else SEEN_PAPER,
        f"Share of such users: {listed(shown, len(shown))}."
        if shown
        else to_come("prepared data sets"),
        bool(shown),
    )


def order_by_day(evidence: Evidence) -> Remark:
    """Users whose last two items carry the same date, where the raw file with dates is there."""
    shown, shares = [], []
    for dataset in evidence.config.use:
        folder = evidence.config.data / dataset
        if not (folder / NAME).is_file():
            continue
        fetched = read_record(folder, dataset)
        if fetched.source.format == "amazon-reviews":
            frame = read_interactions(fetched.path, fetched.source.format, fetched.source.member)
            share = same_day_share(k_core(frame, evidence.config.dataset(dataset).core))
            shares.append(share)
            shown.append(f"{evidence.dataset_name(dataset)} {share:.1%}".replace("%", " %"))
    if not shares:
        title = "Whether last items have an order in time"
    elif any(shares):
        title = "Some last items have no order in time"
    else:
        title = "All last items have an order in time"
    return Remark(
        title,
        "Amazon's reviews carry a day, no hour. Where the last two fall on the same day, which of"
        " them is the test item follows from the order of the raw file, which is alphabetical.",
        f"Share of users whose last two items are of the same day: {listed(shown, len(shown))}."
        if shown
        else to_come("a data set made from raw Amazon reviews"),
        bool(shown),
    )


def repeated_share(sequences: Sequences) -> float:
    """Share of the users whose last item is among their earlier ones."""
    last = sequences.items[sequences.offsets[1:] - 1]
    same = sequences.items == np.repeat(last, sequences.lengths)
    return float((np.add.reduceat(same, sequences.offsets[:-1]) > 1).mean())


def same_day_share(frame: pd.DataFrame) -> float:
    """Share of the users whose last two interactions are of one day; `time` is in seconds."""
    user = frame["user"].astype("category").cat.codes.to_numpy()
    days = frame["time"].to_numpy() // DAY
    order = np.lexsort((days, user))
    user, days = user[order], days[order]
    last = np.flatnonzero(np.diff(user, append=-1))  # of each user; all have at least two
    return float((days[last] == days[last - 1]).mean())


def _prepared(evidence: Evidence) -> dict[str, Sequences]:
    """Prepared data sets of the configuration, by display name."""
    paths = {d: evidence.config.sequences_file(d) for d in evidence.config.use}
    return {
        evidence.dataset_name(d): read_sequences(path)
        for d, path in paths.items()
        if path.is_file()
    }
