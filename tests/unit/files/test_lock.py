"""A folder is held by one process at a time, and by nobody when that one is gone."""

import errno
import fcntl
import subprocess
import sys
import textwrap

import pytest

from elcrec.errors import WriteError
from elcrec.files.lock import LOCK, HeldError, held


def holder(folder, seconds):
    """A process that holds the folder so long; it does when this returns."""
    program = f"""
        import pathlib, time
        from elcrec.files.lock import held
        with held(pathlib.Path({str(folder)!r})):
            print("held", flush=True)
            time.sleep({seconds})
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_folder_is_made_held_and_left_as_it_was(tmp_path):
    folder = tmp_path / "runs" / "one"
    with held(folder) as others:
        assert not others
        assert [path.name for path in folder.iterdir()] == [LOCK]
        refused = pytest.raises(HeldError, match=f"{folder}: another process brings it")
        with refused, held(folder, wait=False, does="brings it"):
            pass
        assert [path.name for path in folder.iterdir()] == [LOCK]
    assert list(folder.iterdir()) == []


def test_it_is_free_again_after_an_error(tmp_path):
    with pytest.raises(ValueError, match="mine"), held(tmp_path):
        raise ValueError("mine")
    with held(tmp_path, wait=False) as others:
        assert not others


def test_another_process_is_waited_for(tmp_path, capsys):
    process = holder(tmp_path, seconds=0.5)
    with held(tmp_path) as others:
        assert others
        assert process.wait(10) == 0
        assert [path.name for path in tmp_path.iterdir()] == [LOCK]
    said = capsys.readouterr().err
    assert said == f"elcrec: {tmp_path}: waiting; another process trains it\n"
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_holds_nothing(tmp_path, capsys):
    process = holder(tmp_path, seconds=60)
    process.kill()
    process.wait()
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]  # left behind, of nobody
    with held(tmp_path, wait=False) as others:
        assert not others
    assert capsys.readouterr().err == ""
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    file = tmp_path / "file"
    file.touch()
    for folder in (file, file / "below"):
        refused = pytest.raises(WriteError, match=rf"{folder}/\.lock: cannot be written: ")
        with refused, held(folder):
            pass


def test_a_file_system_without_locks_is_said_and_does_not_stop_the_work(
    tmp_path, capsys, monkeypatch
):
    for number in (errno.ENOLCK, errno.ENOSYS):

        def refuse(*arguments, number=number):
            raise OSError(number, "none here")

        monkeypatch.setattr(fcntl, "flock", refuse)
        with held(tmp_path) as others:
            assert not others
        said = capsys.readouterr().err
        assert said == f"elcrec: {tmp_path / LOCK}: cannot be locked (none here)\n"
        assert list(tmp_path.iterdir()) == []
