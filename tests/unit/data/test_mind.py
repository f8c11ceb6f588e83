"""Click sequences out of MIND's impressions."""

from collections.abc import Callable
from pathlib import Path

import pytest

from elcrec.data.core import to_sequences
from elcrec.data.formats import read_interactions


@pytest.fixture
def sequences(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Each user's news in order, from lines of (user, time, history, impressions)."""

    def read(*lines: tuple[str, str, str, str]) -> dict[str, str]:
        path = tmp_path / "behaviors.tsv"
        text = "".join("\t".join((str(n), *line)) + "\n" for n, line in enumerate(lines, 1))
        path.write_text(text)
        frame = read_interactions(path, "mind-behaviors")
        return {u: " ".join(rows["item"]) for u, rows in frame.groupby("user", sort=False)}

    return read


def test_the_history_then_the_clicks_in_order_of_time(sequences) -> None:
    assert sequences(
        ("u", "11/12/2019 1:00:00 PM", "a b", "x-0 d-1"),
        ("u", "11/12/2019 11:59:59 AM", "a b", "c-1 y-0"),  # noon is later than 11:59 AM
        ("v", "11/9/2019 12:00:00 AM", "", "a-0 c-1"),
        ("u", "11/12/2019 1:00:00 PM", "a b", "e-1 f-1"),  # the same second: after the other line
    ) == {"u": "a b c d e f", "v": "c"}


def test_a_history_that_grows_is_not_counted_twice(sequences) -> None:
    assert sequences(
        ("u", "11/12/2019 1:00:00 PM", "a b c d", "e-1"),
        ("u", "11/11/2019 1:00:00 PM", "a b", "c-1 d-1"),
    ) == {"u": "a b c d e"}


def test_news_clicked_twice_stands_twice_and_news_only_shown_never(sequences) -> None:
    lines = (
        ("u", "11/12/2019 1:00:00 PM", "a b a", "b-1 c-0"),
        ("w", "11/12/2019 1:00:00 PM", "", "c-0"),
    )
    assert sequences(*lines) == {"u": "a b a b"}


def test_both_sources_of_movielens_1m_agree(tmp_path: Path) -> None:
    """SASRec's text numbers users and films anew, and has its own order within a second."""
    ratings = [  # user, film, seconds; the second user rated two films at once
        *(("12", film, 100 + at) for at, film in enumerate("DBAC")),
        ("15", "C", 50),
        ("15", "D", 40),
        ("15", "B", 60),
        ("15", "A", 60),
    ]
    zipped, text = tmp_path / "ratings.dat", tmp_path / "ml-1m.txt"
    zipped.write_text("".join(f"{u}::{i}::5::{t}\n" for u, i, t in ratings))
    text.write_text("1 9\n1 2\n1 3\n1 4\n2 9\n2 4\n2 3\n2 2\n")
    timed = to_sequences(read_interactions(zipped, "movielens"))
    ordered = to_sequences(read_interactions(text, "sasrec-text"))
    assert (timed.users, ordered.users) == (("12", "15"), ("1", "2"))
    assert timed.item_ids == ("D", "B", "A", "C")
    assert timed.items.tolist() == [1, 2, 3, 4, 1, 4, 2, 3]
    assert ordered.items.tolist() == [1, 2, 3, 4, 1, 4, 3, 2]  # but for the tie, the same
