"""Recorded runs come back as they were, and tables with them."""

import csv
import json

import numpy as np
import pytest
import yaml

import elcrec.recorded.check
from elcrec.cli.main import main, make_parser
from elcrec.config.config import FROM_RECORDED, load_config
from elcrec.recorded.row import from_folder, system
from elcrec.recorded.unpack import unpack
from tests.recording import add, edit, files_of, recorded_config, run_folder, runs_csv


def test_tables_of_recorded_runs_are_those_of_the_trained_ones(runs):
    assert add(runs) == 0
    own = recorded_config(runs)
    assert main(["recorded", "unpack", "--config", str(own)]) == 0
    for config in (runs, own):
        for table in ("accuracy", "verdict", "activity"):
            assert main(["table", table, "--config", str(config)]) == 0
    tables = files_of(runs.parent / "results" / "tables")
    again = files_of(runs.parent / "results" / FROM_RECORDED / "tables")
    assert tables == again
    assert len(tables) == 12


def test_records_come_back_as_they_were_but_for_paths(runs):
    assert add(runs) == 0
    unpack(load_config([recorded_config(runs)]))
    below = runs.parent / "results"
    for place in ("runs/tiny/elcrec/1", "runs/tiny/popularity/1", "sensitivity/tiny/alpha-0.1/1"):
        before, after = below / place, below / FROM_RECORDED / place
        metrics = [json.loads((f / "metrics.json").read_text()) for f in (before, after)]
        assert metrics[0] == metrics[1]
        made = [json.loads((f / "environment.json").read_text()) for f in (before, after)]
        accepted = make_parser().parse_args(made[1]["command"][1:])
        assert (accepted.model, accepted.seed) == (metrics[0]["model"], metrics[0]["seed"])
        assert str(runs.parent) not in json.dumps(made[1])
        rest = [{k: v for k, v in e.items() if k not in ("command", "system")} for e in made]
        shared = ("commit", "dirty", "device")  # of metrics.json, which a test has made clean
        assert rest[1] == rest[0] | {key: metrics[0][key] for key in shared}
        settings = [yaml.safe_load((f / "config.yaml").read_text()) for f in (before, after)]
        assert settings[0] == settings[1]
        ranks = [np.load(f / "ranks.npz") for f in (before, after)]
        for split in ("valid", "test"):
            np.testing.assert_array_equal(ranks[0][split], ranks[1][split])
            assert ranks[1][split].dtype == np.int32
    assert (below / FROM_RECORDED / "runs/tiny/elcrec/1/intents.npz").exists()
    assert not (below / FROM_RECORDED / "sensitivity/tiny/alpha-0.1/1/intents.npz").exists()


def test_a_history_keeps_the_digits_of_single_precision(runs):
    assert add(runs) == 0
    unpack(load_config([recorded_config(runs)]))
    place = "runs/tiny/elcrec/1/history.csv"
    below = runs.parent / "results"
    before, after = (list(csv.DictReader((below / p / place).open())) for p in ("", FROM_RECORDED))
    assert [list(row) for row in before] == [list(row) for row in after]
    for row, other in zip(before, after, strict=True):
        for key, text in row.items():
            if text:
                assert float(other[key]) == pytest.approx(float(text), rel=5e-7)


def test_adding_again_changes_no_file_and_other_runs_stay(runs):
    assert add(runs) == 0
    before = files_of(runs_csv(runs).parent)
    assert add(runs) == 0
    assert files_of(runs_csv(runs).parent) == before
    for file in run_folder(runs).iterdir():
        file.unlink()
    assert add(runs) == 0  # ELCRec's run is no longer there, but is recorded
    assert files_of(runs_csv(runs).parent) == before


def test_the_readme_of_the_machine_names_runs_commands_and_device(runs):
    assert add(runs) == 0
    text = (runs_csv(runs).parent / "README.md").read_text()
    assert "a processor: no GPU was used" in text
    assert "elcrec train --dataset tiny --model elcrec --seed 1 --threads" in text
    assert "--set alpha=0.1 --output results/sensitivity/tiny/alpha-0.1/1" in text
    assert "ELCRec (alpha = 0.1)" in text
    assert "c" * 40 in text
    assert str(runs.parent) not in text


def test_what_is_recorded_does_not_bar_the_way_when_the_code_changes(runs, capsys):
    assert add(runs) == 0
    before = files_of(runs_csv(runs).parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elcrec.recorded.check, "other_than", lambda made, present: "code")
        assert add(runs) == 0
    assert files_of(runs_csv(runs).parent) == before


def test_weights_that_a_run_starts_from_are_recorded_without_their_folder(runs):
    folder = run_folder(runs)
    start = {"file": "/x/results/weights.pt", "sha256": "a" * 64}
    edit(folder / "metrics.json", start=start)
    run = from_folder(folder)
    assert run.metrics["start"] == run.config["start"] == start | {"file": "weights.pt"}


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
