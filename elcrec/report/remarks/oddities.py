"""What is odd about the published tables, each with the computation that shows it.

Everything is computed from the published numbers in `workflow/paper/` and from our own results; an
oddity whose numbers are not there yet says how to get them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from itertools import product

from elcrec import paper
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.report.claims.claim import listed
from elcrec.report.evidence import Evidence, mean
from elcrec.report.view import Remark, to_come
from elcrec.tables.impossible import OURS, ROUNDING, printed_columns

DIGITS = 4  # of the printed metrics
SAME = 0.01  # relative: sums that count as the same row


def oddities(evidence: Evidence) -> list[Remark]:
    """Compute all of them, in the order of the page."""
    made: list[Callable[[Evidence], Remark]] = [
        single_checkpoints,
        copied_columns,
        released_iclrec,
        ablation_base,
        impossible_rows,
        ordinary_s3rec,
        ml_1m,
        memory_twice,
        p_values_changed,
    ]
    return [function(evidence) for function in made]


def single_checkpoints(evidence: Evidence) -> Remark:
    """The ELCRec column against the released weights."""
    rows = [r for r in evidence.table("released") if r.text("model") == "ELCRec"]
    known = [r for r in rows if not math.isnan(r.number("paper"))]
    equal = sum(round(r.number("released_weights"), DIGITS) == r.number("paper") for r in known)
    files = len({r.text("file") for r in known})
    found = (
        f"On our evaluator {files} released file{'s' if files != 1 else ''} of weights give"
        f"{'s' if files == 1 else ''} {equal} of {len(known)} printed values to four digits."
    )
    said = "The text says that results are means of three runs."
    if not known:
        title = "Whether the ELCRec column is one checkpoint per data set"
        statement = f"{said} The single published checkpoint of each data set can be compared."
    elif equal == len(known):
        title = "The ELCRec column is one checkpoint per data set"
        statement = (
            f"{said} The printed column equals what the single published checkpoint of each data"
            " set gives; a mean of three runs would hit a single run's digits only by chance."
        )
    elif equal:
        title = "Part of the ELCRec column is a single checkpoint's"
        statement = f"{said} Part of the printed values equal what the published checkpoints give."
    else:
        title = "The ELCRec column is not that of the released checkpoints"
        statement = f"{said} No printed value equals what the published checkpoints give."
    return Remark(
        title,
        statement,
        found if known else to_come("snakemake released_weights"),
        bool(known),
    )


def copied_columns(evidence: Evidence) -> Remark:
    """Columns of Table 1 that an earlier paper prints digit by digit, and those without evidence.

    The earlier paper is MCLRec's; `elsewhere.csv` has its values of part of the baselines.
    """
    equal: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for row in evidence.printed("elsewhere"):
        if row.text("source") == "MCLRec paper":
            model = row.text("model")
            value = evidence.paper[row.text("dataset"), row.text("metric"), model]
            total[model] += 1
            equal[model] += value == row.number("value")
    whole = [m for m in total if equal[m] == total[m]]
    part = [m for m in total if 0 < equal[m] < total[m]]
    counted = [f"{m} on {equal[m] or 'none'} of {total[m]}" for m in total if m not in whole]
    unknown = [m for m in evidence.paper_models if m not in (*total, "ELCRec")]
    return Remark(
        "Some baseline columns come from an earlier paper",
        f"The columns of {_all(whole)} stand digit by digit in an earlier paper (MCLRec, 2023),"
        f" those of {_all(part)} in part. Trainings of one's own cannot agree like that, so these"
        " values were taken over. Of the other baselines' columns there is no evidence here.",
        f"MCLRec's paper prints {_all(whole)} with the same four digits on all"
        f" {sum(total[m] for m in whole)} cells that it shares with Table 1; {_all(counted)}."
        f" No earlier table is here of {_all(unknown)}.",
        bool(whole),
    )


def _all(names: list[str]) -> str:
    return listed(names, len(names)) or "none"


def released_iclrec(evidence: Evidence) -> Remark:
    """ICLRec's own released results against both columns of Table 1."""
    rows = [r for r in evidence.printed("elsewhere") if r.text("model") == "ICLRec"]
    over_iclrec, over_elcrec = [], []
    for row in rows:
        cell, value = (row.text("dataset"), row.text("metric")), row.number("value")
        if value > evidence.paper[*cell, "ICLRec"]:
            over_iclrec.append(" ".join(cell))
        if value > evidence.paper[*cell, "ELCRec"]:
            printed = evidence.paper[*cell, "ELCRec"]
            over_elcrec.append(f"{' '.join(cell)} ({value:.4f} against {printed:.4f})")
    return Remark(
        "ICLRec's released results are better than its column",
        "The results that ICLRec's authors published with their weights are above its column in"
        " Table 1 on most cells of Sports, Toys and Yelp, and above ELCRec's on several.",
        f"Above ICLRec's column on {len(over_iclrec)} of {len(rows)} cells; above ELCRec's on"
        f" {len(over_elcrec)}: {listed(over_elcrec, len(over_elcrec))}.",
        bool(rows),
    )


