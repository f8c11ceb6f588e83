from dataclasses import replace
from math import isnan

import pandas as pd
import pytest
import scipy.stats

from elcrec.paper import load_accuracy
from elcrec.tables import verdict
from elcrec.tables.verdict import CANNOT_TELL, COMPATIBLE, DIFFERS, NOT_RUN, judge
from tests.unit.tables.accuracy_table import LOUD, QUIET, accuracy

PAPER = {
    ("Beauty", "HR@5", "ICLRec"): 0.0400,
    ("Beauty", "HR@5", "ELCRec"): 0.0500,
    ("Beauty", "HR@5", "improvement"): 25.0,
}


def judged(*cell, **changes):
    found = judge(accuracy(*cell, paper=PAPER, **changes), 3)
    return next(v for v in found.itertuples() if v.model == "ELCRec")


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
    assert found._fields[1:5] == ("dataset", "metric", "model", "paper")


def test_every_value_of_the_paper_has_a_verdict_and_a_reason():
    found = judge(accuracy(0.0529, 3, paper=load_accuracy()), 3)
    assert len(found) == 4 * 4 * 13 - 4
    expected = {COMPATIBLE: 1, DIFFERS: 0, CANNOT_TELL: 0, NOT_RUN: 203}
    assert {v: (found["verdict"] == v).sum() for v in verdict.VERDICTS} == expected
    notes = {(v.dataset, v.metric, v.model): v.note for v in found.itertuples()}
    assert notes["Beauty", "HR@5", "ELCRec"] == ""
    assert notes["Beauty", "HR@20", "ELCRec"] == "no run yet"
    assert notes["Toys", "HR@5", "ELCRec"] == "the configuration does not use this data set"
    assert notes["Beauty", "HR@5", "MAERec"] == "the configuration does not have this model"
    assert notes["Beauty", "HR@5", "IOCRec"].endswith("the printed column is impossible")
    assert found[found["verdict"] == NOT_RUN]["mean"].isna().all()


def test_a_data_set_that_the_paper_lacks_changes_nothing():
    assert judged(0.05, 3, dataset="ML-100K").verdict == NOT_RUN


def test_summary_in_words():
    found = judge(accuracy(0.05, 1, paper=PAPER), 3)
    text = verdict.summary(found)
    assert "2 values in the paper's Table 1" in text
    assert "1 compatible, 0 differs, 0 cannot tell, 1 not run; 1 of these verdicts" in text
    assert "in the paper's Tables 1, 8 and 9" in verdict.summary(
        pd.concat([found.assign(dataset=name) for name in ("Toys", "MIND-small", "ML-1M")])
    )


def test_without_a_printed_lead_being_inside_says_nothing():
    paper = {("Beauty", "HR@5", "ELCRec"): 0.05}
    (found,) = judge(accuracy(0.05, 3, paper=paper), 3).itertuples()
    assert isnan(found.lead_percent)
    assert found.verdict == CANNOT_TELL


def test_the_width_is_compared_with_the_lead_in_the_units_of_the_metric():
    # Ours is a tenth of the printed level: 10 % of it is narrow beside a lead of 0.01.
    paper = PAPER | {("Beauty", "HR@5", "GRU4Rec"): 0.005}
    made = accuracy(0.005, 3, paper=paper, variances={("toys", "a"): 0.001})
    named = replace(made, names=replace(made.names, models={"elcrec": "GRU4Rec"}))
    found = next(v for v in judge(named, 3).itertuples() if v.model == "GRU4Rec")
    assert (found.high95 - found.low95) / found.mean > 0.25
    assert found.verdict == COMPATIBLE
