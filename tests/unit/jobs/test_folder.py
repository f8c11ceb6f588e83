"""The run folder: whole, atomic, reproducible."""

import json
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from baselines import sasrec
from elcrec import usage
from elcrec.cli.main import main
from elcrec.errors import InputError
from elcrec.evaluation.metrics import summarise
from elcrec.files.lock import held
from elcrec.jobs import checkpoints, folder
from elcrec.jobs.progress import Progress
from elcrec.runs.record import load_run


def train(config, *extra, model="elcrec"):
    arguments = ["train", "--dataset", "tiny", "--model", model, "--config", str(config)]
    return main([*arguments, "--device", "cpu", *extra])


def test_train_writes_a_whole_folder(tiny, tmp_path, capsys):
    assert train(tiny, "--seed", "3") == 0
    folder = tmp_path / "results" / "runs" / "tiny" / "elcrec" / "3"
    names = {p.name for p in folder.iterdir()}
    expected = {"metrics.json", "ranks.npz", "history.csv", "config.yaml", "environment.json"}
    assert names == expected | {"weights.safetensors", "intents.npz", "top.npz"}
    metrics = json.loads((folder / "metrics.json").read_text())
    with np.load(folder / "ranks.npz") as ranks:
        assert summarise(ranks["test"]) == metrics["metrics"]["test"]
    assert len(pd.read_csv(folder / "history.csv")) == metrics["epochs"] == 2
    resolved = yaml.safe_load((folder / "config.yaml").read_text())
    assert resolved["parameters"]["intents"] == 8
    assert resolved["seed"] == 3
    environment = json.loads((folder / "environment.json").read_text())
    assert environment["versions"]["torch"] == torch.__version__
    assert metrics["peak_memory"]["resident_bytes"] > 10**8
    assert metrics["seconds"]["kmeans"] > 0
    assert load_run(folder).model == "elcrec"
    assert capsys.readouterr().err == ""  # quiet when not on a terminal


def test_same_seed_same_metrics_same_ranks(tiny, tmp_path):
    for name in ("a", "b"):
        assert train(tiny, "--output", str(tmp_path / name), model="iclrec") == 0
    a, b = (json.loads((tmp_path / n / "metrics.json").read_text()) for n in ("a", "b"))
    assert a["metrics"] == b["metrics"]
    with np.load(tmp_path / "a/ranks.npz") as x, np.load(tmp_path / "b/ranks.npz") as y:
        np.testing.assert_array_equal(x["test"], y["test"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seed", "-1"], "--seed -1: must be from 0 to 2147483647"),
        (["--device", "mps"], "--device mps: must be auto, cpu, cuda or cuda:N"),
        (["--threads", "0"], "--threads: must be an integer from 1 to 1024, got 0"),
        (["--seed", "one"], "--seed: invalid int value: 'one'"),
        (["--set", "nothing=1"], "--set nothing=1: unknown key; allowed: "),
        (["--model", "gpt"], "unknown model 'gpt'"),
        (["--dataset", "toys"], "not there yet; make it with: elcrec data fetch"),
        (["--dataset", "tyos"], "unknown data set 'tyos'"),
        (["--config", "no.yaml"], "no.yaml: no such file"),
    ],
)
def test_wrong_arguments_are_one_line_and_status_2(tiny, tmp_path, capsys, arguments, message):
    assert train(tiny, "--output", str(tmp_path / "out"), *arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_an_interrupted_run_goes_on_from_its_checkpoint(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(checkpoints, "SECONDS_BETWEEN", 0.0)
    longer = ("--set", "max_epochs=4", "--output")
    assert train(tiny, *longer, str(tmp_path / "whole")) == 0
    folder = tmp_path / "interrupted"

    def interrupt(self, row):
        if row["epoch"] == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Progress, "__call__", interrupt)
        assert train(tiny, *longer, str(folder)) == 130
    assert [p.name for p in folder.iterdir()] == ["checkpoints"]
    assert train(tiny, *longer, str(folder)) == 0
    assert not (folder / "checkpoints").exists()
    whole, resumed = (
        json.loads((tmp_path / name / "metrics.json").read_text())
        for name in ("whole", "interrupted")
    )
    assert resumed["resumed_after"] == [2]
    assert whole["resumed_after"] == []
    assert resumed["metrics"] == whole["metrics"]


def test_checkpoints_stay_if_the_configuration_keeps_them(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "SECONDS_BETWEEN", 0.0)
    tiny.write_text(tiny.read_text() + "keep_checkpoints: true\n")
    folder = tmp_path / "run"
    assert train(tiny, "--output", str(folder), model="sasrec") == 0
    assert {p.name for p in (folder / "checkpoints").iterdir()} == {
        "epoch-00001.ckpt",
        "epoch-00002.ckpt",
    }
    first = json.loads((folder / "metrics.json").read_text())
    again = ("--output", str(folder), "--force")
    assert train(tiny, *again, model="sasrec") == 0  # nothing left to train
    again = json.loads((folder / "metrics.json").read_text())
    assert again["resumed_after"] == [2]
    assert again["metrics"] == first["metrics"]


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 10 bytes"),
    ],
    ids=["GPU", "CPU"],
)
def test_out_of_memory_in_training_says_which_setting_to_change(
    tiny, tmp_path, monkeypatch, capsys, error
):
    def loss(*arguments):
        raise error

    monkeypatch.setattr(sasrec.Model, "loss", loss)
    folder = tmp_path / "run"
    assert train(tiny, "--output", str(folder), model="sasrec") == 2
    told = capsys.readouterr().err
    assert "out of memory: make training.batch_size smaller (now 64)" in told
    assert told.count("\n") == 1
    assert (folder / "failed.txt").read_text() in told


