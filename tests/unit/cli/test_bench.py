"""`elcrec bench` as it is typed: what is printed, written and refused."""

import json

import pytest

from elcrec.jobs.environment import command
from tests.unit.bench.bench_command import bench


def test_models_are_measured_printed_and_written(tiny, tmp_path, capsys):
    path = tmp_path / "bench.json"
    models = ["--model", "elcrec", "--model", "popularity"]
    assert bench(tiny, *models, "--epochs", "1", "--profile", "--json", str(path)) == 0
    record = json.loads(path.read_text())
    assert (record["format"], record["kind"]) == (2, "models")
    elcrec, popularity = record["models"]
    for key in ("step", "epoch", "evaluation"):
        spread = elcrec["seconds"][key]
        assert 0 < spread["min"] <= spread["median"] <= spread["max"]
    assert len(elcrec["rounds"]["step"]) == 2
    assert elcrec["epoch_is"] == "measured"
    assert elcrec["steps_per_epoch"] == 2  # 120 users, batches of 64
    assert elcrec["peak_memory"]["resident_bytes"] > 10**8
    assert elcrec["settings"]["parameters"]["intents"] == 8
    assert {"commit", "versions", "device", "threads"} <= set(elcrec["environment"])
    assert elcrec["environment"]["command"] == record["command"] == command()
    assert popularity["seconds"]["step"] is None
    assert popularity["profile"] is None
    printed = capsys.readouterr().out
    assert "s per step" in printed
    assert "aten::" in printed
    assert "Popularity: takes no training steps" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--repeats", "0"], "--repeats 0: must be 1 or more"),
        (["--json", "/"], "/: cannot be written: it exists and is not a file"),
        (["--model", "gpt"], "unknown model 'gpt'"),
        (["--set", "nothing=1"], "--set nothing=1: unknown key; allowed: "),
        (["--dataset", "toys"], "not there yet; make it with: elcrec data fetch"),
        (["--against", "nowhere"], "--against nowhere: no such folder; clone github.com"),
        (["--peer", "recbole", "--model", "caser"], "has no version of caser; allowed: sasrec, "),
        (["--against", ".", "--model", "elcrec", "--model", "sasrec"], "takes one --model, not 2"),
        (["--scale", "--dataset", "toys"], "--scale: takes one --dataset, not 2"),
        (["--scale", "--scale-from", "nothing.json"], "nothing.json: cannot be read"),
        (["--suite", "--model", "gpt"], "unknown model 'gpt'"),
        (["--suite", "--profile"], "--profile: cannot be combined with --suite"),
        (["--serve", "--profile"], "--profile: cannot be combined with --serve"),
        (["--serve", "--model", "gpt"], "unknown model 'gpt'"),
        (["--scale", "--scale-budget", "0"], "must be more than 0"),
    ],
)
def test_wrong_arguments_are_one_line_and_status_2(tiny, capsys, arguments, message):
    assert bench(tiny, *arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_data_sets_are_measured_one_after_the_other(tiny, capsys):
    models = ["--model", "popularity", "--epochs", "0"]
    assert bench(tiny, "--dataset", "tiny", *models) == 0
    assert capsys.readouterr().out.count("| Popularity | tiny ") == 2


def test_one_that_fails_leaves_the_others_and_fails_the_command(tiny, tmp_path, capsys):
    model = tmp_path / "large.yaml"
    model.write_text("module: elcrec.models.elcrec\nparameters: {intents: 5000}\n")
    models = ["--model", str(model), "--model", "popularity", "--epochs", "0"]
    assert bench(tiny, *models) == 2
    printed = capsys.readouterr().out
    assert "Not measured: large on tiny: " in printed
    assert "| Popularity | tiny " in printed


def test_a_suite_is_measured_printed_and_written(tiny, tmp_path, capsys):
    path = tmp_path / "suite.json"
    models = ["--model", "popularity", "--model", "elcrec"]
    chosen = ["--dataset", "toys", *models, "--json", str(path)]
    assert bench(tiny, "--suite", *chosen) == 0
    record = json.loads(path.read_text())
    assert record["kind"] == "suite"
    popularity, elcrec = record["models"][:2]
    assert popularity["run"]["epochs_most"] == 1
    assert elcrec["run"]["most"] > elcrec["run"]["epochs_most"] * elcrec["run"]["epoch"] > 0
    # Toys is not prepared
    assert "make it with: elcrec data fetch" in record["models"][2]["not_run"]
    assert record["total"]["missing"] == 2
    printed = capsys.readouterr().out
    assert printed.startswith("| model ")
    assert "All 4 runs (2 seeds" in printed


def test_a_refusal_of_the_measuring_process_is_one_line(tiny, capsys):
    assert bench(tiny, "--set", "intents=5000") == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("elcrec: elcrec: ")
    assert "intents: 5000 clusters need at least as many users" in error


def test_without_recbole_it_is_said_where_it_would_be(tiny, capsys, monkeypatch):
    monkeypatch.setattr("elcrec.bench.recbole.find_spec", lambda name: None)
    assert bench(tiny, "--peer", "recbole", "--model", "sasrec") == 2
    assert ".venv-parity" in capsys.readouterr().err
