"""Recorded runs are read as they were, and tables come out the same."""

import csv
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml

from elcrec.cli.main import main, make_parser
from elcrec.config.config import FROM_RECORDED, load_config
from elcrec.evaluation.metrics import summarise
from elcrec.files.npzfile import read_arrays
from elcrec.recorded.write import FEW, system
from elcrec.runs.reading import Runs
from elcrec.runs.record import load_run
from elcrec.runs.snapshots import snapshots
from tests.recording import (
    add,
    edit,
    edit_settings,
    files_of,
    machine_of,
    recorded_config,
    recorded_folder,
    run_folder,
)


def test_tables_of_recorded_runs_are_those_of_the_trained_ones(runs):
    assert add(runs) == 0
    own = recorded_config(runs)
    for config in (runs, own):
        for table in ("accuracy", "verdict", "activity"):
            assert main(["table", table, "--config", str(config)]) == 0
    tables = files_of(runs.parent / "results" / "tables")
    again = files_of(runs.parent / "results" / FROM_RECORDED / "tables")
    assert tables == again
    assert len(tables) == 16


def test_records_come_back_as_they_were_but_for_paths(runs):
    assert add(runs) == 0
    below, machine = runs.parent / "results", machine_of(runs)
    for place in ("runs/tiny/elcrec/1", "runs/tiny/popularity/1", "sensitivity/tiny/alpha-0.1/1"):
        before, after = below / place, machine / place
        metrics = [json.loads((f / "metrics.json").read_text()) for f in (before, after)]
        assert metrics[0] == metrics[1]
        made = [json.loads((f / "environment.json").read_text()) for f in (before, after)]
        accepted = make_parser().parse_args(made[1]["command"][1:])
        assert (accepted.model, accepted.seed) == (metrics[0]["model"], metrics[0]["seed"])
        assert str(runs.parent) not in json.dumps(made[1])
        rest = [{k: v for k, v in e.items() if k not in ("command", "system")} for e in made]
        assert rest[1] == rest[0]
        settings = [yaml.safe_load((f / "config.yaml").read_text()) for f in (before, after)]
        assert settings[0] == settings[1]
        ranks = [np.load(f / "ranks.npz") for f in (before, after)]
        for split in ("valid", "test"):
            np.testing.assert_array_equal(ranks[0][split], ranks[1][split])
            assert ranks[1][split].dtype == np.uint8  # of 40 items
        assert not (after / "weights.pt").exists()
    assert (machine / "runs/tiny/elcrec/1/intents.npz").exists()
    assert not (machine / "sensitivity/tiny/alpha-0.1/1/intents.npz").exists()


def test_runs_of_a_study_keep_the_clusters_of_all_users(runs):
    content = yaml.safe_load(runs.read_text())
    figures = content["figures"] | {"study": ["elcrec"], "intents_of": "popularity"}
    runs.write_text(yaml.safe_dump(content | {"figures": figures}))
    assert add(runs) == 0
    before, after = (snapshots(load_run(f)) for f in (run_folder(runs), recorded_folder(runs)))
    np.testing.assert_array_equal(before.all_assigned, after.all_assigned)
    stored = read_arrays(recorded_folder(runs) / "intents.npz")["all_assigned"]
    assert (stored.dtype, after.all_assigned.dtype) == (np.uint8, np.int64)
    assert len(after.users) == after.embeddings.shape[1] == FEW < len(before.users)
    assert not (machine_of(runs) / "sensitivity/tiny/alpha-0.1/1/intents.npz").exists()
    assert add(runs) == 0  # the same runs again
    for config in (runs, recorded_config(runs)):
        assert main(["table", "study", "--config", str(config)]) == 0
    tables = (runs.parent / "results" / p / "tables" / "study.csv" for p in (".", FROM_RECORDED))
    pd.testing.assert_frame_equal(*map(pd.read_csv, tables), rtol=1e-6)


def test_a_history_keeps_the_digits_of_single_precision(runs):
    assert add(runs) == 0
    folders = (run_folder(runs), recorded_folder(runs))
    before, after = (list(csv.DictReader((f / "history.csv").open())) for f in folders)
    assert [list(row) for row in before] == [list(row) for row in after]
    for row, other in zip(before, after, strict=True):
        for key, text in row.items():
            if text:
                assert float(other[key]) == pytest.approx(float(text), rel=5e-7)


def test_adding_again_changes_no_file_and_other_runs_stay(runs):
    assert add(runs) == 0
    before = files_of(machine_of(runs))
    assert add(runs) == 0
    assert files_of(machine_of(runs)) == before
    for file in run_folder(runs).iterdir():
        file.unlink()
    assert add(runs) == 0  # ELCRec's run is no longer there, but is recorded
    assert files_of(machine_of(runs)) == before


