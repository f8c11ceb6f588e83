from math import log2

import pytest

from elcrec.evaluation.metrics import summarise
from elcrec.files.rows import rows_of
from elcrec.paper import load_accuracy
from elcrec.tables import table1
from elcrec.tables.impossible import (
    COLUMNS,
    OURS,
    PAPER,
    impossible,
    own_columns,
    printed_columns,
    shown,
)
from elcrec.tables.layout import Names
from tests.unit.tables.conftest import load_runs


def test_printed_values_can_come_from_ranks_except_four_columns():
    """NDCG@20 must lie where the other three metrics allow; a typing error would show here."""
    columns = printed_columns(load_accuracy())
    assert len(columns) == 4 * 13 - 1  # DCRec has no value on Yelp
    found = impossible(columns, PAPER)
    assert list(zip(found["dataset"], found["model"], strict=True)) == [
        ("Beauty", "GRU4Rec"),
        ("Beauty", "Caser"),
        ("Beauty", "IOCRec"),
        ("Toys", "S3-Rec"),
    ]


def test_the_computation_by_hand():
    values = [0.0111, 0.0478, 0.0058, 0.0104]
    least = 0.0058 + 0.0367 / log2(21)
    # The second column is possible, so it is no row.
    columns = {("Beauty", "GRU4Rec"): values, ("Beauty", "x"): [*values[:3], least]}
    frame = impossible(columns, PAPER)
    assert tuple(frame) == COLUMNS
    (column,) = frame.itertuples()
    assert (column.least, column.most) == pytest.approx((least, 0.0058 + 0.0367 / log2(7)))
    assert column.outside_by == pytest.approx(least - 0.0104)
    assert column.computation == (
        "0.0058 + (0.0478 - 0.0111) x 0.2277 = 0.0142; "
        "0.0058 + (0.0478 - 0.0111) x 0.3562 = 0.0189; NDCG@20 is 0.0104"
    )
    (row,) = shown(rows_of(frame)).rows
    assert [cell.text for cell in row[:4]] == ["paper", "Beauty", "GRU4Rec", "0.0111"]


def test_rounding_to_four_decimals_is_granted_to_the_paper_and_not_to_us():
    def is_impossible(source, *values):
        return len(impossible({("d", "m"): values}, source)) == 1

    # All targets at rank 20, then all at rank 6: the two ends of the bound.
    for rank in (19, 5):
        exact = summarise([rank] * 3 + [500] * 997)
        values = [exact[m] for m in ("HR@5", "HR@20", "NDCG@5", "NDCG@20")]
        assert not is_impossible(OURS, *values)
        off = 1e-4 if rank == 5 else -1e-4
        assert is_impossible(OURS, *values[:3], values[3] + off)
        assert not is_impossible(PAPER, *values[:3], values[3] + off)
        assert is_impossible(PAPER, *values[:3], values[3] + 2 * off)


def test_our_columns_are_those_with_a_run(output):
    output.run("beauty", "elcrec", 1)
    records, gaps = load_runs(output.path, ["beauty"], ["sasrec", "elcrec"], [1])
    names = Names({"beauty": "Beauty"}, {"sasrec": "S", "elcrec": "E"})
    columns = own_columns(table1.build(records, gaps, names, paper={}, protocol="paper"))
    (key,) = columns
    assert key == ("Beauty", "E")
    assert impossible(columns, OURS).empty
    hr5, hr20, ndcg5, _ = columns[key]
    assert len(impossible({key: [hr5, hr20, ndcg5, ndcg5 - 0.01]}, OURS)) == 1
