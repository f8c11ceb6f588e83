"""Unpacking: which runs, from which machine, and what is left alone."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import elcrec.recorded.check
from elcrec.cli.main import main
from elcrec.config.config import load_config
from elcrec.recorded.machine import Machine
from elcrec.recorded.unpack import choose, made_files, unpack
from tests.recording import add, edit, machine_of, recorded_config, run_folder, runs_csv


def test_a_missing_file_of_a_run_is_named(runs, capsys):
    assert add(runs) == 0
    (runs_csv(runs).parent / "history" / "tiny-elcrec-1.csv").unlink()
    assert main(["recorded", "unpack", "--config", str(recorded_config(runs))]) == 2
    assert "history/tiny-elcrec-1.csv: cannot be read" in capsys.readouterr().err


def test_trained_runs_are_not_unpacked_over(runs, capsys):
    assert add(runs) == 0
    assert main(["recorded", "unpack", "--config", str(runs)]) == 2
    assert "to unpack it must be recorded" in capsys.readouterr().err


def test_an_empty_record_is_said(runs, capsys):
    assert main(["recorded", "unpack", "--config", str(recorded_config(runs))]) == 2
    assert "has no recorded runs" in capsys.readouterr().err


def test_runs_that_are_no_longer_recorded_go_and_nothing_else(runs):
    assert add(runs) == 0
    config = load_config([recorded_config(runs)])
    unpack(config)
    foreign = config.output / "runs" / "tiny" / "sasrec" / "1" / "metrics.json"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("{}")
    machine = machine_of(runs)
    machine.write_runs(r for r in machine.runs().values() if r.key[1] == "popularity")
    unpack(config)
    assert not config.run_folder("tiny", "elcrec", 1).exists()
    assert config.run_folder("tiny", "popularity", 1).exists()
    assert foreign.exists()


def machines_of(config: Path) -> dict[tuple[str, str], str]:
    """Machine that a run is taken from, by model and variant."""
    found = choose(load_config([recorded_config(config)]))
    return {(c.run.key[1], c.run.key[2]): c.machine.folder.name for c in found}


def test_of_two_machines_one_gives_all_seeds_of_a_model(runs):
    assert add(runs, "b-gpu") == 0
    assert add(runs, "a-cpu") == 0
    assert set(machines_of(runs).values()) == {"a-cpu"}
    record = load_config([runs]).recorded
    gpu = Machine(record, "b-gpu")
    changed = [
        replace(run, environment=run.environment | {"cuda": "13.0"}) if run.variant else run
        for run in gpu.runs().values()
    ]
    elcrec = gpu.runs()["tiny", "elcrec", "", 1]
    gpu.write_runs([*changed, replace(elcrec, metrics=elcrec.metrics | {"seed": 2})])
    content = yaml.safe_load(runs.read_text()) | {"seeds": [1, 2]}
    runs.write_text(yaml.safe_dump(content))
    assert machines_of(runs) == {
        ("popularity", ""): "a-cpu",  # as many runs of it: the first by name
        ("elcrec", ""): "b-gpu",  # two seeds
        ("elcrec", "alpha-0.1"): "b-gpu",  # on a GPU
    }


@pytest.mark.parametrize("command", ["train", "measure", "try"])
def test_nothing_is_trained_with_a_configuration_of_recorded_runs(runs, command, capsys):
    arguments = ["--dataset", "tiny", "--model", "elcrec", "--config", str(recorded_config(runs))]
    arguments += {"measure": ["--output", "x"], "try": ["--output", "x", "--point", "1"]}.get(
        command, []
    )
    assert main([command, *arguments]) == 2
    assert "runs: is recorded; to train it must be trained" in capsys.readouterr().err


def test_the_files_that_the_workflow_expects_are_those_that_are_written(runs):
    assert add(runs) == 0
    config = load_config([recorded_config(runs)])
    unpack(config)
    written = {p for p in config.output.rglob("*") if p.is_file()}
    extra = {"intents.npz", "unpacked.txt"}
    assert {p for p in written if p.name not in extra} == set(made_files(config))


def test_recorded_runs_of_older_code_are_shown_and_of_other_settings_refused(runs, capsys):
    edit(run_folder(runs) / "metrics.json", fingerprint="0" * 16)
    own = recorded_config(runs)
    with pytest.MonkeyPatch.context() as patch:  # as if that code had been the present one
        patch.setattr(elcrec.recorded.check, "other_than", lambda made, present: None)
        assert add(runs) == 0
    unpack(load_config([own]))
    assert main(["table", "verdict", "--config", str(own)]) == 0
    path = load_config([own]).run_folder("tiny", "elcrec", 1) / "metrics.json"
    edit(path, settings="0" * 16)
    assert main(["table", "verdict", "--config", str(own)]) == 2
    assert "other settings made" in capsys.readouterr().err