def test_the_readme_of_the_machine_names_runs_commands_and_device(runs):
    assert add(runs) == 0
    text = (machine_of(runs) / "README.md").read_text()
    assert "a CPU: no GPU was used" in text
    assert "elcrec train --dataset tiny --model elcrec --seed 1 --threads" in text
    assert "--set alpha=0.1 --output results/sensitivity/tiny/alpha-0.1/1" in text
    assert "--config tiny.yaml" in text
    assert "ELCRec (alpha = 0.1)" in text
    assert "c" * 40 in text
    assert str(runs.parent) not in text


def test_recorded_runs_of_older_code_are_shown_and_of_other_settings_refused(runs, capsys):
    edit(run_folder(runs) / "metrics.json", fingerprint="0" * 16)
    assert add(runs) == 0
    own = recorded_config(runs)
    assert main(["table", "verdict", "--config", str(own)]) == 0
    edit(recorded_folder(runs) / "metrics.json", settings="0" * 16)
    assert main(["table", "verdict", "--config", str(own)]) == 2
    assert "not made with the current settings" in capsys.readouterr().err


def test_a_missing_file_of_a_recorded_run_is_named(runs, capsys):
    assert add(runs) == 0
    (recorded_folder(runs) / "history.csv").unlink()
    assert main(["table", "accuracy", "--config", str(recorded_config(runs))]) == 2
    assert "tiny/elcrec/1/history.csv: is missing or empty" in capsys.readouterr().err


def test_an_empty_record_is_said(runs, capsys):
    assert main(["table", "accuracy", "--config", str(recorded_config(runs))]) == 2
    assert "has no recorded runs" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "measure", "try"])
def test_nothing_is_trained_with_a_configuration_of_recorded_runs(runs, command, capsys):
    arguments = ["--dataset", "tiny", "--model", "elcrec", "--config", str(recorded_config(runs))]
    arguments += {"measure": ["--output", "x"], "try": ["--output", "x", "--point", "1"]}.get(
        command, []
    )
    assert main([command, *arguments]) == 2
    assert "runs: must be trained, got recorded" in capsys.readouterr().err


def test_weights_that_a_run_starts_from_are_recorded_without_their_folder(runs):
    folder = run_folder(runs)
    start = {"file": "/x/results/weights.pt", "sha256": "a" * 64}
    edit(folder / "metrics.json", start=start)
    edit_settings(folder / "config.yaml", start=start)
    assert add(runs) == 0
    recorded = recorded_folder(runs)
    short = start | {"file": "weights.pt"}
    assert json.loads((recorded / "metrics.json").read_text())["start"] == short
    assert yaml.safe_load((recorded / "config.yaml").read_text())["start"] == short


def test_what_a_gpu_has_is_recorded_too(runs):
    memory = {"resident_bytes": 5, "cuda_allocated_bytes": 7 * 2**20, "cuda_reserved_bytes": 9}
    edit(run_folder(runs) / "metrics.json", peak_memory=memory)
    edit(run_folder(runs) / "environment.json", driver="580.1", cuda="13.0")
    assert add(runs) == 0
    run = Runs(load_config([recorded_config(runs)])).run("tiny", "elcrec", 1)
    assert run.peak_memory.cuda_allocated == 7 * 2**20
    text = (machine_of(runs) / "README.md").read_text()
    assert "(driver 580.1, CUDA 13.0)" in text
    assert "--model elcrec --seed 1 --config" in text  # no number of threads


ONE_MORE = """
import sys
from elcrec.evaluation import metrics
metrics.METRICS += ("Half@20",)
metrics.FAMILIES["Half"] = lambda ranks, k: (ranks < k) / 2.0
from elcrec.config.config import load_config
from elcrec.runs.reading import Runs
print(Runs(load_config(sys.argv[1:])).run("tiny", "elcrec", 1).metrics["test"]["Half@20"])
"""


def test_a_record_from_before_a_metric_has_it_too(runs):
    assert add(runs) == 0
    command = [sys.executable, "-c", ONE_MORE, str(recorded_config(runs))]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    ranks = np.load(recorded_folder(runs) / "ranks.npz")["test"]
    assert float(done.stdout) == pytest.approx(summarise(ranks)["HR@20"] / 2)


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("Linux-6.8.0-31-generic-x86_64-with-glibc2.39", "Linux-x86_64-with-glibc2.39"),
        ("Linux-5.15.0-1040-x-aarch64-with-glibc2.35", "Linux-aarch64-with-glibc2.35"),
        ("macOS-15.1-arm64-arm-64bit", "macOS-arm64-arm-64bit"),
        ("else", "else"),
    ],
)
def test_a_system_is_recorded_without_its_kernel(platform, expected):
    assert system(platform) == expected
