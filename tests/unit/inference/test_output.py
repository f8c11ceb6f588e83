"""`elcrec recommend`: files in, files out, raw ids, one line for what is wrong."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

import elcrec
from elcrec.cli.main import main
from elcrec.errors import InputError
from elcrec.inference import histories, recommender
from elcrec.inference.output import writing
from tests.unit.inference.conftest import folder_of

LINES = "x B003 B004 B005\ny B010\nz B039 B040 B001 B002\n"


@pytest.fixture
def recommend(finished, tmp_path, monkeypatch):
    """Run the command in a folder with the file of histories `new.txt`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new.txt").write_text(LINES)

    def call(*words, model="sasrec"):
        run = ["--run", str(folder_of(finished, model)), "--config", str(finished)]
        return main(["recommend", *run, *map(str, words)])

    return call


@pytest.fixture
def refused(recommend, capsys, tmp_path):
    """The line of a refusal, after which there is no new file."""

    def call(*words, **keywords):
        before = set(tmp_path.iterdir())
        capsys.readouterr()
        assert recommend(*words, **keywords) == 2
        assert set(tmp_path.iterdir()) == before
        (line,) = capsys.readouterr().err.splitlines()
        return line

    return call


def items_of(frame, user):
    return frame.loc[frame["user"] == user, "item"].tolist()


def test_everybody_has_the_best_items_of_the_run(recommend, finished, capsys):
    assert recommend("--users", "all", "--top", 5, "--output", "all.csv") == 0
    frame = pd.read_csv("all.csv")
    assert list(frame.columns) == ["user", "item", "rank", "score"]
    assert frame["rank"].tolist() == [1, 2, 3, 4, 5] * 120
    assert frame.groupby("user")["score"].apply(lambda s: s.is_monotonic_decreasing).all()
    lines = (finished.parent / "tiny.txt").read_text().splitlines()
    raw = {user: items for user, *items in map(str.split, lines)}
    run = elcrec.load(folder_of(finished, "sasrec"), [finished])
    assert list(dict.fromkeys(frame["user"])) == list(raw)
    for (user, found), expected in zip(
        frame.groupby("user", sort=False), run.recommend(list(raw.values()), 5), strict=True
    ):
        assert found["item"].tolist() == expected, user
    assert "SASRec: 600 recommendations for 120 users -> all.csv" in capsys.readouterr().out


def test_histories_of_users_who_were_not_in_the_training(recommend, finished):
    assert recommend("--history", "new.txt", "--top", 3, "--output", "new.csv") == 0
    frame = pd.read_csv("new.csv")
    assert list(dict.fromkeys(frame["user"])) == ["x", "y", "z"]
    run = elcrec.load(folder_of(finished, "sasrec"), [finished])
    asked = [line.split()[1:] for line in LINES.splitlines()]
    assert [items_of(frame, user) for user in "xyz"] == run.recommend(asked, 3)


def test_a_table_of_interactions_is_the_same_histories(recommend, tmp_path):
    rows = [
        f"{u},{i},{t}"
        for u, *items in map(str.split, LINES.splitlines())
        for t, i in enumerate(items)
    ]
    (tmp_path / "new.csv").write_text("\n".join(["user,item,time", *sorted(rows)]) + "\n")
    assert recommend("--history", "new.csv", "--output", "of_table.csv") == 0
    assert recommend("--history", "new.txt", "--output", "of_lines.csv") == 0
    of_table, of_lines = (pd.read_csv(f"of_{kind}.csv") for kind in ("table", "lines"))
    assert all(items_of(of_table, user) == items_of(of_lines, user) for user in "xyz")


@pytest.mark.parametrize("asked", [["--history", "new.txt"], ["--users", "all"]])
def test_parts_change_nothing(recommend, tmp_path, monkeypatch, asked):
    assert recommend(*asked, "--output", "whole.csv") == 0
    for module in (histories, recommender):
        monkeypatch.setattr(module, "PART", 2)
    assert recommend(*asked, "--output", "parts.csv") == 0
    whole, parts = (pd.read_csv(name) for name in ("whole.csv", "parts.csv"))
    pd.testing.assert_frame_equal(whole, parts, atol=1e-5)