def test_targets_that_the_user_had_before(tiny, tmp_path, capsys):
    """Some: a line that says what becomes of them; all of them: refused, but for `repeats`."""
    prepared = tmp_path / "data" / "tiny" / "sequences.txt"
    (prepared.parent / "statistics.json").unlink()  # of what stood there
    new, repeated = "{0} 1 2 3 4 5\n", "{0} 1 2 1 2 1\n"
    prepared.write_text("".join((repeated if u < 3 else new).format(u) for u in range(10)))
    for model, fate in (("sasrec", "`paper` these items score 0"), ("sasrec_ce", "`strict` these")):
        assert train(tiny, "--output", str(tmp_path / model), model=model) == 0
        (line,) = capsys.readouterr().err.splitlines()
        assert "3 valid and 3 test targets of 10 users already occur in the user's own his" in line
        assert f"under the protocol {fate}" in line
    record = json.loads((tmp_path / "sasrec_ce" / "metrics.json").read_text())
    assert record["metrics"]["test"]["HR@5"] == 0.7  # all but the three
    prepared.write_text("".join(repeated.format(u) for u in range(10)))
    output = ("--output", str(tmp_path / "all"))
    assert train(tiny, *output, model="sasrec_ce") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("elcrec: SASRec-CE on tiny: 10 valid and 10 test targets of 10 users")
    assert "`protocol: repeats` lets them compete" in line
    assert [p.name for p in (tmp_path / "all").iterdir()] == ["failed.txt"]
    tiny.write_text(tiny.read_text() + "protocol: repeats\n")
    assert train(tiny, *output, model="sasrec_ce") == 0
    record = json.loads((tmp_path / "all" / "metrics.json").read_text())
    assert record["protocol"] == record["ranked_by"] == "repeats"
    assert record["metrics"]["test"]["HR@5"] == 1.0  # there are two items


