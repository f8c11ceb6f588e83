"""Predictions from elsewhere: what a file may look like, and the ranks that follow from it."""

import numpy as np
import pandas as pd
import pytest

from elcrec.data.sequences import Sequences
from elcrec.errors import InputError
from elcrec.runs.predictions import ENDLESS, rank_targets, read_predictions

# Users a and b; items 1 to 6. Test items: 4 of a, 3 of b.
SEQUENCES = Sequences(np.array([1, 2, 3, 4, 5, 6, 1, 3]), np.array([0, 4, 8]), users=("a", "b"))
USERS = {"a": 0, "b": 1}
ITEMS = {f"i{number}": number for number in range(1, 7)}


def ranked(path, protocol="strict", **options):
    return rank_targets(path, SEQUENCES, protocol, users=USERS, items=ITEMS, **options)


@pytest.fixture
def file(tmp_path):
    def write(text, name="p.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_scores_give_ranks(file):
    path = file("user,item,score\na,i6,0.9\na,i4,0.5\na,i5,0.1\nb,i3,2\nb,i2,1\n")
    found = ranked(path)
    assert found.ranks.tolist() == [1, 0]
    assert (found.known_to, found.excluded, found.missed) == (ENDLESS, 0, 0)


def test_ties_count_against_the_model(file):
    path = file("user,item,score\na,i6,1\na,i4,1\na,i5,1\nb,i3,1\n")
    assert ranked(path).ranks.tolist() == [2, 0]


def test_items_seen_before_are_taken_out_and_ranks_close_up(file):
    path = file("user,item,rank\na,i1,1\na,i2,2\na,i6,3\na,i4,4\nb,i5,1\nb,i3,2\n")
    found = ranked(path)
    assert found.ranks.tolist() == [1, 0]
    assert found.excluded == 3


def test_under_repeats_nothing_is_taken_out(file):
    path = file("user,item,rank\na,i1,1\na,i2,2\na,i6,3\na,i4,4\nb,i5,1\nb,i3,2\n")
    found = ranked(path, "repeats")
    assert found.ranks.tolist() == [3, 1]
    assert found.excluded == 0


def test_a_test_item_that_the_user_had_before_still_counts(tmp_path):
    repeated = Sequences(np.array([1, 2, 3, 1]), np.array([0, 4]), users=("a",))
    path = tmp_path / "p.csv"
    path.write_text("user,item,score\na,i1,1\na,i2,2\na,i4,3\n")
    found = rank_targets(path, repeated, "strict", users={"a": 0}, items=ITEMS)
    assert found.ranks.tolist() == [1]
    assert found.excluded == 1


def test_a_list_that_ends_before_the_test_item_says_how_far_metrics_go(file):
    path = file("user,item,rank\na,i6,1\na,i1,2\na,i5,3\nb,i3,1\n")
    found = ranked(path)
    assert found.known_to == 2  # i1 is taken out, so two items of a compete
    assert found.ranks.tolist() == [2, 0]


def test_trec_run(file):
    path = file("a Q0 i6 1 3.0 mine\na Q0 i4 2 2.0 mine\nb Q0 i3 1 5.0 mine\n", "p.run")
    assert ranked(path).ranks.tolist() == [1, 0]


def test_parquet_with_float_ids(tmp_path):
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    path = tmp_path / "p.parquet"
    frame = pd.DataFrame({"User": [0.0, 1.0], "item": [4, 3], "score": [1.0, 1.0]})
    frame.to_parquet(path)
    found = rank_targets(path, SEQUENCES, "strict", users={"0": 0, "1": 1}, items={"4": 4, "3": 3})
    assert found.ranks.tolist() == [0, 0]


def test_table_of_ranks(file):
    found = ranked(file("user,rank\nb,7\na,0\n"))
    assert found.ranks.tolist() == [0, 7]
    assert found.known_to == ENDLESS


def test_byte_order_mark_and_blanks(file):
    path = file("\ufeffuser, item ,score\na, i4 ,1\nb,i3, 1\n")
    assert ranked(path).ranks.tolist() == [0, 0]


def test_missing_users_are_refused_or_count_as_misses(file):
    path = file("user,item,score\na,i4,1\n")
    with pytest.raises(InputError, match=r"no line for 1 of 2 users \(b\).*--missing miss"):
        ranked(path)
    found = ranked(path, missing=True)
    assert found.ranks[0] == 0
    assert found.ranks[1] > 10**6
    assert (found.missed, found.known_to) == (1, ENDLESS)


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("user,item,score\na,i4,x\n", "p.csv", "line 2: score is 'x'; allowed: a finite number"),
        ("user,item,score\na,i4,nan\n", "p.csv", "line 2: score is 'nan'"),
        ("user,item,score\na,i4,inf\n", "p.csv", "line 2: score is 'inf'"),
        ("user,item,score\na,i4,1\nz,i4,1\n", "p.csv", "line 3: user is 'z'; allowed: the users"),
        ("user,item,score\na,i9,1\n", "p.csv", "line 2: item is 'i9'; allowed: the items"),
        ("user,item,score\na,i4,1\na,i4,2\n", "p.csv", "line 3: item is 'i4'; allowed: each item"),
        ("user,movie,score\na,i4,1\n", "p.csv", "has the columns user, movie, score; needed"),
        ("user,item\na,i4\n", "p.csv", "has the columns user, item; needed"),
        ("user,item,score\n", "p.csv", "no line besides its header"),
        ("", "p.csv", "is not a table"),
        ("user,item,score\na,i4,1,7,8\n", "p.csv", "is not a table|has the columns"),
        ("a Q0 i6 1 3.0\n", "p.run", "5 fields in a line; a TREC run has 6"),
        ("user,rank\na,1\na,2\n", "p.csv", "line 3: user is 'a'; allowed: each user once"),
        ("user,rank\na,-1\n", "p.csv", "line 2: rank is '-1.0'; allowed: a whole number from 0"),
        ("user,rank\na,1.5\n", "p.csv", "line 2: rank is '1.5'"),
        ("x", "p.json", "its name must end in .csv"),
        ("x", "p.parquet", "is not a table"),
    ],
)
def test_wrong_files_are_refused_in_one_line(file, text, name, message):
    with pytest.raises(InputError, match=message) as refused:
        ranked(file(text, name))
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"nothere.csv: cannot be read"):
        read_predictions(tmp_path / "nothere.csv")


@pytest.mark.parametrize("protocol", ["strict", "repeats"])
def test_ranks_are_those_of_a_loop(tmp_path, protocol):
    random = np.random.default_rng(0)
    lengths = random.integers(4, 9, size=30)
    sequences = Sequences(
        random.integers(1, 13, size=lengths.sum()),
        np.concatenate([[0], np.cumsum(lengths)]),
        tuple(map(str, range(30))),
    )
    scores = random.integers(0, 6, size=(30, 13))
    rows, expected = [], []
    for u in range(30):
        history = sequences.items[sequences.offsets[u] : sequences.offsets[u + 1]]
        target, before = history[-1], set(history[:-1].tolist())
        others = [i for i in range(1, 13) if i != target]
        if protocol == "strict":
            others = [i for i in others if i not in before]
        expected.append(sum(scores[u, i] >= scores[u, target] for i in others))
        rows += [(u, i, scores[u, i]) for i in random.permutation(np.arange(1, 13))]
    path = tmp_path / "p.csv"
    pd.DataFrame(rows, columns=["user", "item", "score"]).to_csv(path, index=False)
    numbers = {str(i): i for i in range(30)}
    found = rank_targets(path, sequences, protocol, users=numbers, items=numbers)
    assert found.ranks.tolist() == expected
