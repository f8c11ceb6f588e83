"""A run is found and made again as it was, or refused in one line."""

import pytest
import torch
import yaml

import elcrec
from elcrec.config.config import load_config
from elcrec.errors import InputError
from elcrec.files.weights import WEIGHTS, read_weights, write_weights
from elcrec.inference.run import restore
from tests.unit.inference.conftest import MODELS, folder_of

CPU = torch.device("cpu")


def refusal(config, run) -> str:
    """The line of the refusal."""
    with pytest.raises(InputError) as raised:
        elcrec.load(run, [config])
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_made_again_with_its_weights(finished, model):
    restored = restore(folder_of(finished, model), load_config([finished]), CPU)
    weights = read_weights(folder_of(finished, model) / WEIGHTS)
    state = restored.model.state_dict()
    assert state.keys() == weights.keys()
    assert all(torch.equal(state[name], weights[name]) for name in state)
    assert restored.model.item_size == 42
    assert not restored.model.training
    assert restored.per_user == (model == "bprmf")


def test_random_numbers_of_the_caller_are_left_alone(finished):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    elcrec.load(folder_of(finished, "sasrec"), [finished])
    assert torch.equal(torch.rand(3), expected)


def test_an_unknown_run_names_those_that_there_are(finished):
    line = refusal(finished, "beauty/elcrc/1")
    assert "beauty/elcrc/1: no such run (did you mean 'beauty/elcrec/1'?)" in line
    kept = ["elcrec/1", "elcrec/2", "iclrec/1", "iclrec/2", "iclrec/3", "sasrec/1", "sasrec_ce/1"]
    assert line.endswith("with weights: " + ", ".join(f"beauty/{run}" for run in kept))


def test_the_home_folder_and_devices(finished, monkeypatch):
    monkeypatch.setenv("HOME", str(finished.parent))
    run = f"~/{folder_of(finished, 'sasrec').relative_to(finished.parent)}"
    assert elcrec.load(run, [f"~/{finished.name}"]).run.name == "SASRec"
    assert "must be a path" in refusal(finished, "~nobody-of-this-name/x")
    with pytest.raises(InputError, match="--device mps: must be auto, cpu, cuda or cuda:N"):
        elcrec.load(run, [finished], device="mps")


def test_without_any_record_that_is_said(finished, tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump({"recorded": str(tmp_path / "none")}))
    said = refusal(own, tmp_path / "nothing")
    assert "a recorded one with weights: there is none" in said


@pytest.mark.parametrize(
    ("left", "said"),
    [
        ({}, "not yet run"),
        ({"checkpoints/epoch-00001.ckpt": ""}, "started, but not finished"),
        ({"failed.txt": "the loss is not finite\n"}, "failed: the loss is not finite"),
    ],
)
def test_a_run_that_has_not_finished_says_what_became_of_it(finished, tmp_path, left, said):
    for name, text in left.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    line = refusal(finished, tmp_path)
    assert line.startswith(f"{tmp_path}: holds no finished run (")
    assert said in line


def test_weights_of_another_model_are_refused(runs):
    folder = folder_of(runs, "sasrec")
    weights = read_weights(folder_of(runs, "mine") / WEIGHTS)
    write_weights(folder / WEIGHTS, weights)
    assert "do not tell how many items" in refusal(runs, folder)
    own = read_weights(folder_of(runs, "elcrec") / WEIGHTS)
    write_weights(folder / WEIGHTS, own)
    assert "does not fit SASRec: " in refusal(runs, folder)


def test_a_broken_config_names_the_key(runs):
    path = folder_of(runs, "sasrec") / "config.yaml"
    path.write_text(path.read_text().replace("module:", "modules:"))
    assert f"{path}: top level: the key 'module' is missing" in refusal(runs, path.parent)


def test_a_module_that_has_moved_is_that_of_the_present_model(runs):
    path = folder_of(runs, "sasrec") / "config.yaml"
    before = elcrec.load(path.parent, [runs]).score([[1, 2]])
    path.write_text(path.read_text().replace("baselines.sasrec", "baselines.former"))
    assert (elcrec.load(path.parent, [runs]).score([[1, 2]]) == before).all()


def test_a_model_of_ones_own_is_imported_from_its_file(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert elcrec.load(folder_of(runs, "mine"), [runs]).run.name == "Mine"
    path = folder_of(runs, "mine") / "config.yaml"
    moved = runs.parent / "elsewhere.py"
    path.write_text(path.read_text().replace("mine.py", "elsewhere.py"))
    assert "cannot import" in refusal(runs, path.parent)
    assert moved.name in refusal(runs, path.parent)
