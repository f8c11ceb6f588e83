"""What may be recorded, and that nothing is written of what may not."""

import errno
import itertools
import json
import os
from pathlib import Path

import numpy as np
import pytest

from tests.recording import (
    MACHINE,
    add,
    edit,
    edit_settings,
    files_of,
    machine_of,
    recorded_folder,
    refused_to_add,
    run_folder,
)


def test_uncommitted_changes_are_refused(runs, capsys):
    edit(run_folder(runs) / "metrics.json", dirty=True)
    assert "uncommitted changes; a recorded run needs" in refused_to_add(runs, capsys)


def test_a_commit_that_is_none_is_refused(runs, capsys):
    edit(run_folder(runs) / "metrics.json", commit="unknown")
    assert "was made from commit 'unknown'; a recorded run needs" in refused_to_add(runs, capsys)


def test_a_run_of_other_code_is_recorded_as_it_is(runs):
    edit(run_folder(runs) / "metrics.json", fingerprint="0" * 16)
    assert add(runs) == 0
    recorded = json.loads((recorded_folder(runs) / "metrics.json").read_text())
    assert recorded["fingerprint"] == "0" * 16


def test_other_settings_are_refused(runs, capsys):
    edit_settings(run_folder(runs) / "config.yaml", parameters={"alpha": 0.3})
    line = refused_to_add(runs, capsys)
    assert "settings of workflow/config/config.yaml, tiny.yaml" in line


def test_the_hash_of_the_settings_is_computed_anew(runs):
    path = run_folder(runs) / "metrics.json"
    right = json.loads(path.read_text())["settings"]
    edit(path, settings="9f8916ba0f979560")  # of an earlier commit, which hashed other things too
    assert add(runs) == 0
    assert json.loads((recorded_folder(runs) / "metrics.json").read_text())["settings"] == right


def test_a_run_that_nobody_asks_for_is_refused(runs, capsys):
    edit(run_folder(runs) / "metrics.json", seed=9)
    edit_settings(run_folder(runs) / "config.yaml", seed=9)
    line = refused_to_add(runs, capsys)
    assert "is not a run of workflow/config/config.yaml, tiny.yaml" in line


@pytest.mark.parametrize("key", ["dataset", "model", "seed", "protocol"])
def test_a_run_whose_files_contradict_each_other_is_refused(runs, key, capsys):
    edit_settings(run_folder(runs) / "config.yaml", **{key: "other"})
    assert f"{key} differs from its config.yaml" in refused_to_add(runs, capsys)


def test_the_record_of_the_replication_takes_the_settings_of_the_replication_alone(runs, capsys):
    text = runs.read_text()
    runs.write_text(text.replace(str(runs.parent / "recorded"), "results/recorded"))
    assert add(runs, "none-such") == 2
    assert "is not a run of workflow/config/config.yaml\n" in capsys.readouterr().err


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
    assert "environment.json: top level: the key 'python' is missing" in refused_to_add(
        runs, capsys
    )


@pytest.mark.parametrize("name", ["..", "Mine", "a b", ".hidden", "a/../../b"])
def test_a_name_that_is_none_of_a_machine_is_refused(runs, name, capsys):
    before = files_of(runs.parent)
    assert add(runs, name) == 2
    assert "lowercase letters, digits, dots and dashes" in capsys.readouterr().err
    assert files_of(runs.parent) == before


def test_nothing_to_record_is_said(runs, tmp_path, capsys):
    assert add(runs, MACHINE, str(tmp_path / "nothing")) == 2
    assert "has no run, measurement or check of weights to record" in capsys.readouterr().err


