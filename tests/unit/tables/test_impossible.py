from dataclasses import replace
from math import log2

import pytest

from elcrec.evaluation.metrics import summarise
from elcrec.paper import load_accuracy
from elcrec.tables import impossible, table1
from elcrec.tables.impossible import OURS, PAPER, Column, own_columns, printed_columns
from elcrec.tables.layout import Names, lines
from tests.unit.tables.conftest import load_runs


def test_printed_values_can_come_from_ranks_except_four_columns():
    """NDCG@20 must lie where the other three metrics allow; a typing error would show here."""
    columns = printed_columns(load_accuracy())
    assert len(columns) == 4 * 13 - 1  # DCRec has no value on Yelp
    assert [(c.dataset, c.model) for c in columns if c.impossible] == [
        ("Beauty", "GRU4Rec"),
        ("Beauty", "Caser"),
        ("Beauty", "IOCRec"),
        ("Toys", "S3-Rec"),
    ]


def test_the_computation_by_hand():
    column = Column(PAPER, "Beauty", "GRU4Rec", 0.0111, 0.0478, 0.0058, 0.0104)
    least = 0.0058 + 0.0367 / log2(21)
    assert column.bound == pytest.approx((least, 0.0058 + 0.0367 / log2(7)))
    assert column.outside_by == pytest.approx(least - 0.0104)
    assert column.computation == (
        "0.0058 + (0.0478 - 0.0111) x 0.2277 = 0.0142; "
        "0.0058 + (0.0478 - 0.0111) x 0.3562 = 0.0189; NDCG@20 is 0.0104"
    )
    frame = impossible.frame([column, replace(column, ndcg_20=least)])
    assert tuple(frame) == impossible.COLUMNS
    assert frame["computation"].tolist() == [column.computation]  # the possible one is no row
    (shown,) = impossible.shown(lines(frame)).rows
    assert [cell.text for cell in shown[:4]] == ["paper", "Beauty", "GRU4Rec", "0.0111"]


def test_rounding_to_four_decimals_is_granted_to_the_paper_and_not_to_us():
    # All targets at rank 20, then all at rank 6: the two ends of the bound.
    for rank in (19, 5):
        exact = summarise([rank] * 3 + [500] * 997)
        values = [exact[m] for m in ("HR@5", "HR@20", "NDCG@5", "NDCG@20")]
        assert not Column(OURS, "d", "m", *values).impossible
        off = 1e-4 if rank == 5 else -1e-4
        assert Column(OURS, "d", "m", *values[:3], values[3] + off).impossible
        assert not Column(PAPER, "d", "m", *values[:3], values[3] + off).impossible
        assert Column(PAPER, "d", "m", *values[:3], values[3] + 2 * off).impossible


def test_our_columns_are_those_with_a_run(output):
    output.run("beauty", "elcrec", 1)
    records, gaps = load_runs(output.path, ["beauty"], ["sasrec", "elcrec"], [1])
    names = Names({"beauty": "Beauty"}, {"sasrec": "S", "elcrec": "E"})
    table = table1.build(records, gaps, names, paper={}, protocol="paper")
    (column,) = own_columns(table)
    assert (column.source, column.dataset, column.model) == (OURS, "Beauty", "E")
    assert not column.impossible
    assert replace(column, ndcg_20=column.ndcg_5 - 0.01).impossible
