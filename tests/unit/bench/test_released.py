"""`elcrec bench --against`, with a tiny checkout that has the entry points of the released code."""

import json
import subprocess
import sys

import pytest

from elcrec.bench.released import commit, options
from elcrec.bench.released_side import Released
from elcrec.bench.side import Process
from elcrec.config.config import load_config
from elcrec.runs.settings import resolve
from tests.unit.bench.bench_checkout import write_checkout
from tests.unit.bench.bench_command import bench


@pytest.fixture
def folder(tmp_path):
    return write_checkout(tmp_path / "released")


def test_the_released_code_is_measured_in_turn(tiny, folder, tmp_path, capsys):
    path = tmp_path / "against.json"
    assert bench(tiny, "--against", str(folder), "--json", str(path)) == 0
    record = json.loads(path.read_text())
    assert record["kind"] == "against"
    assert record["peer"]["options"]["num_intent_clusters"] == "8"
    assert record["peer"]["options"]["tao"] == 0.2  # a default of its main.py
    assert record["peer"]["users"] == record["here"]["users"] == 120
    assert record["peer"]["steps_per_epoch"] == record["here"]["steps_per_epoch"]
    assert record["ratio"].keys() == {"step", "epoch", "evaluation"}
    assert record["ratio"]["step"]["min"] > 0
    printed = capsys.readouterr().out
    assert "times as long" in printed
    assert "a folder without git" in printed
    assert not {"trainers", "models", "data_augmentation"} & set(sys.modules)


def test_the_earlier_commit_is_driven_too(tmp_path):
    folder = write_checkout(tmp_path / "released", "global loaders")
    (tmp_path / "data.txt").write_text("a 1 2 3 4 5\nb 2 3 4 5 6\nc 3 4 5 6 1\n")
    build = {"options": {"batch_size": 2}, "device": "cpu", "threads": 1}
    with Process("released code", Released) as driver:
        about = driver.ask(
            "build", source=str(folder / "src"), data=str(tmp_path / "data.txt"), **build
        )
        assert (about["users"], about["items"], about["steps_per_epoch"]) == (3, 6, 2)
        assert driver.ask("start", steps=1) >= 0
        assert driver.ask("round", steps=1)["step"] > 0
        assert driver.ask("epoch") > 0


def test_the_commit_says_whether_files_differ(folder):
    def git(*words):
        subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)

    assert commit(folder) is None
    git("init")
    git("add", ".")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-m", "all")
    clean = commit(folder)
    assert len(clean) == 40
    (folder / "src" / "modules.py").write_text("pass\n")
    assert commit(folder) == f"{clean}+"


def test_other_code_is_refused(tiny, folder, capsys):
    (folder / "src" / "trainers.py").write_text("class Other:\n    pass\n")
    assert bench(tiny, "--against", str(folder)) == 2
    error = capsys.readouterr().err
    assert "AttributeError: module 'trainers' has no attribute 'ELCRecTrainer'" in error


def test_a_missing_file_is_named(tiny, folder, capsys):
    (folder / "src" / "modules.py").unlink()
    assert bench(tiny, "--against", str(folder)) == 2
    assert "has no src/modules.py" in capsys.readouterr().err


def test_a_missing_module_is_named(tiny, folder, capsys):
    path = folder / "src" / "models.py"
    path.write_text("import a_module_of_nobody\n" + path.read_text())
    assert bench(tiny, "--against", str(folder)) == 2
    error = capsys.readouterr().err
    assert "released code: ModuleNotFoundError: No module named 'a_module_of_nobody'" in error


def test_only_elcrec_is_compared(tiny, folder, capsys):
    assert bench(tiny, "--against", str(folder), "--model", "sasrec") == 2
    assert "the released code is ELCRec, not SASRec" in capsys.readouterr().err


def test_their_options_are_the_published_ones():
    found = options(resolve(load_config(), "elcrec", "beauty").as_dict())
    assert found["num_hidden_layers"] == 1
    assert found["num_intent_clusters"] == "256"
    assert (found["trade_off"], found["prototype"]) == (10.0, "shift")
    assert (found["cf_weight"], found["intent_cf_weight"]) == (0.1, 0.1)
