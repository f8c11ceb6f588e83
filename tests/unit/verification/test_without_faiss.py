"""Without faiss, which only k-means needs: one line from every command, never a traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from elcrec import ROOT
from elcrec.config.config import load_config
from elcrec.data.histories import InteractionData
from elcrec.runs.settings import resolve
from elcrec.verification.tensor_names import to_released

GOLDEN = sorted((Path(__file__).parents[2] / "golden").glob("tiny_*.npz"))
MODELS = ("iclrec", "elcrec")
RUN_ALL = """
import contextlib, io, json, sys, traceback
from elcrec.cli.main import main
said = []
for words in json.load(sys.stdin):
    with contextlib.redirect_stderr(io.StringIO()) as error, contextlib.redirect_stdout(error):
        try:
            status = main(words)
        except Exception:
            status = traceback.format_exc()
    said.append((status, error.getvalue()))
json.dump(said, sys.stdout)
"""
LINE = "elcrec: faiss is missing: pip install faiss-cpu (with a GPU faiss-gpu)\n"


@pytest.fixture
def without_faiss(tmp_path):
    """Exit status (or traceback) and output of each command, in one process that has no faiss."""
    (tmp_path / "faiss.py").write_text("raise ModuleNotFoundError('No faiss', name='faiss')\n")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])

    def call(commands):
        done = subprocess.run(
            [sys.executable, "-c", RUN_ALL],
            env=os.environ | {"PYTHONPATH": path},
            input=json.dumps(commands),
            capture_output=True,
            check=True,
            text=True,
        )
        return json.loads(done.stdout)

    return call


@pytest.fixture
def weights(tiny, tmp_path):
    """Files of weights under the authors' names."""
    data = InteractionData.read(load_config([tiny]).prepared_file("tiny"), torch.device("cpu"))
    for model in MODELS:
        built = resolve(load_config([tiny]), model, "tiny").build(data.n_users, data.item_size)
        torch.save(to_released(built.state_dict()), tmp_path / f"{model}.pt")
    return tmp_path


@pytest.mark.parametrize("model", MODELS)
def test_every_training_says_so_in_one_line(tiny, tmp_path, without_faiss, model):
    run = ["--dataset", "tiny", "--model", model, "--config", str(tiny)]
    folder, file = str(tmp_path / "out"), str(tmp_path / "out.json")
    train = ["train", *run, "--quiet", "--output", folder]
    commands = [train, ["measure", *run, "--output", file]]
    assert without_faiss(commands) == [[2, LINE]] * len(commands)


def test_a_plan_and_a_benchmark_go_on_and_list_what_failed(tiny, tmp_path, without_faiss):
    plan = tmp_path / "plan.yaml"
    plan.write_text(yaml.safe_dump([{"models": ["iclrec", "popularity"], "seeds": [1]}]))
    models = ["--dataset", "tiny", "--model", "iclrec", "--model", "sasrec"]
    config = ["--config", str(tiny)]
    batch, bench = without_faiss([["batch", str(plan), *config], ["bench", *models, *config]])
    assert batch[0] == 1
    assert "1 runs done" in batch[1]
    assert "tiny iclrec seed 1: ModuleNotFoundError: No faiss\n" in batch[1]
    assert bench[0] == 2
    assert "bench: iclrec: ModuleNotFoundError: No faiss\n" in bench[1]
    assert "| SASRec" in bench[1]


def test_what_does_not_need_it_goes_on(tiny, tmp_path, weights, without_faiss):
    config = ["--config", str(tiny)]
    train = ["train", "--dataset", "tiny", *config, "--quiet", "--model", "sasrec"]
    commands = [
        [*train, "--set", "max_epochs=1", "--output", str(tmp_path / "run")],
        ["verify", "golden", *map(str, GOLDEN)],
        ["figure", "diagnostics", *config],
        ["report", *config],
    ]
    for model in MODELS:
        released = ["--weights", str(weights / f"{model}.pt"), *config]
        commands.append(["verify", "released", "--dataset", "tiny", *released])
    said = without_faiss(commands)
    assert [status for status, _ in said] == [0] * len(commands), said
