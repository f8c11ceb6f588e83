"""A stamp says commit and clean tree where git is not at hand."""

import subprocess

import pytest

from elcrec.errors import InputError
from elcrec.jobs import environment, stamp


@pytest.fixture
def project(tmp_path, monkeypatch):
    for module in (environment, stamp):
        monkeypatch.setattr(module, "ROOT", tmp_path)
        monkeypatch.setattr(module, "STAMP", tmp_path / ".stamp.json")
    (tmp_path / "a.py").write_text("a = 1\n")
    (tmp_path / ".gitignore").write_text(".stamp.json\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, *["-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "x"])
    return tmp_path


def git(folder, *words):
    subprocess.run(["git", "-C", str(folder), *words], check=True)


def without_git(project):
    (project / ".git").rename(project / "git")


def test_a_stamp_stands_for_git(project):
    head, dirty = environment.commit()
    assert not dirty
    assert f"2 files of {head}" in environment.stamp()
    assert environment.commit() == (head, False)  # git goes before it, and does not see it
    without_git(project)
    assert environment.commit() == (head, False)
    (project / "b.py").write_text("b = 2\n")  # not tracked
    assert environment.commit() == (head, False)


@pytest.mark.parametrize("change", [lambda a: a.write_text("a = 2\n"), lambda a: a.unlink()])
def test_changed_files_are_seen(project, change):
    environment.stamp()
    head = environment.commit()[0]
    without_git(project)
    change(project / "a.py")
    assert environment.commit() == (head, True)


@pytest.mark.parametrize("text", ["", "{}", '{"commit": "x", "files": {}}', "[1]"])
def test_a_damaged_stamp_says_nothing(project, text):
    without_git(project)
    (project / ".stamp.json").write_text(text)
    assert environment.commit() == (None, True)


def test_only_a_clean_commit_is_stamped(project):
    (project / "a.py").write_text("a = 2\n")
    with pytest.raises(InputError, match="not committed"):
        environment.stamp()
    without_git(project)
    with pytest.raises(InputError, match="no git here"):
        environment.stamp()
    assert environment.commit() == (None, True)


def test_a_status_that_cannot_be_had_is_no_clean_tree(project):
    head = environment.commit()[0]
    (project / ".git" / "index").write_bytes(b"damaged")
    assert environment.commit() == (head, True)
