"""Predictions from elsewhere: what a file may look like, and the ranks that follow from it."""

import gzip
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from elcrec.data.sequences import Sequences
from elcrec.errors import InputError
from elcrec.external.predictions import ENDLESS, MISSED, rank_targets, read_predictions

ITEMS = ("i1", "i2", "i3", "i4", "i5", "i6")
# Test items: i4 of a, i3 of b.
SEQUENCES = Sequences(
    np.array([1, 2, 3, 4, 5, 6, 1, 3]), np.array([0, 4, 8]), users=("a", "b"), item_ids=ITEMS
)


def ranked(path, protocol="strict", **options):
    return rank_targets(path, SEQUENCES, protocol, **options)


@pytest.fixture
def file(tmp_path):
    def write(text, name="p.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
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


def test_a_test_item_that_the_user_had_before_competes_under_repeats_alone(tmp_path):
    repeated = Sequences(np.array([1, 2, 4, 1]), np.array([0, 4]), users=("a",), item_ids=ITEMS)
    path = tmp_path / "p.csv"
    path.write_text("user,item,score\na,i1,1\na,i2,2\na,i3,3\n")
    found = rank_targets(path, repeated, "strict")
    assert found.ranks.tolist() == [MISSED]
    assert (found.excluded, found.hidden, found.known_to) == (2, 1, ENDLESS)
    found = rank_targets(path, repeated, "repeats")
    assert found.ranks.tolist() == [2]
    assert (found.excluded, found.hidden) == (0, 0)


def test_a_list_that_ends_before_the_test_item_says_how_far_metrics_go(file):
    path = file("user,item,rank\na,i6,1\na,i1,2\na,i5,3\nb,i3,1\n")
    found = ranked(path)
    assert found.known_to == 2  # i1 is taken out, so two items of a compete
    assert found.shortest == "a"
    assert found.ends.tolist() == [2, ENDLESS]
    assert found.ranks.tolist() == [MISSED, 0]


def test_a_list_without_an_item_that_competes_knows_nothing(file):
    found = ranked(file("user,item,rank\na,i1,1\nb,i3,1\n"))
    assert (found.known_to, found.excluded) == (0, 1)


def test_names_of_columns_as_recbole_and_others_write_them(file):
    path = file("user_id:token\titem_id:token\tscore:float\na\ti4\t1\nb\ti3\t1\n", "p.tsv")
    assert ranked(path).ranks.tolist() == [0, 0]


def test_scores_decide_where_there_are_ranks_too(file):
    path = file("user,item,rank,score\na,i6,1,0.1\na,i4,2,0.9\nb,i3,1,1\n")
    assert ranked(path).ranks.tolist() == [0, 0]


def test_a_packed_file(tmp_path):
    path = tmp_path / "p.csv.gz"
    path.write_bytes(gzip.compress(b"user,rank\nb,4\na,0\n"))
    assert ranked(path).ranks.tolist() == [0, 4]


def test_trec_run(file):
    path = file("a Q0 i6 1 3.0 mine\na Q0 i4 2 2.0 mine\nb Q0 i3 1 5.0 mine\n", "p.run")
    assert ranked(path).ranks.tolist() == [1, 0]


def test_parquet_with_float_ids(tmp_path):
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    path = tmp_path / "p.parquet"
    frame = pd.DataFrame({"User": [0.0, 1.0, 1.0], "item": [4, 3, 2], "score": [1.0, 0.1, 0.3]})
    frame.to_parquet(path)
    numbered = replace(SEQUENCES, users=("0", "1"), item_ids=tuple("123456"))
    assert rank_targets(path, numbered, "strict").ranks.tolist() == [0, 1]
    frame.assign(item=[4, 3, 9]).to_parquet(path)
    with pytest.raises(InputError, match="line 3: item '9' is not in the data set"):
        rank_targets(path, numbered, "strict")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"p\.parquet: cannot be read \(.*not a parquet file"):
        rank_targets(path, numbered, "strict")


def test_parquet_without_its_reader_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "fastparquet", None)
    with pytest.raises(InputError, match="pip install pyarrow"):
        read_predictions(tmp_path / "p.parquet")


