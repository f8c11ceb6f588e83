from dataclasses import replace
from math import isnan

import pytest
import scipy.stats

from elcrec.paper import load_accuracy
from elcrec.statistics.noise import Pool
from elcrec.tables import detectable, verdict
from elcrec.tables.table1 import AccuracyTable, Cell, Row
from elcrec.tables.verdict import CANNOT_TELL, COMPATIBLE, DIFFERS, NOT_RUN, judge, nearest

NAN = float("nan")
PAPER = {
    ("Beauty", "HR@5", "ICLRec"): 0.0400,
    ("Beauty", "HR@5", "ELCRec"): 0.0500,
    ("Beauty", "HR@5", "improvement"): 25.0,
}
QUIET = {("toys", "a"): 0.0001, ("toys", "b"): 0.0001}  # a run deviates by 1 %
LOUD = {("toys", "a"): 0.01, ("toys", "b"): 0.01}  # by 10 %


def table(mean=NAN, seeds=0, dataset="Beauty", variances=QUIET, metrics=("HR@5",), **rivals):
    """A table of one row for each metric, with the same numbers: ELCRec, and rivals' means."""
    means = {"elcrec": mean, **rivals}
    cells = {m: Cell(v, NAN, NAN, NAN, seeds, 0.05) for m, v in means.items()}
    rows = [Row("beauty", metric, cells, None, None, NAN, NAN) for metric in metrics]
    names = {"elcrec": "ELCRec", "iclrec": "ICLRec"}
    names = ({"beauty": dataset}, {m: names[m] for m in means})
    pool = Pool(variances, dict.fromkeys(variances, 2))
    pools = dict.fromkeys(metrics, pool)
    return AccuracyTable(rows, [], "elcrec", *names, "paper", [], [], pools)


def judged(*cell, **changes):
    return next(v for v in judge(table(*cell, **changes), PAPER, 3) if v.model == "ELCRec")


def test_the_interval_is_that_of_one_more_run_from_the_pooled_noise():
    found = judged(0.05, 2)
    half = scipy.stats.t.ppf(0.975, 4) * 0.05 * 0.01 * (1 + 1 / 2) ** 0.5
    assert (found.low95, found.high95) == pytest.approx((0.05 - half, 0.05 + half))
    assert found.half_width_percent == pytest.approx(100 * half / 0.05)
    assert found.lead_percent == pytest.approx(25.0)


@pytest.mark.parametrize(
    ("mean", "variances", "outcome"),
    [
        (0.0501, QUIET, COMPATIBLE),
        (0.0490, QUIET, COMPATIBLE),
        (0.0600, QUIET, DIFFERS),
        (0.0400, QUIET, DIFFERS),
        (0.0501, LOUD, CANNOT_TELL),  # inside, but so is the printed ICLRec
        (0.2000, LOUD, DIFFERS),  # outside is outside, however wide the interval
        (0.0501, {}, CANNOT_TELL),  # no noise is known
        (0.0250, QUIET, DIFFERS),
    ],
)
def test_the_rule(mean, variances, outcome):
    assert judged(mean, 3, variances=variances).verdict == outcome
    assert judged().verdict == NOT_RUN


@pytest.mark.parametrize(
    ("seeds", "status"), [(1, "provisional"), (2, "provisional"), (3, "final")]
)
def test_a_verdict_is_provisional_until_all_seeds_are_there(seeds, status):
    assert judged(0.05, seeds).status == status
    assert judged().status == ""


def test_what_stands_beside_a_verdict():
    found = judged(0.0525, 2)
    assert (found.dataset, found.metric, found.model) == ("Beauty", "HR@5", "ELCRec")
    assert (found.paper, found.mean, found.seeds, found.seeds_asked) == (0.05, 0.0525, 2, 3)
    assert found.relative_deviation_percent == pytest.approx(5.0)
    assert found.note == ""
    assert list(verdict.csv_row(found))[:4] == ["dataset", "metric", "model", "paper"]


