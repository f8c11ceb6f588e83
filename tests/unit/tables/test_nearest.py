import pytest

from elcrec.files.rows import rows_of
from elcrec.tables.nearest import frame, shown
from tests.unit.tables.accuracy_table import LOUD, accuracy

METRICS = ("HR@5", "HR@20", "NDCG@5", "NDCG@20")


def printed(**columns):
    return {("Beauty", metric, name): v for name, v in columns.items() for metric in METRICS}


def nearest(*cell, **changes):
    return list(frame(accuracy(*cell, metrics=METRICS, **changes)).itertuples())


def test_nearest_names_the_columns_that_ours_agrees_with():
    paper = printed(ICLRec=0.0405, ELCRec=0.0495, Other=0.09)
    first, second = nearest(0.05, 3, paper=paper, iclrec=0.0404)
    error = 0.05 * 0.01 * (1 + 1 / 3) ** 0.5
    assert (first.model, first.nearest, first.not_excluded) == ("ELCRec", "ELCRec", "ELCRec")
    assert first.distance == first.own_distance == pytest.approx(0.0005 / error)
    assert (second.model, second.nearest, second.not_excluded) == ("ICLRec", "ICLRec", "ICLRec")
    (loud,) = nearest(0.044, 3, paper=paper, variances=LOUD)
    assert (loud.nearest, loud.not_excluded) == ("ICLRec", "ICLRec, ELCRec")
    assert loud.own_distance > loud.distance
    assert nearest(0.05, 3, paper=paper, variances={}) == []
    assert nearest(paper=paper) == []


def test_nearest_leaves_out_models_without_a_column_of_their_own():
    found = nearest(0.05, 3, paper=printed(ELCRec=0.0495, Other=0.09), iclrec=0.0404)
    assert [n.model for n in found] == ["ELCRec"]


def test_the_table_says_none_where_every_column_is_excluded():
    paper = printed(ICLRec=0.0405, ELCRec=0.0495)
    table = shown(rows_of(frame(accuracy(0.03, 3, metrics=METRICS, paper=paper))))
    assert [cell.text for cell in table.rows[0][:5]] == ["Beauty", "ELCRec", "3", "none", "ICLRec"]
    assert "standard errors of prediction" in table.notes[0]


def test_without_any_noise_there_is_no_distance():
    silent = dict.fromkeys(LOUD, 0.0)
    paper = printed(ICLRec=0.0405, ELCRec=0.0495)
    table = shown(rows_of(frame(accuracy(0.03, 3, metrics=METRICS, paper=paper, variances=silent))))
    assert [cell.text for cell in table.rows[0][5:]] == ["–", "–"]