def ablation_base(evidence: Evidence) -> Remark:
    """The ablation's B against the sum of ICLRec's row."""
    rows = evidence.printed("ablation")
    shown, close = [], 0
    for row in rows:
        dataset, base = row.text("dataset"), row.number("B")
        sums = {
            model: sum(evidence.paper[dataset, metric, model] for metric in TABLE_METRICS)
            for model in ("ICLRec", "SASRec")
        }
        close += abs(sums["ICLRec"] - base) <= SAME * base
        shown.append(f"{dataset} {base:.4f} / {sums['ICLRec']:.4f} / {sums['SASRec']:.4f}")
    return Remark(
        "The ablation's baseline is ICLRec, not a plain Transformer",
        "B in the ablation sums to ICLRec's row of Table 1. So B+ICL is ICLRec with its k-means"
        " centers fused into the instance loss, and B+ELCM has learned centers and no fusion.",
        f"HR@5 + HR@20 + NDCG@5 + NDCG@20 of ICLRec's row is within {100 * SAME:g} % of B on"
        f" {close} of {len(rows)} data sets. B / ICLRec / SASRec: {listed(shown, len(shown))}.",
        bool(rows),
    )


def impossible_rows(evidence: Evidence) -> Remark:
    """Rows of Table 1 whose NDCG@20 cannot belong to the other three metrics."""
    columns = printed_columns(evidence.paper)
    found = [f"{c.dataset} {c.model} ({c.computation})" for c in columns if c.impossible]
    listed_there = evidence.table("impossible")
    broken = sum(row.text("source") == OURS for row in listed_there)
    shown = "; ".join(found)
    own = f" Of our own Table 1, {broken} do." if listed_there else ""
    return Remark(
        "Some printed columns are impossible",
        "The users that HR@20 counts and HR@5 does not have ranks 6 to 20, and each adds 1/log2(21)"
        " to 1/log2(7) to NDCG. So NDCG@20 lies between NDCG@5 plus their share times these two.",
        f"With {ROUNDING:g} granted to rounding, {len(found)} of {len(columns)} columns break it:"
        f" {shown}.{own}",
        True,
    )


def ordinary_s3rec(evidence: Evidence) -> Remark:
    """The S3-Rec column against SASRec's and against other publications of it."""
    cells = [(d, m) for d, m in product(evidence.paper_datasets, TABLE_METRICS)]
    ratios = [evidence.paper[*c, "S3-Rec"] / evidence.paper[*c, "SASRec"] for c in cells]
    rows = [r for r in evidence.printed("elsewhere") if r.text("model") == "S3-Rec"]
    other = [
        f"{row.number('value'):.4f} ({row.text('source')})"
        for row in rows
        if (row.text("dataset"), row.text("metric")) == ("Beauty", "HR@5")
        and row.text("source").startswith("S3-Rec repository")
    ]
    return Remark(
        "S3-Rec is printed at about half of SASRec",
        "S3-Rec starts from pre-trained weights and then trains as SASRec does, yet its column is"
        " far below SASRec's.",
        f"On average over {len(cells)} cells it is {mean(ratios):.0%} of SASRec's. Beauty HR@5:"
        f" printed {evidence.paper['Beauty', 'HR@5', 'S3-Rec']:.4f}, its authors' repository and a"
        f" re-run there give {listed(other)}.".replace("%", " %"),
        bool(other),
    )


def ml_1m(evidence: Evidence) -> Remark:
    """ICLRec on ML-1M as printed against its released weights."""
    printed = {r.text("metric"): r.number("ICLRec") for r in evidence.printed("table8")}
    released = {r.text("metric"): r.number("ICLRec") for r in evidence.printed("table8_released")}
    known = "HR@5" in printed and "HR@5" in released
    found = (
        f"HR@5 {released['HR@5']:.4f} from the released weights is"
        f" {released['HR@5'] / printed['HR@5']:.1f} times the printed {printed['HR@5']:.4f}."
        if known
        else to_come("workflow/paper/table8.csv")
    )
    return Remark(
        "ICLRec on ML-1M is printed near popularity",
        "The paper's ICLRec on ML-1M is little above recommending the most popular films; the"
        " weights that ICLRec's authors released for ML-1M are far better.",
        found,
        known,
    )


def memory_twice(evidence: Evidence) -> Remark:
    """ELCRec's memory on Beauty in two tables of the paper."""
    printed = paper.load_efficiency()
    table11 = evidence.printed("table11")
    first = printed["Beauty", "ELCRec", "megabytes"]
    second = table11[0].number("megabytes")
    others = [printed[d, "ELCRec", "megabytes"] for d in evidence.paper_datasets if d != "Beauty"]
    average = printed["Average", "ELCRec", "megabytes"]
    return Remark(
        "One memory figure is printed in two versions",
        f"ELCRec's GPU memory on Beauty is {first:,.0f} MB in Table 2 and {second:,.0f} MB in"
        " Table 11, which otherwise repeats it.",
        f"The printed average of {average:,.0f} MB follows from {first:,.0f}"
        f" ({mean([first, *others]):,.2f}), not from {second:,.0f}"
        f" ({mean([second, *others]):,.2f}).",
        True,
    )


def p_values_changed(evidence: Evidence) -> Remark:
    """p-values that differ between the preprint and the proceedings."""
    changed = []
    for row in evidence.printed("p_values_v1"):
        cell = row.text("dataset"), row.text("metric")
        now = evidence.paper[*cell, paper.P_VALUE]
        changed.append(f"{' '.join(cell)} {row.number('p_value'):.2e} to {now:.2e}")
    return Remark(
        "p-values changed between versions while the metrics did not",
        "The first version of the preprint prints other p-values for some cells; all metrics are"
        " the same in both.",
        f"{len(changed)} of {len(evidence.paper_datasets) * len(TABLE_METRICS)}:"
        f" {listed(changed, len(changed))}.",
        bool(changed),
    )
