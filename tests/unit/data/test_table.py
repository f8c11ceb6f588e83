"""Tables: which column is which, and what is done with quotes, marks and missing headers."""

from pathlib import Path

import pytest

from elcrec.data.sources import Columns
from elcrec.data.table import read_columns, read_table


@pytest.fixture
def table(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "t.csv"
        path.write_bytes(text.encode())
        return path

    return write


def rows(path: Path, **columns: object) -> list[tuple]:
    frame = read_table(path, columns=Columns(**columns) if columns else None)
    return list(frame.itertuples(index=False, name=None))


@pytest.mark.parametrize(
    "text",
    [
        "userId,movieId,rating,timestamp\n1,007,3.5,9\n",  # MovieLens 20M, 25M, 32M
        "user_id,parent_asin,rating,timestamp\n1,007,3.5,9\n",  # Amazon 2023
        "rating;item;time;user;x\r\n3.5;007;9;1;y\r\n",
        "\ufeffreviewerID\tasin\toverall\tunixReviewTime\n1\t007\t3.5\t9\n",
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t007\t3.5\t9\n",
    ],
)
def test_usual_names_are_known(table, text: str) -> None:
    assert rows(table(text)) == [("1", "007", 9, 3.5)]


def test_any_name_can_be_told(table) -> None:
    path = table("who,what,when\n1,a,9\n")
    [row] = rows(path, user="who", item="what", time="when")
    assert row[:3] == ("1", "a", 9)
    assert row[3] != row[3]  # nan


def test_a_file_without_a_header_is_told_by_places(table) -> None:
    """Amazon's ratings of 2018: item, user, rating, time."""
    path = table("B1,A1,5.0,100\nB2,A1,4.0,50\n")
    found = rows(path, item=1, user=2, rating=3, time=4)
    assert found == [("A1", "B1", 100, 5.0), ("A1", "B2", 50, 4.0)]


def test_quotes_as_in_csv(table) -> None:
    path = table('user,item,time\n"a, b","say ""x""",3\n')
    assert rows(path)[0][:3] == ("a, b", 'say "x"', 3)


@pytest.mark.parametrize(
    ("text", "columns", "words"),
    [
        ("a,b,c\n1,2,3\n", {}, ["line 1: no column for the user among 'a, b, c'", "columns"]),
        ("user,item\n1,2\n", {}, ["no column for the time"]),
        ("user,item,time\n1,2,3\n", {"user": "who"}, ["no column who"]),
        ("1,2,3\n", {"user": 1, "item": 2, "time": 4}, ["columns.time is 4; allowed: 1 to 3"]),
        ("1,2,3\n", {"user": 1, "item": 2}, ["columns.time is missing"]),
        ("1,2,3\n", {"user": 1, "item": 2, "time": "t"}, ["columns.time is 't'"]),
        ("", {}, ["no column for the user"]),
    ],
)
def test_columns_that_are_not_there(table, refused, text, columns, words) -> None:
    path = table(text)
    message = refused(read_table, path, None, Columns(**columns))
    assert str(path) in message
    assert all(word in message for word in words), message


def test_a_column_that_stands_twice_is_refused(table, refused) -> None:
    message = refused(read_table, table("user,User,item,time\na,b,c,1\n"))
    assert message.endswith("t.csv, line 1: the column 'user' occurs twice; rename one of them")
    others = table("user,item,time,note,note\na,b,1,x,y\n")
    assert rows(others)[0][:3] == ("a", "b", 1)


@pytest.mark.parametrize("rest", ["", "2,8,4,5\n"])
def test_a_first_line_with_more_columns_than_the_header_is_refused(table, refused, rest) -> None:
    path = table(f"user,item,time\n1,7,3,9\n{rest}")
    assert f"{path}, line 2: too many columns; expected 3" in refused(read_table, path)


def test_lines_ended_by_carriage_returns(table, refused) -> None:
    assert rows(table("user,item,time,rating\r1,007,9,3.5\r")) == [("1", "007", 9, 3.5)]
    path = table("user,item,time\r1,2,3\r5,6\r")
    assert refused(read_table, path) == f"{path}, line 3: 2 columns; expected 3"


def test_some_columns_as_text(table) -> None:
    path = table("id:token,name:token,age\n1, A b ,007\n2,,8\n")
    frame = read_columns(path, ("age", "name"))
    assert list(frame.itertuples(index=False, name=None)) == [("007", "A b"), ("8", "")]


def test_columns_of_a_file_without_a_header(table) -> None:
    path = table("1, a\n2, b\n")
    assert read_columns(path, ("second",), header=("first", "second"))["second"].tolist() == [
        *("a", "b")
    ]


@pytest.mark.parametrize(
    ("text", "header", "words"),
    [
        ("id,name\n1,a\n", (), ["line 1", "no column age", "id, name"]),
        ("1,2,3\n", ("age", "name"), ["line 1", "3 columns", "expected 2: age, name"]),
        ("1,2\n3\n", ("age", "name"), ["line 2", "1 columns", "expected 2"]),
    ],
)
def test_some_columns_that_are_not_there(table, refused, text, header, words) -> None:
    path = table(text)
    message = refused(read_columns, path, ("age",), None, header)
    assert all(word in message for word in [str(path), *words])


def test_quotes_may_span_lines(table, refused) -> None:
    text = 'user,item,time,text\n1,a,9,"two\nlines"\n2,b,8,""\n'
    assert [row[:3] for row in rows(table(text))] == [("1", "a", 9), ("2", "b", 8)]
    message = refused(rows, table(text + "3,c,7\n"))
    assert "line 5: 3 columns; expected 4" in message