def test_a_single_history_is_printed(recommend, capsys):
    assert recommend("--history", "B003 B004", "--top", 2) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header == "user,item,rank,score"
    assert [line.split(",")[0] for line in lines] == ["1", "1"]


def test_chosen_users_in_their_order(recommend, tmp_path):
    (tmp_path / "users.txt").write_text("u9\nu2\n")
    assert recommend("--users", "users.txt", "--top", 1, "--output", "two.csv") == 0
    assert pd.read_csv("two.csv")["user"].tolist() == ["u9", "u2"]


def test_fewer_are_recommended_where_fewer_are_left(recommend, tmp_path):
    many = " ".join(f"B{number:03d}" for number in range(1, 39))
    (tmp_path / "new.txt").write_text(f"x {many}\ny B001\n")
    assert recommend("--history", "new.txt", "--top", 5, "--output", "new.csv") == 0
    frame = pd.read_csv("new.csv")
    assert sorted(items_of(frame, "x")) == ["B039", "B040"]
    assert len(items_of(frame, "y")) == 5
    assert (
        recommend(
            "--history", "new.txt", "--top", 5, "--with-seen", "--output", "new.csv", "--force"
        )
        == 0
    )
    assert pd.read_csv("new.csv")["user"].tolist() == ["x"] * 5 + ["y"] * 5


def test_parquet_holds_the_same(recommend):
    pytest.importorskip("pyarrow")
    for ending in ("csv", "parquet"):
        assert recommend("--history", "new.txt", "--output", f"new.{ending}") == 0
    of_csv, of_parquet = pd.read_csv("new.csv"), pd.read_parquet("new.parquet")
    pd.testing.assert_frame_equal(of_csv, of_parquet, check_dtype=False)


def test_unknown_items_are_left_out_where_that_is_asked_for(recommend, tmp_path, capsys):
    assert recommend("--history", "new.txt", "--output", "right.csv") == 0
    (tmp_path / "new.txt").write_text(f"a C1\n{LINES.replace('B004', 'C2 B004 C1')}b C2 C3 C4\n")
    capsys.readouterr()
    assert recommend("--history", "new.txt", "--skip-unknown", "--output", "new.csv") == 0
    assert (tmp_path / "new.csv").read_text() == (tmp_path / "right.csv").read_text()
    said = capsys.readouterr().err
    assert "left out: 6 interactions with items that the run does not know, such as C1, C2" in said
    assert "; users left without any item: 2" in said


def test_a_bar_on_a_terminal_and_lines_elsewhere(recommend, monkeypatch, capsys):
    monkeypatch.setattr("elcrec.jobs.progress.SECONDS_BETWEEN_LINES", 0)
    monkeypatch.setattr(recommender, "PART", 60)
    assert recommend("--users", "all", "--output", "all.csv") == 0
    assert capsys.readouterr().err.splitlines() == [
        "SASRec: 60 of 120 users",
        "SASRec: 120 of 120 users",
    ]
    assert recommend("--users", "all", "--output", "all.csv", "--quiet", "--force") == 0
    assert not capsys.readouterr().err


