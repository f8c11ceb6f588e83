from math import isnan

import pytest

from elcrec.tables import verdict
from elcrec.tables.accuracy import AccuracyTable, Cell, Row
from elcrec.tables.paper import load_accuracy
from elcrec.tables.verdict import NOT_REPRODUCED, NOT_RUN, REPRODUCED, judge

NAN = float("nan")
PAPER = {("Beauty", "HR@5", "ELCRec"): 0.0500, ("Beauty", "HR@5", "improvement"): 6.0}


def table(*cell, dataset="Beauty"):
    """A table whose only cell has this mean, deviation, interval and number of seeds."""
    made = Cell(*(cell or (NAN, NAN, NAN, NAN, 0)), 0.05)
    row = Row("beauty", "HR@5", {"elcrec": made}, None, None, NAN, NAN)
    names = ({"beauty": dataset}, {"elcrec": "ELCRec"})
    return AccuracyTable([row], [], "elcrec", *names, "paper", [], [])


def judged(*cell, tolerance=5.0, **changes):
    (found,) = judge(table(*cell, **changes), PAPER, tolerance, 3)
    return found


@pytest.mark.parametrize(
    ("cell", "outcome"),
    [
        ((0.0560, 0.01, 0.0490, 0.0630, 3), (REPRODUCED, "interval")),
        ((0.0490, 0.0001, 0.0488, 0.0492, 3), (REPRODUCED, "tolerance")),
        ((0.0501, 0.001, 0.0476, 0.0526, 3), (REPRODUCED, "interval and tolerance")),
        ((0.0525, NAN, NAN, NAN, 1), (REPRODUCED, "tolerance")),  # exactly 5 %
        ((0.0526, NAN, NAN, NAN, 1), (NOT_REPRODUCED, "")),
        ((0.0600, 0.0001, 0.0598, 0.0602, 3), (NOT_REPRODUCED, "")),  # far above
        ((0.0400, 0.0001, 0.0398, 0.0402, 3), (NOT_REPRODUCED, "")),  # far below
        ((), (NOT_RUN, "")),
    ],
)
def test_the_rule(cell, outcome):
    found = judged(*cell)
    assert (found.verdict, found.rule) == outcome


def test_what_stands_beside_a_verdict():
    found = judged(0.0525, 0.001, 0.05, 0.055, 2)
    assert (found.dataset, found.metric, found.model) == ("Beauty", "HR@5", "ELCRec")
    assert (found.paper, found.mean, found.seeds, found.seeds_asked) == (0.05, 0.0525, 2, 3)
    assert found.relative_deviation_percent == pytest.approx(5.0)
    assert found.note == ""
    assert list(verdict.csv_row(found))[:4] == ["dataset", "metric", "model", "paper"]


def test_the_tolerance_is_an_option():
    assert judged(0.0540, NAN, NAN, NAN, 1, tolerance=10).verdict == REPRODUCED
    assert judged(0.0501, NAN, NAN, NAN, 1, tolerance=0).verdict == NOT_REPRODUCED
    with pytest.raises(ValueError, match="0 or more"):
        judged(0.05, NAN, NAN, NAN, 1, tolerance=-1)


def test_every_value_of_the_paper_has_a_verdict_and_a_reason():
    found = judge(table(0.0529, 0.001, 0.05, 0.055, 3), load_accuracy(), 5.0, 3)
    assert len(found) == 4 * 4 * 13 - 4
    assert verdict.count(found) == {REPRODUCED: 1, NOT_REPRODUCED: 0, NOT_RUN: 203}
    notes = {(v.dataset, v.metric, v.model): v.note for v in found}
    assert notes["Beauty", "HR@5", "ELCRec"] == ""
    assert notes["Beauty", "HR@20", "ELCRec"] == "no run yet"
    assert notes["Toys", "HR@5", "ELCRec"] == "the configuration does not use this data set"
    assert notes["Beauty", "HR@5", "MAERec"] == "the configuration does not have this model"
    assert notes["Beauty", "HR@5", "IOCRec"].endswith("the printed column is impossible")
    assert all(isnan(v.mean) for v in found if v.verdict == NOT_RUN)


def test_a_data_set_that_the_paper_lacks_changes_nothing():
    found = judged(0.05, 0.001, 0.04, 0.06, 3, dataset="ML-100K")
    assert found.verdict == NOT_RUN


def test_summary_and_rule_in_words():
    text = verdict.summary([judged(), judged(0.05, NAN, NAN, NAN, 1)])
    assert "2 values" in text
    assert "1 reproduced, 0 not reproduced, 1 not yet run" in text
    assert "within 2.5 % of the paper" in verdict.rule_text(2.5)
    assert "95 % t-interval" in verdict.rule_text(2.5)