def test_table_of_ranks(file):
    found = ranked(file("user,rank\nb,4\na,0\n"))
    assert found.ranks.tolist() == [0, 4]
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
        ("user,item,score\na,i4,x\n", "p.csv", "line 2: score 'x' is not a number"),
        ("user,item,score\na,i4,nan\n", "p.csv", "line 2: score 'nan' is not a number"),
        ("user,item,score\na,i4,inf\n", "p.csv", "line 2: score 'inf' is not a number"),
        ("user,item,score\na,i4,\n", "p.csv", "line 2: score '' is not a number"),
        ("user,item,rank\na,i4,first\n", "p.csv", "line 2: rank 'first' is not a number"),
        ("user,item,score\na,i4,1\nz,i4,1\n", "p.csv", "line 3: user 'z' is not in the data set"),
        ("user,item,score\na,i9,1\n", "p.csv", "item 'i9' is not .* whose items are i1, i2, i3, "),
        ("user,item,score\na,i4,1\na,i4,2\n", "p.csv", "line 3: item 'i4' .* second .* user 'a'"),
        ("user,movie,score\na,i4,1\n", "p.csv", "has the columns 'user, movie, score'; needed"),
        ("user,item\na,i4\n", "p.csv", "has the columns 'user, item'; needed"),
        ("item,score\ni4,1\n", "p.csv", "has the columns 'item, score'; needed"),
        ("user,user,rank\na,a,1\n", "p.csv", "has the columns .* each once"),
        ("user,item,score\n", "p.csv", "no line below its header"),
        ("", "p.csv", "is empty"),
        ("\n\n", "p.run", "is empty"),
        ("user,item,score\na,i4,1,7,8\n", "p.csv", "line 2: too many columns; expected 3"),
        ("user,item,score\na,i4\n", "p.csv", "line 2: 2 columns; expected 3"),
        ("user,item,score\na,i4,1\n\nb,i3,1\n", "p.csv", "line 3: 0 columns; expected 3"),
        ("a Q0 i6 1 3.0\n", "p.run", "line 1: 5 columns; expected 6"),
        ("a Q0 i6 1 3.0 me\na Q0 i4 2 2 me too\n", "p.run", "line 2: 7 columns; expected 6"),
        ("user,rank\na,1\na,2\n", "p.csv", "line 3: user 'a' appears a second time"),
        ("user,rank\na,-1\n", "p.csv", "line 2: rank '-1'; allowed: a whole number from 0"),
        ("user,rank\na,1e300\n", "p.csv", "line 2: rank '1e.300'; allowed: a whole number"),
        ("user,rank\na,6\n", "p.csv", "line 2: rank '6'; allowed: a whole number from 0 to 5"),
        ("user,rank\na,1.5\n", "p.csv", "line 2: rank '1.5'; allowed: a whole number from 0"),
        ("user,item,score\na,\udcff,1\n", "p.csv", "not UTF-8 text"),
        ('user,item,score\na,"i4,1\n', "p.csv", "EOF inside string"),
        ("user,item,score\na,i4\0,1\n", "p.csv", "line 2: item .* is not in the data set"),
        ("x", "p.json", "its name must end in .csv"),
    ],
)
def test_wrong_files_are_refused_in_one_line(file, text, name, message):
    with pytest.raises(InputError, match=message) as refused:
        ranked(file(text, name))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("z,i4,1\n", "user 'z' is not in .* whose users are {a}, b{}, "),
        ("{a},i4,1\n" * 2, "'i4' .*"),
    ],
)
def test_ids_with_braces_are_named(file, line, message):
    sequences = replace(SEQUENCES, users=("{a}", "b{}"))
    with pytest.raises(InputError, match=message):
        rank_targets(file(f"user,item,score\n{line}"), sequences, "strict")


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
        tuple(map(str, range(1, 14))),
    )
    scores = random.integers(0, 6, size=(30, 13))
    rows, expected = [], []
    for u in range(30):
        history = sequences.items[sequences.offsets[u] : sequences.offsets[u + 1]]
        target, before = history[-1], set(history[:-1].tolist())
        others = [i for i in range(1, 13) if i != target]
        if protocol == "strict":
            others = [i for i in others if i not in before]
        rank = sum(scores[u, i] >= scores[u, target] for i in others)
        expected.append(MISSED if protocol == "strict" and target in before else rank)
        rows += [(u, i, scores[u, i]) for i in random.permutation(np.arange(1, 13))]
    path = tmp_path / "p.csv"
    pd.DataFrame(rows, columns=["user", "item", "score"]).to_csv(path, index=False)
    found = rank_targets(path, sequences, protocol)
    assert found.ranks.tolist() == expected


@pytest.mark.parametrize("least", [-(2**63), 2**62 + 1])
def test_integers_that_no_float_holds_keep_their_order(file, least):
    lines = [f"a,i4,{least + 1}", f"a,i5,{least}", f"b,i3,{least + 1}", f"b,i2,{least}"]
    assert ranked(file("\n".join(["user,item,score", *lines, ""]))).ranks.tolist() == [0, 0]


def test_parquet_with_the_lowest_float(tmp_path):
    lowest = float(np.finfo(np.float32).min)
    rows = [("a", "i4", 10.0), ("a", "i5", lowest), ("b", "i3", 10.0), ("b", "i2", lowest)]
    pd.DataFrame(rows, columns=["user", "item", "score"]).to_parquet(tmp_path / "p.parquet")
    assert ranked(tmp_path / "p.parquet").ranks.tolist() == [0, 0]
