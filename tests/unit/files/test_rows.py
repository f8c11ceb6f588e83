"""Rows of CSV files: gaps, wrong fields, and frames as the files that are written of them."""

from math import isnan, nan

import pandas as pd
import pytest

from elcrec.errors import InputError
from elcrec.files.rows import filled, frame_of, read_rows, rows_of


@pytest.fixture
def row(tmp_path):
    (tmp_path / "x.csv").write_text("# a comment\nname,size,share\na,3,\n")
    (found,) = read_rows(tmp_path / "x.csv")
    return found


def test_fields_by_their_columns(row):
    assert (row.text("name"), row.number("size")) == ("a", 3.0)
    assert row.text("share") == ""
    assert isnan(row.number("share"))


def test_the_text_nan_is_no_number_for_a_gap_is_an_empty_field(tmp_path):
    (tmp_path / "x.csv").write_text("size\nnan\n")
    (row,) = read_rows(tmp_path / "x.csv")
    with pytest.raises(InputError, match=r"x\.csv: size is 'nan'; allowed: a number or nothing"):
        row.number("size")


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda row: row.text("x"), r"x\.csv: has no column 'x'; it has: name, size, share"),
        (lambda row: row.number("name"), r"x\.csv: name is 'a'; allowed: a number or nothing"),
    ],
)
def test_what_is_refused(row, read, message):
    with pytest.raises(InputError, match=message):
        read(row)


def test_no_file_gives_no_row(tmp_path):
    assert read_rows(tmp_path / "x.csv") == []


def test_a_frame_is_read_as_its_file_would_be(tmp_path):
    frame = pd.DataFrame({"a": [0.1 + 0.2, nan], "b": [True, None], "c": [1, 2]})
    frame.to_csv(tmp_path / "x.csv", index=False)
    from_file = [dict(row.values) for row in read_rows(tmp_path / "x.csv")]
    assert [dict(row.values) for row in rows_of(frame)] == from_file
    assert from_file[0] == {"a": "0.30000000000000004", "b": "True", "c": "1"}


def test_rows_that_have_something_in_one_of_the_columns():
    rows = rows_of(pd.DataFrame({"a": [0, nan, nan], "b": ["", "x", ""], "c": [1, 2, 3]}))
    assert filled(rows, "a", "b") == rows[:2]
    with pytest.raises(InputError, match="has no column 'd'"):
        filled(rows, "d")


def test_columns_of_rows_as_a_frame(row):
    frame = frame_of([row], ["name"], ["size", "share"])
    assert frame.iloc[0, :2].tolist() == ["a", 3.0]
    assert isnan(frame["share"][0])
    assert list(frame_of([], ["name"], ["size"])) == ["name", "size"]