def test_every_value_of_the_paper_has_a_verdict_and_a_reason():
    found = judge(table(0.0529, 3), load_accuracy(), 3)
    assert len(found) == 4 * 4 * 13 - 4
    expected = {COMPATIBLE: 1, DIFFERS: 0, CANNOT_TELL: 0, NOT_RUN: 203}
    assert verdict.count(found) == expected
    notes = {(v.dataset, v.metric, v.model): v.note for v in found}
    assert notes["Beauty", "HR@5", "ELCRec"] == ""
    assert notes["Beauty", "HR@20", "ELCRec"] == "no run yet"
    assert notes["Toys", "HR@5", "ELCRec"] == "the configuration does not use this data set"
    assert notes["Beauty", "HR@5", "MAERec"] == "the configuration does not have this model"
    assert notes["Beauty", "HR@5", "IOCRec"].endswith("the printed column is impossible")
    assert all(isnan(v.mean) for v in found if v.verdict == NOT_RUN)


def test_a_data_set_that_the_paper_lacks_changes_nothing():
    assert judged(0.05, 3, dataset="ML-100K").verdict == NOT_RUN


def test_summary_in_words():
    text = verdict.summary([judged(), judged(0.05, 1)])
    assert "2 values" in text
    assert "1 compatible, 0 differs, 0 cannot tell, 1 not run; 1 of these verdicts" in text


METRICS = ("HR@5", "HR@20", "NDCG@5", "NDCG@20")


def printed(**columns):
    return {("Beauty", metric, name): v for name, v in columns.items() for metric in METRICS}


def test_nearest_names_the_columns_that_ours_agrees_with():
    ours = table(0.05, 3, metrics=METRICS, iclrec=0.0404)
    paper = printed(ICLRec=0.0405, ELCRec=0.0495, Other=0.09)
    first, second = nearest(ours, paper)
    error = 0.05 * 0.01 * (1 + 1 / 3) ** 0.5
    assert (first.model, first.nearest, first.not_excluded) == ("ELCRec", "ELCRec", "ELCRec")
    assert first.distance == first.own_distance == pytest.approx(0.0005 / error)
    assert (second.model, second.nearest, second.not_excluded) == ("ICLRec", "ICLRec", "ICLRec")
    loud = nearest(table(0.044, 3, metrics=METRICS, variances=LOUD), paper)[0]
    assert (loud.nearest, loud.not_excluded) == ("ICLRec", "ICLRec, ELCRec")
    assert loud.own_distance > loud.distance
    assert nearest(table(0.05, 3, metrics=METRICS, variances={}), paper) == []
    assert nearest(table(metrics=METRICS), paper) == []


def test_nearest_leaves_out_models_without_a_column_of_their_own():
    ours = table(0.05, 3, metrics=METRICS, iclrec=0.0404)
    assert [n.model for n in nearest(ours, printed(ELCRec=0.0495, Other=0.09))] == ["ELCRec"]


def test_without_a_printed_lead_being_inside_says_nothing():
    paper = {("Beauty", "HR@5", "ELCRec"): 0.05}
    (found,) = judge(table(0.05, 3), paper, 3)
    assert isnan(found.lead_percent)
    assert found.verdict == CANNOT_TELL


def test_the_width_is_compared_with_the_lead_in_the_units_of_the_metric():
    # Ours is a tenth of the printed level: 10 % of it is narrow beside a lead of 0.01.
    paper = PAPER | {("Beauty", "HR@5", "GRU4Rec"): 0.005}
    made = table(0.005, 3, variances={("toys", "a"): 0.001})
    named = replace(made, models={"elcrec": "GRU4Rec"})
    found = next(v for v in judge(named, paper, 3) if v.model == "GRU4Rec")
    assert (found.high95 - found.low95) / found.mean > 0.25
    assert found.verdict == COMPATIBLE


def test_without_a_rival_nothing_is_detectable():
    assert detectable.rows(table(0.05, 3), PAPER, 3) == []


@pytest.mark.parametrize(
    ("least", "most", "text"),
    [
        ("9.0", "9.0", "9"),
        ("9.0", "91.0", "9 to 91"),
        ("9.0", "inf", "9 or more"),
        ("inf", "inf", "none suffices"),
    ],
)
def test_seeds_in_words(least, most, text):
    assert detectable.seeds_text(least, most) == text
