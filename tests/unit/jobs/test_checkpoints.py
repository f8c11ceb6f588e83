"""Checkpoints: whole or refused, the one before used, never code."""

import errno
import hashlib
import os
import pickle

import pytest
import torch

from elcrec.errors import InputError
from elcrec.jobs.checkpoints import FORMAT, Checkpoints


@pytest.fixture
def checkpoints(tmp_path):
    made = Checkpoints(tmp_path / "checkpoints", "identity")
    for epoch in (1, 2, 3):
        made.save(epoch, {"epoch": epoch, "weights": torch.arange(5) * epoch})
    return made


def names(checkpoints):
    return sorted(p.name for p in checkpoints.folder.iterdir())


def test_the_newest_is_read_and_two_are_kept(checkpoints):
    assert names(checkpoints) == ["epoch-00002.ckpt", "epoch-00003.ckpt"]
    state = checkpoints.load()
    assert state["epoch"] == 3
    assert state["weights"].tolist() == [0, 3, 6, 9, 12]


def test_there_is_none_before_the_first(tmp_path):
    assert Checkpoints(tmp_path / "none", "identity").load() is None


def damaged_versions(content):
    middle = len(content) // 2
    yield "empty", b""
    yield "cut short", content[:middle]
    yield "one byte missing", content[:-1]
    yield "one bit wrong", content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    yield "longer", content + b"x"
    yield "zeros", bytes(len(content))
    yield "no header", content.partition(b"\n")[2]
    yield "other format", content.replace(FORMAT.encode(), b"something-else-0001", 1)
    yield "not ascii", b"\xff\xfe" + content


@pytest.mark.parametrize("number", range(9))
def test_a_damaged_one_is_named_and_the_one_before_is_read(checkpoints, capsys, number):
    newest = checkpoints.folder / "epoch-00003.ckpt"
    _, content = list(damaged_versions(newest.read_bytes()))[number]
    newest.write_bytes(content)
    assert checkpoints.load()["epoch"] == 2
    error = capsys.readouterr().err
    assert "epoch-00003.ckpt: damaged" in error
    assert error.count("\n") == 1
    assert names(checkpoints) == ["epoch-00002.ckpt", "epoch-00003.damaged"]


def test_two_damaged_ones_start_anew(checkpoints):
    for path in checkpoints.folder.glob("*.ckpt"):
        path.write_bytes(b"nothing")
    assert checkpoints.load() is None


def test_one_of_another_run_is_left_out(checkpoints, capsys):
    other = Checkpoints(checkpoints.folder, "another")
    assert other.load() is None
    assert "has other settings, data or code" in capsys.readouterr().err
    assert checkpoints.load()["epoch"] == 3


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harm",)


def test_code_in_a_file_is_not_run(checkpoints, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    payload = pickle.dumps(Harmful(), protocol=2)
    header = f"{FORMAT} identity {hashlib.sha256(payload).hexdigest()}\n".encode()
    (checkpoints.folder / "epoch-00004.ckpt").write_bytes(header + payload)
    assert checkpoints.load()["epoch"] == 3
    assert not (tmp_path / "harm").exists()


def test_a_full_disk_is_one_line_and_older_ones_are_kept(checkpoints, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"epoch-00004\.ckpt: cannot be written: No space left"):
        checkpoints.save(4, {"epoch": 4})
    assert names(checkpoints) == ["epoch-00002.ckpt", "epoch-00003.ckpt"]
    assert checkpoints.load()["epoch"] == 3


def test_removed_when_the_run_is_recorded(checkpoints):
    (checkpoints.folder / "epoch-00003.damaged").write_text("")
    Checkpoints.remove(checkpoints.folder)
    assert not checkpoints.folder.exists()
    Checkpoints.remove(checkpoints.folder)  # nothing left to remove


def test_files_of_the_user_stay(checkpoints):
    own = [checkpoints.folder / name for name in ("epoch-10.pth", "epoch-7.ckpt", "notes.txt")]
    for path in own:
        path.write_text("mine")
    Checkpoints.remove(checkpoints.folder)
    assert sorted(checkpoints.folder.iterdir()) == sorted(own)


def test_short_epochs_are_not_all_written(tmp_path):
    assert not Checkpoints(tmp_path, "identity", seconds_between=60).due()
    assert Checkpoints(tmp_path, "identity", seconds_between=0).due()
