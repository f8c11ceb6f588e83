"""Claims about Table 2: ELCRec trains faster than ICLRec and needs less memory."""

import pandas as pd

from elcrec import paper
from elcrec.config.names import BASELINE, REFERENCE
from elcrec.files.rows import frame_of
from elcrec.report.claims.claim import Judged, Numbers, Outcome, Scope, so_far
from elcrec.report.evidence import Evidence
from elcrec.tables.tables2_3 import CUDA


def time(evidence: Evidence, scope: Scope) -> Judged:
    """Does a training of ELCRec take less time than one of ICLRec?"""
    epoch = _pairs(evidence, scope, "table2", "seconds_per_epoch")
    training = _pairs(evidence, scope, "table2", "projected_training_seconds")
    if epoch.empty:
        return Judged(Outcome.NOT_RUN)
    numbers = {
        "epoch": _ratio(epoch),
        "where": list(map(evidence.dataset_name, epoch.index)),
        "devices": list(epoch["device"].unique()),
    }
    if training.empty:
        return Judged(Outcome.NOT_RUN, numbers | {"done": 0})
    return _judged(training, scope, True, numbers)


def memory(evidence: Evidence, scope: Scope) -> Judged:
    """Does ELCRec need less memory than ICLRec?"""
    pairs = _pairs(evidence, scope, "table3", "megabytes", "measured")
    if pairs.empty:
        return Judged(Outcome.NOT_RUN)
    on_gpu = bool((pairs["measured"] == CUDA).all())
    names = list(map(evidence.dataset_name, pairs.index))
    return _judged(pairs, scope, on_gpu, {"where": names, "on_gpu": on_gpu})


def _judged(pairs: pd.DataFrame, scope: Scope, alike: bool, numbers: Numbers) -> Judged:
    """Whether ELCRec takes less overall; `alike`: the same quantity as the paper's was measured."""
    ratio, counts = _ratio(pairs), {"done": len(pairs), "needed": scope.expected}
    outcome = Outcome.HOLDS if ratio < 1 else Outcome.FAILS
    if not alike:
        outcome = Outcome.PARTLY
    elif len(pairs) < scope.expected:
        outcome = so_far(outcome)
    n_less = int((pairs["own"] < pairs["other"]).sum())
    return Judged(outcome, {**numbers, **counts, "ratio": ratio, "less": n_less})


def in_paper(column: str) -> Numbers:
    """The paper's claim about a column of its Table 2, from its own averages and rows."""
    printed = pd.Series(paper.load_efficiency()).xs(column, level=2).unstack()
    average, rows = printed.loc["Average"], printed.drop("Average")
    n_less = int((rows["ELCRec"] < rows["ICLRec"]).sum())
    return {"own": average["ELCRec"], "other": average["ICLRec"], "less": n_less, "of": len(rows)}


def _pairs(evidence: Evidence, scope: Scope, table: str, column: str, *same: str) -> pd.DataFrame:
    """A column of both models, by data set: `own` of ELCRec and `other` of ICLRec.

    Only where both are known and measured alike: on one device, and with the `same` columns.
    """
    keys = ["dataset", "device", *same]
    frame = frame_of(evidence.table(table), [*keys, "model"], [column])
    frame = frame[(frame[keys] != "").all(axis=1)]
    pairs = frame.pivot_table(column, keys, "model", aggfunc="last").reset_index(keys[1:])
    pairs = pairs.rename(columns={REFERENCE: "own", BASELINE: "other"})
    pairs = pairs.reindex(columns=[*keys[1:], "own", "other"]).dropna()
    return pairs.loc[[dataset for dataset in scope.datasets if dataset in pairs.index]]


def _ratio(pairs: pd.DataFrame) -> float:
    """ELCRec's sum divided by ICLRec's: as the paper's averages, over the same data sets."""
    return float(pairs["own"].sum() / pairs["other"].sum())
