"""What may not be recorded, and that nothing is written then."""

import json

import numpy as np
import pytest

from elcrec.cli.main import main
from tests.recording import MACHINE, add, edit, files_of, refused_to_add, run_folder, runs_csv


def test_uncommitted_changes_are_refused(runs, capsys):
    edit(run_folder(runs) / "metrics.json", dirty=True)
    assert "uncommitted changes; a recorded run needs" in refused_to_add(runs, capsys)


def test_other_code_is_refused(runs, capsys):
    edit(run_folder(runs) / "metrics.json", fingerprint="0" * 16)
    assert "was made by other code than the present" in refused_to_add(runs, capsys)


def test_other_settings_are_refused(runs, capsys):
    edit(run_folder(runs) / "metrics.json", settings="0" * 16)
    line = refused_to_add(runs, capsys)
    assert "settings of workflow/config/config.yaml" in line


def test_another_protocol_is_refused(runs, capsys):
    edit(run_folder(runs) / "metrics.json", protocol="strict")
    assert "protocol is 'strict'; allowed: paper" in refused_to_add(runs, capsys)


def test_a_training_that_stopped_before_its_end_is_refused(runs, capsys):
    folder = run_folder(runs)
    edit(folder / "metrics.json", epochs=1, best_epoch=1)
    lines = (folder / "history.csv").read_text().splitlines()[:2]
    (folder / "history.csv").write_text("\n".join(lines) + "\n")
    line = refused_to_add(runs, capsys)
    assert "stopped after epoch 1" in line
    assert "the protocol ends after 2 epochs" in line


def test_ranks_that_do_not_give_the_metrics_are_refused(runs, capsys):
    path = run_folder(runs) / "ranks.npz"
    ranks = dict(np.load(path))
    ranks["test"] = ranks["test"] + 5
    np.savez_compressed(path, **ranks)
    assert "but ranks.npz gives" in refused_to_add(runs, capsys)


def test_a_record_without_what_recording_needs_is_refused(runs, capsys):
    path = run_folder(runs) / "environment.json"
    content = json.loads(path.read_text())
    del content["python"]
    path.write_text(json.dumps(content))
    assert "environment.json: python is ''; allowed: a text" in refused_to_add(runs, capsys)


@pytest.mark.parametrize("name", ["..", "Mine", "a b", ".hidden", "a/../../b"])
def test_a_name_that_is_none_of_a_machine_is_refused(runs, name, capsys):
    before = files_of(runs.parent)
    assert add(runs, name) == 2
    assert "small letters, digits, dots and dashes" in capsys.readouterr().err
    assert files_of(runs.parent) == before


def test_nothing_to_record_is_said(runs, tmp_path, capsys):
    arguments = ["--config", str(runs), "--runs", str(tmp_path / "nothing")]
    assert main(["recorded", "add", MACHINE, *arguments]) == 2
    assert "has no run, measurement or check of weights to record" in capsys.readouterr().err


def test_runs_of_other_histories_are_refused(runs, capsys):
    edit(run_folder(runs) / "metrics.json", data="0" * 16)
    assert "was trained on other histories than" in refused_to_add(runs, capsys)


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("environment.json", {"memory_bytes": "24 GB"}, "memory_bytes is '24 GB'"),
        ("environment.json", {"versions": []}, "versions is '[]'; allowed: an object"),
        ("metrics.json", {"kernels": "fast"}, "kernels: must be plain, or native"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_is_written(runs, file, change, words, capsys):
    edit(run_folder(runs) / file, **change)
    assert words in refused_to_add(runs, capsys)


def test_a_damaged_record_is_refused_before_anything_is_written(runs, capsys):
    assert add(runs) == 0
    runs_csv(runs).write_text("dataset\n")
    edit(run_folder(runs) / "metrics.json", peak_memory=None)
    before = files_of(runs_csv(runs).parent)
    assert add(runs) == 2
    assert files_of(runs_csv(runs).parent) == before
