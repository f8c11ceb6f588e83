"""Weights are recorded where they are asked for, and a recorded run is loaded by its name."""

import shutil

import numpy as np
import pytest

import elcrec
from elcrec.errors import InputError
from elcrec.files.weights import WEIGHTS, read_weights
from elcrec.runs.lists import TOP
from tests.recording import (
    MACHINE,
    add,
    edit,
    files_of,
    machine_of,
    recorded_folder,
    refused_to_add,
    run_folder,
)


def test_without_being_asked_for_they_are_not_kept(runs):
    assert add(runs) == 0
    assert not list(machine_of(runs).rglob("*.safetensors"))


def test_a_recorded_run_is_loaded_by_its_name(runs):
    assert add(runs, MACHINE, "--weights") == 0
    recorded = elcrec.load("tiny/elcrec/1", [runs])
    own = elcrec.load(run_folder(runs), [runs])
    histories = [[1, 2, 3], [4]]
    assert recorded.recommend(histories, 5) == own.recommend(histories, 5)


def test_one_whose_weights_are_not_kept_says_so_in_a_line(runs):
    assert add(runs) == 0
    with pytest.raises(InputError) as refusal:
        elcrec.load("tiny/elcrec/1", [runs])
    assert f"{recorded_folder(runs) / WEIGHTS}: not kept with this run" in str(refusal.value)
    assert "elcrec train --dataset tiny --model elcrec --seed 1" in str(refusal.value)


def test_the_machine_that_kept_them_is_taken(runs):
    assert add(runs, "a-machine") == 0
    shutil.copytree(machine_of(runs).with_name("a-machine"), machine_of(runs))
    assert add(runs, MACHINE, "--weights") == 0
    assert elcrec.load("tiny/elcrec/1", [runs]).run.name == "ELCRec"


def test_they_are_added_to_a_recorded_run_and_stay_there(runs, capsys):
    assert add(runs) == 0
    before = files_of(machine_of(runs))
    assert add(runs, MACHINE, "--weights") == 0
    after = files_of(machine_of(runs))
    assert before.items() <= after.items()
    assert {name.rpartition("/")[2] for name in after.keys() - before.keys()} == {
        WEIGHTS,
        TOP,
    }
    own, kept = (np.load(f / TOP) for f in (run_folder(runs), recorded_folder(runs)))
    assert all((own[name] == kept[name]).all() for name in ("test", "ahead"))
    capsys.readouterr()
    assert add(runs) == 0
    assert "were recorded already" in capsys.readouterr().out
    assert files_of(machine_of(runs)) == after


def test_they_go_when_another_run_takes_the_place(runs):
    assert add(runs, MACHINE, "--weights") == 0
    edit(run_folder(runs) / "metrics.json", fingerprint="0" * 16)
    assert add(runs, MACHINE, "--replace") == 0
    assert not (recorded_folder(runs) / WEIGHTS).exists()
    assert (recorded_folder(runs, "popularity") / WEIGHTS).exists()


def test_other_weights_than_the_recorded_are_refused(runs, capsys):
    assert add(runs, MACHINE, "--weights") == 0
    shutil.copy(run_folder(runs, "popularity") / WEIGHTS, run_folder(runs) / WEIGHTS)
    assert f"with another {WEIGHTS}" in refused_to_add(runs, capsys, "--weights")


def test_a_run_without_them_is_refused(runs, capsys):
    (run_folder(runs) / WEIGHTS).unlink()
    assert f"{run_folder(runs) / WEIGHTS}: no such file" in refused_to_add(
        runs, capsys, "--weights"
    )


def test_they_are_those_of_the_run(runs):
    assert add(runs, MACHINE, "--weights") == 0
    own, kept = (read_weights(f(runs) / WEIGHTS) for f in (run_folder, recorded_folder))
    assert own.keys() == kept.keys()
    assert all((own[name] == kept[name]).all() for name in own)