def test_nothing_in_a_run_names_a_folder_of_the_machine(tiny, tmp_path, monkeypatch):
    words = ["--dataset", "tiny", "--model", "elcrec", "--config", str(tiny)]
    words += ["--device", "cpu", "--output", str(tmp_path / "my runs" / "a")]
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "bin" / "elcrec"), "train", *words])
    assert main(["train", *words]) == 0
    folder.write_failure(tmp_path / "my runs" / "b", InputError(f"{tmp_path}/x.txt: damaged"))
    files = [*(tmp_path / "my runs").rglob("*.*"), *(tmp_path / "data").rglob("*.*")]
    assert len(files) > 10
    for path in files:
        assert str(tmp_path).encode() not in path.read_bytes(), path
    made = json.loads((tmp_path / "my runs" / "a" / "environment.json").read_text())
    assert made["command"] == [
        *("elcrec", "train", "--dataset", "tiny", "--model", "elcrec", "--config", "tiny.yaml"),
        *("--device", "cpu", "--output", "a"),
    ]
    assert (tmp_path / "my runs" / "b" / "failed.txt").read_text() == "elcrec: x.txt: damaged\n"


def test_windows_that_do_not_fit_are_refused_before_memory_is_taken(
    tiny, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(
        usage.psutil, "virtual_memory", lambda: SimpleNamespace(available=0, total=0)
    )
    folder = tmp_path / "run"
    assert train(tiny, "--output", str(folder), "--set", "max_length=3000") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "out of memory (attention among 3,000 positions of 120 windows needs 22 GB, but " in line
    assert "training.batch_size smaller (now 64), or max_length (now 3000; the longest" in line
    assert "longest history has 17 items)" in line
    assert train(tiny, "--output", str(folder), "--set", "max_length=100000", model="sasrec") == 2
    assert "(the mask of 100,000 positions needs 20 GB, but " in capsys.readouterr().err
    # Where the padding is cut, memory follows the histories.
    assert train(tiny, "--output", str(folder), "--set", "max_length=3000", model="sasrec") == 0


def test_other_settings_do_not_take_up_a_checkpoint(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(checkpoints, "SECONDS_BETWEEN", 0.0)
    output = ("--output", str(tmp_path / "run"))
    with monkeypatch.context() as patched:
        patched.setattr(folder, "write", lambda *arguments: None)
        assert train(tiny, *output) == 0
    assert train(tiny, *output, "--set", "alpha=2") == 2
    held = (
        "holds an unfinished run with other settings, data or code; name another folder, or replace"
    )
    assert held in capsys.readouterr().err
    assert not (tmp_path / "run" / "failed.txt").exists()
    assert train(tiny, *output, "--set", "alpha=2", "--force") == 0
    assert "has other settings, data or code; ignored" in capsys.readouterr().err
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["resumed_after"] == []


@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ for the native kernels")
def test_native_kernels_are_recorded(tiny, tmp_path):
    for name in ("plain", "native"):
        assert train(tiny, "--kernels", name, "--output", str(tmp_path / name)) == 0
    plain, native = (
        json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("plain", "native")
    )
    assert plain["kernels"] == "plain"
    assert native["kernels"].startswith("native ")
    assert native["fingerprint"] == plain["fingerprint"]
    assert native["metrics"] != plain["metrics"]  # other dropout masks


def test_overrides_need_a_folder_of_their_own(tiny, tmp_path, capsys):
    assert train(tiny, "--set", "max_epochs=1") == 2
    assert "--set: needs --output FOLDER" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_a_gpu_that_is_not_there_is_said(tiny, capsys):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    assert train(tiny, "--device", "cuda") == 2
    assert "PyTorch sees no GPU here; use --device cpu" in capsys.readouterr().err


def test_more_clusters_than_users_is_one_line(tiny, tmp_path, capsys):
    assert train(tiny, "--set", "intents=5000", "--output", str(tmp_path / "out")) == 2
    assert "intents: 5000 clusters need at least as many users" in capsys.readouterr().err


def test_measure_counts_epochs_after_a_warm_up(tiny, tmp_path):
    path = tmp_path / "iclrec.json"
    arguments = ["measure", "--dataset", "tiny", "--model", "iclrec", "--config", str(tiny)]
    assert main([*arguments, "--epochs", "2", "--output", str(path), "--device", "cpu"]) == 0
    record = json.loads(path.read_text())
    assert record["epochs_measured"] == 2
    seconds = record["seconds_per_epoch"]
    assert seconds["kmeans"]["min"] > 0
    assert seconds["total"]["median"] >= seconds["training"]["median"]
    assert main([*arguments, "--epochs", "0", "--output", str(path)]) == 2


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_finished_run_is_not_trained_again(tiny, tmp_path, capsys, monkeypatch):
    assert train(tiny, model="popularity") == 0
    folder = tmp_path / "results" / "runs" / "tiny" / "popularity" / "1"
    before, made = content(folder), (folder / "metrics.json").stat().st_mtime_ns
    (folder / "checkpoints").mkdir()  # of a process that was killed at the very end
    (folder / "checkpoints" / "epoch-00001.ckpt").touch()
    (folder / ".lock").touch()
    capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr("elcrec.jobs.folder.execute", None)
        assert train(tiny, model="popularity") == 0
    said = capsys.readouterr().out
    assert "already finished; --force trains it again" in said
    assert str(folder) in said
    assert content(folder) == before
    assert train(tiny, "--force", model="popularity") == 0
    assert content(folder)["ranks.npz"] == before["ranks.npz"]
    assert (folder / "metrics.json").stat().st_mtime_ns > made


def test_a_finished_run_is_told_while_another_process_has_the_folder(tiny, tmp_path, capsys):
    folder = tmp_path / "run"
    assert train(tiny, "--output", str(folder), model="popularity") == 0
    with held(folder):
        assert train(tiny, "--output", str(folder), model="popularity") == 0
    captured = capsys.readouterr()
    assert "already finished" in captured.out
    assert captured.err == ""


def test_a_run_of_which_a_file_is_gone_is_trained_again(tiny, tmp_path):
    folder = tmp_path / "run"
    output = ("--output", str(folder))
    for name in ("ranks.npz", "weights.safetensors"):
        assert train(tiny, *output, model="popularity") == 0
        (folder / name).unlink()
    assert train(tiny, *output, model="popularity") == 0
    load_run(folder)
    assert (folder / "weights.safetensors").exists()


@pytest.mark.parametrize(
    ("other", "model"), [((), "itemknn"), (("--seed", "2"), "popularity")], ids=["model", "seed"]
)
def test_a_run_does_not_replace_another(tiny, tmp_path, capsys, other, model):
    output = ("--output", str(tmp_path / "run"))
    assert train(tiny, *output, model="popularity") == 0
    before = content(tmp_path / "run")
    capsys.readouterr()
    assert train(tiny, *output, *other, model=model) == 2
    assert capsys.readouterr().err == (
        f"elcrec: {tmp_path / 'run'}: holds a finished run with other settings, data or code: "
        "popularity on tiny, seed 1; name another folder, or replace it with --force\n"
    )
    assert content(tmp_path / "run") == before
    assert train(tiny, *output, *other, "--force", model=model) == 0
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["model"] == model


@pytest.mark.parametrize(
    "names",
    [
        ["config.yaml", "environment.json"],
        ["weights.safetensors"],
        ["metrics.json", "ranks.npz"],
        ["ranks.npz", "config.yaml"],
        ["intents.npz"],
        ["top.npz"],
        ["failed.txt"],
    ],
)
def test_files_of_the_users_own_stay(tiny, tmp_path, capsys, monkeypatch, names):
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in names:
        (folder / name).write_text("mine")
    before = content(folder)
    monkeypatch.chdir(folder)
    assert train(tiny, "--output", ".", model="popularity") == 2
    error = capsys.readouterr().err
    assert error.startswith("elcrec: .: holds ")
    assert set(names) == set(error.split("holds ")[1].split(", but")[0].split(", "))
    assert error.endswith("but no complete run; name another folder, or replace it with --force\n")
    assert content(folder) == before
    assert train(tiny, "--output", ".", "--force", model="popularity") == 0
    load_run(folder)
