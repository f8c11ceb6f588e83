from math import inf, nan

import pandas as pd
import pytest

from elcrec.files.rows import rows_of
from elcrec.tables import layout as md
from elcrec.tables.document import write_csv
from elcrec.tables.layout import BEST, SECOND, Cell, Column, Table


def test_markdown_is_padded_and_aligned():
    assert md.markdown(md.texts(["Model", "s"], [["A", "1.5"], ["Longer", "10"]])) == (
        "| Model  |   s |\n| ------ | --: |\n| A      | 1.5 |\n| Longer |  10 |\n"
    )


def test_a_bar_in_a_cell_is_escaped():
    assert "| a\\|b |" in md.markdown(md.texts(["x"], [["a|b"]]))


def test_plain_table():
    assert md.plain_table(["Model", "s"], [["A", "1.5"]]) == "Model    s\nA      1.5\n"


def test_a_table_without_rows():
    assert md.markdown(md.texts(["x", "y"], [])) == "| x   |   y |\n| --- | --: |\n"


@pytest.mark.parametrize("function", [md.texts, md.plain_table])
def test_rows_of_another_length_are_refused(function):
    with pytest.raises(ValueError, match="a row has 1 cells, the header 2"):
        function(["x", "y"], [["1"]])


def test_csv_keeps_full_precision_and_leaves_gaps_empty(tmp_path):
    rows = [{"a": 0.1 + 0.2, "b": None}, {"a": nan, "b": "x,y"}, {"a": -inf, "b": 3}]
    write_csv(tmp_path / "x.csv", pd.DataFrame(rows))
    assert (tmp_path / "x.csv").read_text() == 'a,b\n0.30000000000000004,\n,"x,y"\n-inf,3\n'


def test_csv_without_rows_keeps_its_header(tmp_path):
    write_csv(tmp_path / "x.csv", pd.DataFrame(columns=["a", "b"]))
    assert (tmp_path / "x.csv").read_text() == "a,b\n"


def test_marked_cells():
    rows = [[Cell("A"), Cell("1.5", kind=BEST)], [Cell("B"), Cell("2", kind=f"{SECOND} far")]]
    table = Table("x", "", ["Model", "s"], rows)
    text = md.markdown(table)
    assert "| A     |  **1.5** |" in text
    assert "| B     | <u>2</u> |" in text
    assert "1.5" in md.plain(table)
    assert "*" not in md.plain(table)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (md.p_value(2.34e-6), "2.3e-06"),
        (md.p_value(0.00994), "9.9e-03"),
        (md.p_value(0.0349), "0.03"),
        (md.p_value(1.0), "1.00"),
        (md.p_value(0.0), "< 1e-300"),
        (md.p_value(nan), "–"),
        (md.score(0.05294), "0.0529"),
        (md.score(None), "–"),
        (md.number(12345.6, 0), "12,346"),
        (md.percent(1.25), "+1.2%"),
        (md.percent(-0.34), "-0.3%"),
        (md.percent(nan), "–"),
    ],
)
def test_figures(text, expected):
    assert text == expected


def test_a_table_is_declared_by_its_columns():
    columns = [
        md.word("Model", "model"),
        md.figures("s", "seconds", 1),
        Column("Twice", lambda row: f"{2 * row.number('seconds'):.0f}"),
        md.figures("Paper's", "paper", 2, paper=True),
    ]
    frame = pd.DataFrame({"model": ["a_b", ""], "seconds": [1.25, nan], "paper": [nan, None]})
    table = md.declared("nearest", columns, rows_of(frame.iloc[[0, 0, 1]]))
    assert table.header == ["Model", "s", "Twice"]  # the paper prints nothing
    assert table.text_columns == 1
    assert [cell.text for cell in table.rows[0]] == ["a_b", "1.2", "2"]
    assert table.rows[0][1].sort == 1.25
    assert [cell.text for cell in table.rows[2]] == [md.GAP, md.GAP, "nan"]
    assert table.rows[2][1].kind == "gap"
    printed = rows_of(frame.assign(paper=[0.5, nan]))
    assert md.declared("nearest", columns, printed).header[-1] == "Paper's"


def test_a_table_has_the_words_of_its_id():
    table = md.declared("activity", [md.word("x", "x")], [], dataset="Beauty")
    assert table.caption.startswith("Beauty: accuracy on the test split")
    assert table.notes == []
    told = {"devices": ["cpu: A", "cpu: B"], "average": False}  # an empty note is none
    *_, ratio, devices = md.declared("time", [md.word("x", "x")], [], **told).notes
    assert ratio.startswith("Ratio: ")
    assert devices == "Measured on cpu: A; cpu: B."


def test_names_keep_an_id_that_has_none():
    names = md.Names({"beauty": "Beauty"}, {})
    assert (names.dataset_name("beauty"), names.model_name("mine")) == ("Beauty", "mine")
