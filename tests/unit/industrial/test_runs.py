"""Run folders: whole, told apart by what decided them, and checked against themselves."""

import json
import shutil

import numpy as np
import pytest
import yaml

from elcrec.config.config import load_config
from elcrec.errors import InputError
from elcrec.files.jsonfile import read_object
from elcrec.files.npzfile import read_arrays, write_arrays
from elcrec.industrial import runs
from tests.unit.industrial.conftest import command


@pytest.fixture
def copy(made, tmp_path):
    """A copy of the finished runs that may be changed; the path of its configuration."""
    shutil.copytree(made.parent, tmp_path / "copy")
    content = yaml.safe_load(made.read_text())
    content |= {key: str(tmp_path / "copy" / key) for key in ("data",)}
    content["output"] = str(tmp_path / "copy" / "results")
    path = tmp_path / "copy" / "industrial.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def metrics_file(path, model="mmoe"):
    return runs.run_folder(load_config([path]), "mine", model, 1) / "metrics.json"


def test_a_folder_has_everything_and_no_checkpoint(finished):
    folder = runs.run_folder(finished, "mine", "mmoe_elcm", 1)
    assert {path.name for path in folder.iterdir()} == {
        *("metrics.json", "predictions.npz", "history.csv", "environment.json"),
        "weights.safetensors",
    }
    record = read_object(folder / "metrics.json")
    assert record["auc"].keys() == {"liked", "loved"}
    assert {"commit", "dirty", "device", "fingerprint", "settings", "data"} <= record.keys()


def test_evidence_has_all_runs(finished):
    (one,) = runs.read_evidence(finished)
    assert {model: len(found) for model, found in one.runs.items()} == {
        **{"single": 2, "mmoe": 2, "mmoe_kmeans": 2, "mmoe_elcm": 2}
    }
    assert [run.record.seed for run in one.runs["mmoe"]] == [1, 2]
    assert one.runs["mmoe"][0].clusters is None
    clusters = one.runs["mmoe_elcm"][0].clusters
    assert clusters is not None
    assert clusters.shape == one.table.activity.shape
    assert set(clusters) <= set(range(4))


def test_a_missing_run_is_left_out(copy):
    shutil.rmtree(metrics_file(copy).parent)
    (one,) = runs.read_evidence(load_config([copy]))
    assert [run.record.seed for run in one.runs["mmoe"]] == [2]


@pytest.mark.parametrize("key", ["settings", "data", "fingerprint"])
def test_a_run_of_other_settings_data_or_code_is_refused(copy, key):
    path = metrics_file(copy)
    path.write_text(json.dumps({**read_object(path), key: "0" * 16}))
    words = rf"metrics\.json: {key} is not the current one; .*--model mmoe --seed 1"
    with pytest.raises(InputError, match=words):
        runs.read_evidence(load_config([copy]))


def test_other_hyper_parameters_make_another_run(finished):
    table = runs.read_table(finished, "mine")
    network = finished.industrial.network.replaced(alpha=7.0)
    other = finished.model_copy(
        update={"industrial": finished.industrial.replaced(network=network)}
    )
    one, two = (runs.decided(config, "mine", "mmoe", table) for config in (finished, other))
    assert one["settings"] != two["settings"]
    assert (one["data"], one["fingerprint"]) == (two["data"], two["fingerprint"])


def test_metrics_that_do_not_follow_from_the_predictions(copy):
    path = metrics_file(copy).parent / "predictions.npz"
    arrays = read_arrays(path)
    write_arrays(path, {"probabilities": arrays["probabilities"][::-1].copy()})
    with pytest.raises(InputError, match=r"auc does not match predictions\.npz"):
        runs.read_evidence(load_config([copy]))


def test_the_origin_of_a_file_is_kept_when_it_is_prepared_again(copy):
    config = load_config([copy])
    record = runs.table_folder(config, "mine") / "sources.json"
    known = {
        name: {**made, "origin": "from far away"} for name, made in read_object(record).items()
    }
    record.write_text(json.dumps(known))
    before = runs.read_table(config, "mine").digest()
    runs.prepare(config, "mine")
    assert read_object(record) == known
    assert runs.read_table(config, "mine").digest() == before


def test_the_same_training_again_gives_the_same_predictions(copy):
    path = metrics_file(copy, "mmoe_elcm").parent / "predictions.npz"
    before = read_arrays(path)["probabilities"]
    words = ("train", "--dataset", "mine", "--model", "mmoe_elcm", "--device", "cpu", "--force")
    assert command(*words, config=copy) == 0
    assert np.array_equal(read_arrays(path)["probabilities"], before)


def test_a_finished_run_is_trained_again_and_another_one_replaced_by_force_alone(copy, capsys):
    words = ("train", "--dataset", "mine", "--model", "mmoe", "--device", "cpu")
    path = metrics_file(copy)
    before = path.read_bytes()
    assert command(*words, config=copy) == 0
    assert "mine mmoe 1: already finished; --force trains it again" in capsys.readouterr().out
    path.write_text(json.dumps({**read_object(path), "settings": "0" * 16}))
    other = path.read_bytes()
    assert command(*words, config=copy) == 2
    said = f"{path.parent}: holds a finished run with other settings, data or code; replace it with"
    assert said in capsys.readouterr().err
    assert path.read_bytes() == other
    (path.parent / "history.csv").unlink()
    assert command(*words, "--force", config=copy) == 0
    again, first = read_object(path), json.loads(before)
    assert (again["settings"], again["auc"]) == (first["settings"], first["auc"])
    (path.parent / "history.csv").unlink()
    assert command(*words, config=copy) == 0  # is not whole, but is its own
    assert (path.parent / "history.csv").exists()
