"""No space left: one line that names the file, nothing half-written, and the run goes on later."""

import errno
import itertools
import os
import pathlib
import subprocess
import sys
import tempfile

import pytest

from elcrec import ROOT
from elcrec.cli.main import main
from elcrec.jobs import checkpoints
from tests.faults.processes import assert_clean, assert_nothing_half_written, command, contents

FEW = ("--set", "max_epochs=3", "patience=0", "max_length=10", "dimension=8")
CALLS = ((tempfile, "mkstemp"), (os, "fsync"), (os, "replace"), (pathlib.Path, "write_bytes"))


@pytest.fixture
def every_epoch(monkeypatch):
    monkeypatch.setattr(checkpoints, "SECONDS_BETWEEN", 0.0)


def fails_from(monkeypatch, number):
    """Every call that writes fails, from the given one on; returns how many there were."""
    calls = itertools.count(1)
    count = [0]

    def failing(function):
        def wrapped(*arguments, **options):
            count[0] = next(calls)
            if count[0] >= number:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return function(*arguments, **options)

        return wrapped

    for place, name in CALLS:
        monkeypatch.setattr(place, name, failing(getattr(place, name)))
    return count


def test_a_disk_that_fills_up_at_any_moment(tiny, tmp_path, monkeypatch, capsys, every_epoch):
    assert main(command(tiny, "elcrec", tmp_path / "whole", *FEW)) == 0
    expected = contents(tmp_path / "whole")
    for number in itertools.count(1):
        folder = tmp_path / str(number)
        capsys.readouterr()
        with monkeypatch.context() as patched:
            fails_from(patched, number)
            status = main(command(tiny, "elcrec", folder, *FEW))
        if status == 0:
            break  # it has not so many calls
        error = capsys.readouterr().err
        assert status == 2
        assert error.count("\n") == 1
        assert f"{folder}" in error
        assert "No space left on device" in error
        assert not (folder / "metrics.json").exists()
        assert_nothing_half_written(folder)
        assert main(command(tiny, "elcrec", folder, *FEW)) == 0
        assert contents(folder) == expected
        assert_clean(folder)
    assert number > 15
    print(f"survived a full disk from each of {number - 1} calls on")


@pytest.mark.parametrize("kilobytes", [1, 100])
def test_a_limit_of_the_system_on_files(tiny, tmp_path, kilobytes):
    """The real thing: the kernel refuses to write on, in the middle of a file."""
    arguments = command(tiny, "elcrec", tmp_path / "run", "--set", "max_epochs=2")
    limited = ["bash", "-c", f'ulimit -f {kilobytes}; exec "$@"', "-", sys.executable, "-m"]
    done = subprocess.run(
        [*limited, "elcrec", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 2
    assert done.stderr.startswith("elcrec: ")
    assert done.stderr.count("\n") == 1
    assert "cannot be written: File too large" in done.stderr
    assert not (tmp_path / "run" / "metrics.json").exists()
    assert main(arguments) == 0
    assert_clean(tmp_path / "run")


def test_a_table_that_cannot_be_written_leaves_the_old_one(tiny, tmp_path, monkeypatch, capsys):
    for model in ("popularity", "elcrec"):
        train = command(tiny, model, tmp_path / "results" / "runs" / "tiny" / model / "1")
        assert main(train) == 0
    accuracy = ["table", "accuracy", "--config", str(tiny)]
    assert main(accuracy) == 0
    tables = tmp_path / "results" / "tables"
    before = {path.name: path.read_bytes() for path in tables.iterdir()}
    with monkeypatch.context() as patched:
        fails_from(patched, 1)
        assert main(accuracy) == 2
    error = capsys.readouterr().err
    assert "table1.csv: cannot be written: No space left on device" in error
    assert error.count("\n") == 1
    assert {path.name: path.read_bytes() for path in tables.iterdir()} == before