def test_users_of_a_model_with_weights_for_each(recommend, refused):
    assert recommend("--users", "all", "--output", "all.csv", model="bprmf") == 0
    line = refused("--history", "new.txt", "--output", "new.csv", model="bprmf")
    assert line.startswith("elcrec: BPR-MF: has weights for each training user")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x B001\ny B002 C9\n", "new.txt, user y: the run does not know the item 'C9'"),
        ("x B001\ny\n", "new.txt, line 2: user 'y' has no item; expected `user item item ...`"),
        ("x B001\n\ny B002\n", "new.txt, line 2: an empty line"),
        ("x B001\ny B002\nx B003\n", "new.txt, line 3: user 'x' is already on line 1"),
        ("", "new.txt: is empty"),
        ("x B001\ny \udcff\n", "new.txt, line 2: not UTF-8 text"),
    ],
)
def test_a_wrong_file_of_histories(refused, tmp_path, text, said):
    (tmp_path / "new.txt").write_bytes(text.encode(errors="surrogateescape"))
    assert said in refused("--history", "new.txt", "--output", "new.csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("user,item,time\n", "has no interactions"),
        ("user;item\nx;B001\n", "new.csv, line 1: no column for the time"),
        ("user,item,time\nx,B001,1\ny,B002,soon\n", "new.csv, line 3: time 'soon' is not a number"),
        ("user,item,time\nx,B001,1,9\n", "new.csv, line 2: too many columns; expected 3"),
        ("user,item,time\nx,,1\n", "new.csv, line 2: an empty item"),
    ],
)
def test_a_broken_table(refused, tmp_path, text, said):
    (tmp_path / "new.csv").write_text(text)
    assert said in refused("--history", "new.csv", "--output", "out.csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("u1\nu999\n", "user 'u999' is not in the training data"),
        ("u1\nu2\nu1\n", "users.txt: the id 'u1' occurs twice"),
        ("u1 u2\n", "users.txt, line 1: 2 words; expected one id"),
        ("", "users.txt: is empty"),
    ],
)
def test_a_wrong_file_of_users(refused, tmp_path, text, said):
    (tmp_path / "users.txt").write_text(text)
    assert said in refused("--users", "users.txt", "--output", "out.csv")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--history", "new.txt", "--output", "new.json"], "must end in .csv or .parquet"),
        (["--history", "new.txt", "--top", 41], "41 recommendations: must be from 1 to 40"),
        (["--history", "new.txt", "--top", 0], "0 recommendations: must be from 1 to 40"),
        (["--history", "none.txt"], "is not a file but ids: user 1: the run does not know the"),
        (["--history", "none.txt", "--skip-unknown"], "--history none.txt: neither a file nor an"),
        (["--history", ""], "--history: is empty"),
        (["--users", "none.txt"], "none.txt: cannot be read (No such file or directory)"),
    ],
)
def test_wrong_options(refused, words, said):
    assert said in refused(*words)


def test_nothing_is_written_when_a_later_part_is_wrong(recommend, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(histories, "PART", 2)
    (tmp_path / "out.csv").write_text("old")
    (tmp_path / "new.txt").write_text(f"{LINES}w C1\n")
    assert recommend("--history", "new.txt", "--output", "out.csv", "--force") == 2
    assert (tmp_path / "out.csv").read_text() == "old"
    assert "user w: the run does not know the item 'C1'" in capsys.readouterr().err


def test_parquet_without_its_library_is_refused_before_any_work(recommend, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    assert recommend("--history", "new.txt", "--output", "new.parquet") == 2
    assert capsys.readouterr().err == "elcrec: pyarrow is missing: pip install pyarrow\n"


def test_the_home_folder_in_every_path(recommend, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert recommend("--history=~/new.txt", "--top", 1, "--output=~/new.csv") == 0
    assert list(pd.read_csv(tmp_path / "new.csv")["user"]) == ["x", "y", "z"]
    (tmp_path / "users.txt").write_text("u7\n")
    capsys.readouterr()
    assert recommend("--users=~/users.txt", "--top", 1) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("u7,B0")


def test_a_packed_table_of_interactions_is_one(recommend, tmp_path):
    lines = "user,item,time\ny,B010,1\nx,B004,2\nx,B003,1\nx,B005,3\n"
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(lines.encode()))
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"y B010\nx B003 B004 B005\n"))
    for name in ("csv", "txt"):
        assert recommend("--history", f"a.{name}.gz", "--top", 2, "--output", f"{name}.csv") == 0
    assert Path("csv.csv").read_bytes() == Path("txt.csv").read_bytes()


@pytest.mark.parametrize("place", [None, "nobody.csv"])
def test_without_anybody_there_is_a_header_and_after_a_refusal_nothing(tmp_path, capsys, place):
    path = tmp_path / place if place else None
    with pytest.raises(InputError), writing(path):
        raise InputError("refused")
    assert capsys.readouterr().out == ""
    assert list(tmp_path.iterdir()) == []
    with writing(path):
        pass
    assert (path.read_text() if path else capsys.readouterr().out) == "user,item,rank,score\n"


def test_output_that_was_closed_takes_nothing(monkeypatch):
    monkeypatch.setattr("sys.stdout", None)
    with writing(None):
        pass
