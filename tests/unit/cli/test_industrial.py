"""`elcrec industrial`: refusals are one line."""

import pytest

from tests.unit.industrial.conftest import command
from tests.unit.industrial.logs import configuration, ml100k


@pytest.fixture
def config(tmp_path):
    return configuration(tmp_path, "ml-100k", ml100k(tmp_path))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["prepare", "--dataset", "min"], ["--dataset", "'min'", "did you mean 'mine'", "known"]),
        (["train", "--dataset", "mine", "--model", "mmo"], ["--model", "did you mean 'mmoe'"]),
        (["train", "--dataset", "mine", "--model", "mmoe"], ["table.npz", "not there yet"]),
        (["train", "--dataset", "mine", "--model", "mmoe", "--seed", "-1"], ["--seed -1: must be"]),
        (["train", "--dataset", "mine", "--model", "mmoe", "--threads", "-1"], ["--threads: must"]),
        (["train", "--dataset", "mine", "--model", "mmoe", "--device", "mps"], ["--device mps"]),
        (["report"], ["table.npz", "elcrec industrial prepare --dataset mine"]),
    ],
)
def test_refusals(config, words, said, capsys):
    assert command(*words, config=config) == 2
    error = capsys.readouterr().err.strip()
    assert "\n" not in error
    assert all(word in error for word in said)


def test_recorded_runs_are_refused(config, capsys):
    config.write_text(config.read_text() + "runs: recorded\n")
    assert command("report", config=config) == 2
    assert "must be trained for industrial runs" in capsys.readouterr().err
    assert command("prepare", "--dataset", "mine", config=config) == 0  # genres for a study's table


def test_a_file_that_cannot_be_had_is_one_line(config, tmp_path, capsys):
    (tmp_path / "ml-100k.user").unlink()
    assert command("prepare", "--dataset", "mine", config=config) == 2
    assert "ml-100k.user: no such file" in capsys.readouterr().err