def test_runs_of_other_histories_are_refused(runs, capsys):
    edit(run_folder(runs) / "metrics.json", data="0" * 16)
    assert "was trained on other histories than" in refused_to_add(runs, capsys)


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        (
            "environment.json",
            {"memory_bytes": "24 GB"},
            "memory_bytes: must be an integer, 0 or more, got '24 GB'",
        ),
        (
            "environment.json",
            {"versions": []},
            "versions: must be a mapping of keys to values, got []",
        ),
        ("metrics.json", {"kernels": "fast"}, "kernels: must be plain, or native"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_is_written(runs, file, change, words, capsys):
    edit(run_folder(runs) / file, **change)
    assert words in refused_to_add(runs, capsys)


def test_a_damaged_record_is_refused_before_anything_is_written(runs, capsys):
    assert add(runs) == 0
    (recorded_folder(runs) / "metrics.json").write_text("{")
    assert "not valid JSON" in refused_to_add(runs, capsys, str(run_folder(runs, "popularity")))


@pytest.mark.parametrize("name", ["metrics.json", "history.csv", "ranks.npz", "environment.json"])
def test_another_run_in_the_place_of_a_recorded_one_is_refused_unless_it_is_to_replace_it(
    runs, name, capsys
):
    assert add(runs) == 0
    folder, before = run_folder(runs), files_of(machine_of(runs))
    if name == "history.csv":
        lines = (folder / name).read_text().replace("\n1,", "\n1.0,", 1).splitlines()
        header = lines[0].split(",")
        last = lines[-1].split(",")
        last[header.index("loss_total")] = "0.5"
        (folder / name).write_text("\n".join([*lines[:-1], ",".join(last)]) + "\n")
    elif name == "ranks.npz":
        ranks = dict(np.load(folder / name))
        ranks["test"] = ranks["test"][::-1]
        np.savez_compressed(folder / name, **ranks)
    elif name == "metrics.json":
        edit(folder / name, device="another")
    else:
        edit(folder / name, cores=99)
    line = refused_to_add(runs, capsys)
    assert f"is recorded in {recorded_folder(runs)} with another {name}; --replace" in line
    assert str(folder) in line
    assert add(runs, MACHINE, str(folder), "--replace") == 0
    changed = {k for k, v in files_of(machine_of(runs)).items() if before.get(k) != v}
    assert f"runs/tiny/elcrec/1/{name}" in changed
    assert not {k for k in changed if "elcrec/1" not in k} - {"README.md"}


@pytest.mark.parametrize("file", [1, 2, 4])
def test_a_disk_that_is_full_when_a_run_is_replaced_leaves_the_recorded_one(
    runs, monkeypatch, capsys, file
):
    assert add(runs) == 0
    folder, written = run_folder(runs), itertools.count(1)
    edit(folder / "metrics.json", device="another")
    write_bytes = Path.write_bytes

    def full(path, content):
        if machine_of(runs) in path.parents and next(written) >= file:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write_bytes(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        line = refused_to_add(runs, capsys, str(folder), "--replace")
    assert "cannot be written: No space left on device" in line
    assert next(written) > file
    assert add(runs, MACHINE, str(folder), "--replace") == 0
    assert json.loads((recorded_folder(runs) / "metrics.json").read_text())["device"] == "another"


def test_the_same_run_trained_again_keeps_its_times_and_gets_its_weights(runs):
    assert add(runs) == 0
    folder, before = run_folder(runs), files_of(machine_of(runs))
    seconds = json.loads((folder / "metrics.json").read_text())["seconds"]
    edit(folder / "metrics.json", seconds=seconds | {"total": 9999.0}, resumed_after=[1])
    edit(folder / "environment.json", host_load=7.5)
    assert add(runs, MACHINE, str(folder)) == 0
    assert files_of(machine_of(runs)) == before
    assert add(runs, MACHINE, str(folder), "--weights") == 0
    after = files_of(machine_of(runs))
    assert {k for k in after if after[k] != before.get(k)} <= {
        "runs/tiny/elcrec/1/weights.safetensors",
        "runs/tiny/elcrec/1/top.npz",
    }
    assert "runs/tiny/elcrec/1/weights.safetensors" in after
    assert add(runs, MACHINE, str(folder), "--weights", "--replace") == 0
    recorded = json.loads((recorded_folder(runs) / "metrics.json").read_text())
    assert recorded["seconds"]["total"] == 9999.0


def test_single_folders_are_recorded_one_by_one(runs, capsys):
    sensitivity = runs.parent / "results" / "sensitivity" / "tiny" / "alpha-0.1" / "1"
    elsewhere = sensitivity.rename(runs.parent / "a run")  # whose place does not say what it is
    assert add(runs, MACHINE, str(elsewhere), str(run_folder(runs))) == 0
    told = capsys.readouterr().out
    assert "tiny-elcrec-1: HR@5 " in told
    assert "tiny-elcrec-alpha-0.1-1: HR@5 " in told
    assert "2 runs recorded" in told
    assert (machine_of(runs) / "sensitivity/tiny/alpha-0.1/1/metrics.json").exists()


def test_a_run_that_is_given_twice_is_refused(runs, capsys):
    line = refused_to_add(runs, capsys, str(run_folder(runs)), str(runs.parent / "results"))
    assert "runs/tiny/elcrec/1: is the same run as " in line


def test_a_finished_run_without_a_metric_is_recorded_with_it(runs):
    path = run_folder(runs) / "metrics.json"
    whole = json.loads(path.read_text())["metrics"]
    edit(path, metrics={**whole, "test": {"HR@5": whole["test"]["HR@5"]}})
    assert add(runs) == 0
    assert json.loads((recorded_folder(runs) / "metrics.json").read_text())["metrics"] == whole
