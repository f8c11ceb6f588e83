"""Paths that people write or read, and folders that cannot be made or written to."""

import os
from pathlib import Path

import pytest

from elcrec import ROOT
from elcrec.errors import WriteError
from elcrec.files.atomic import write_text
from elcrec.files.lock import held
from elcrec.files.paths import (
    as_path,
    check_folder,
    make_folder,
    shared_words,
    short,
    without_folders,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("~", "{home}"),
        ("~/a/b c", "{home}/a/b c"),
        ("a/~b", "a/~b"),
        ("a/-b", "a/-b"),
        ("/x/é ü", "/x/é ü"),
    ],
)
def test_a_text_becomes_a_path(monkeypatch, tmp_path, text, expected):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert str(as_path(text)) == expected.format(home=tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be a path of one line, in UTF-8, got ''"),
        ("a\nb", "must be a path of one line, in UTF-8, got 'a.nb'"),
        ("\udcff", "must be a path of one line, in UTF-8"),
        ("~nobody-of-this-name/x", "got '~nobody-of-this-name/x': there is no such user"),
        ("-x", "must not begin with -, got '-x'"),
        ("./-x", "must not begin with -, got './-x'"),
        ("./~", "must be a path, got './~'"),
    ],
)
def test_a_text_that_would_be_another_path_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        as_path(text)


@pytest.mark.parametrize("way", [make_folder, check_folder, lambda folder: write_text(folder, "")])
def test_a_file_in_the_place_of_a_folder_is_one_line(tmp_path, way):
    (tmp_path / "file").touch()
    place = tmp_path / "file" / "a" / "b"
    with pytest.raises(
        WriteError,
        match=f"^{place}: cannot be written: a file or a broken link is where a folder must be",
    ):
        way(place)


def test_a_folder_is_made_with_those_above_it_and_may_be_there(tmp_path):
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    check_folder(tmp_path / "a" / "c" / "d")
    assert not (tmp_path / "a" / "c").exists()
    check_folder(Path("relative"))


def test_a_folder_that_may_not_be_written_to_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # tests may run as root
    for way in (make_folder, check_folder):
        with pytest.raises(WriteError, match=f"^{tmp_path}: cannot be written: Permission denied$"):
            way(tmp_path)


def test_a_link_that_leads_nowhere_is_no_folder(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with pytest.raises(WriteError, match="link/a: cannot be written"):
        check_folder(tmp_path / "link" / "a")


def test_what_is_not_made_by_the_lock_stays(tmp_path):
    (tmp_path / ".lock").write_text("mine")
    with pytest.raises(WriteError, match="is not empty, so it is not a lock"), held(tmp_path):
        pass
    assert (tmp_path / ".lock").read_text() == "mine"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/me/data/mine.txt", "mine.txt"),
        ("--config=/home/me/a.yaml", "--config=a.yaml"),
        ("/home/me/x.txt: not a file", "x.txt: not a file"),
        ("path '/home/me/x.txt', line 3", "path 'x.txt', line 3"),
        ("from file:///home/me/x.txt", "from x.txt"),
        ("Beauty.txt from the mirror /mnt/data", "Beauty.txt from the mirror data"),
        ("https://example.org/a/b.txt", "https://example.org/a/b.txt"),
        ("results/runs/beauty", "results/runs/beauty"),
        ("~/data/x.txt, and/or 1/2", "~/data/x.txt, and/or 1/2"),
        ("cuda: 3 / 4", "cuda: 3 / 4"),
        (f"{ROOT}/workflow/config/quick.yaml", "workflow/config/quick.yaml"),
        ("/x", "x"),
        ("", ""),
    ],
)
def test_a_text_that_is_given_on_names_no_folder_of_the_machine(text, expected):
    assert without_folders(text) == expected


def test_words_of_a_command_may_have_blanks():
    words = ["--config=/home/my folder/a.yaml", "/home/my folder/b", "--set", "a=1", "sees /x/y"]
    assert shared_words(words) == ["--config=a.yaml", "b", "--set", "a=1", "sees y"]


def test_paths_below_the_working_directory_keep_what_is_below(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert short(tmp_path / "my results" / "a.json") == "my results/a.json"
    assert short(tmp_path.parent / "x y.txt") == "x y.txt"
    assert short("../there/x.txt") == "../there/x.txt"
