"""Files written whole, and files that are to stay."""

import json
import os

import pytest

from elcrec.errors import WriteError
from elcrec.files.atomic import protecting, replaced, write_json, write_text


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "sub" / "x.txt"
    write_text(path, "old")

    def interrupted():
        with replaced(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert path.read_text() == "old"
    assert [p.name for p in path.parent.iterdir()] == ["x.txt"]


def test_what_is_no_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(WriteError, match=f"{name}: cannot be written: it exists and is not a"):
            write_text(tmp_path / name, "new")
    assert (tmp_path / "pipe").is_fifo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "pipe"]


def test_files_of_a_folder_that_is_spared_stay_and_others_may_be_written(tmp_path):
    (tmp_path / "own").mkdir()
    write_text(tmp_path / "own" / "a", "mine")
    write_text(tmp_path / "b", "old")
    with protecting(tmp_path / "own"):
        write_text(tmp_path / "own" / "new", "new")
        write_text(tmp_path / "b", "new")
        with pytest.raises(WriteError, match=r"own/a: already exists; .* replace it with --force$"):
            write_text(tmp_path / "own" / "a", "new")
    assert (tmp_path / "own" / "a").read_text() == "mine"
    write_text(tmp_path / "own" / "a", "new")
    assert (tmp_path / "own" / "a").read_text() == (tmp_path / "b").read_text() == "new"


def test_a_file_that_is_spared_is_refused_before_the_work(tmp_path):
    write_text(tmp_path / "a", "mine")
    with pytest.raises(WriteError, match="a: already exists"), protecting(tmp_path / "a"):
        raise AssertionError


def test_what_appears_during_the_work_stays(tmp_path):
    path = tmp_path / "x.txt"

    def written_meanwhile():
        with protecting(path), replaced(path) as temporary:
            temporary.write_text("ours")
            path.write_text("theirs")

    with pytest.raises(WriteError, match="already exists"):
        written_meanwhile()
    assert path.read_text() == "theirs"


def test_json_may_name_a_file_whose_name_is_no_text(tmp_path):
    write_json(tmp_path / "x.json", {"file": "m\udce9.yaml", "name": "é"})
    text = (tmp_path / "x.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"file": "m\udce9.yaml", "name": "é"}
