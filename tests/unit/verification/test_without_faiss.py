"""Without faiss, which only k-means needs: one line from every command, never a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from elcrec.config.config import load_config
from elcrec.config.model_file import MODEL_FOLDER
from elcrec.data.histories import InteractionData
from elcrec.runs.settings import resolve
from elcrec.verification.tensor_names import to_released

GOLDEN = sorted((Path(__file__).parents[2] / "golden").glob("tiny_*.npz"))
MODELS = ("iclrec", "elcrec")
RUN_ALL = """
import contextlib, io, json, sys, traceback
sys.modules["faiss"] = None  # its import raises ModuleNotFoundError
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


def without_faiss(commands):
    """Exit status (or traceback) and output of each command, in one process that has no faiss."""
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL],
        input=json.dumps(commands),
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


@pytest.fixture
def weights(tiny, tmp_path):
    """Files of weights under the authors' names."""
    data = InteractionData.read(load_config([tiny]).prepared_file("tiny"), torch.device("cpu"))
    for model in MODELS:
        built = resolve(load_config([tiny]), model, "tiny").build(data.n_users, data.item_size)
        torch.save(to_released(built.state_dict()), tmp_path / f"{model}.pt")
    return tmp_path


def test_every_command_that_needs_it_says_so_in_the_line_of_a_training(tiny, weights):
    out = str(weights / "out.json")
    config = ["--config", str(tiny)]
    plan = weights / "plan.yaml"
    plan.write_text(yaml.safe_dump([{"datasets": ["tiny"], "models": ["iclrec"], "seeds": [1]}]))
    commands = []
    for model in MODELS:
        run = ["--dataset", "tiny", "--model", model, *config]
        commands += [
            (model, ["train", *run, "--quiet", "--output", out]),
            (model, ["measure", *run, "--output", out]),
        ]
    run = ["--dataset", "tiny", "--model", "iclrec", *config]
    released = ["--dataset", "tiny", "--weights", str(weights / "iclrec.pt"), *config]
    commands += [
        ("iclrec", ["bench", *run]),
        ("iclrec", ["try", *run, "--point", "1", "--output", out]),
        ("iclrec", ["batch", str(plan), *config]),
        ("iclrec", ["verify", "released", *released]),
        ("iclrec", ["verify", "golden", *map(str, GOLDEN)]),
        *(("iclrec", ["verify", "golden", str(file)]) for file in GOLDEN),
    ]
    said = without_faiss([words for _, words in commands])
    pairs = zip(commands, said, strict=True)
    lines = {model: line for (model, words), (_, line) in pairs if words[0] == "train"}
    # ICLRec clusters in every epoch and is refused before; ELCRec only to begin with.
    assert lines["iclrec"].startswith(f"elcrec: {MODEL_FOLDER / 'iclrec'}.yaml: ")
    assert lines["elcrec"].startswith("elcrec: k-means: ")
    for line in lines.values():
        assert "import of faiss" in line
        assert line.count("\n") == 1
    assert said == [[2, lines[model]] for model, _ in commands]


def test_what_does_not_need_it_goes_on(tiny, tmp_path, weights):
    config = ["--config", str(tiny)]
    of_elcrec = [
        [
            "verify",
            "released",
            "--dataset",
            "tiny",
            "--weights",
            str(weights / "elcrec.pt"),
            *config,
        ],
        ["figure", "diagnostics", *config],
        ["report", *config],
    ]
    train = ["train", "--dataset", "tiny", "--config", str(tiny), "--quiet", "--model", "sasrec"]
    train += ["--set", "max_epochs=1", "--output", str(tmp_path / "run")]
    fetch = ["verify", "fetch", "--file", "none.pt", "--output", str(tmp_path)]
    (trained, _), (fetched, said), *others = without_faiss([train, fetch, *of_elcrec])
    assert trained == 0
    assert fetched == 2
    assert "none.pt: not in released_weights" in said  # its own check, so it was imported
    assert [status for status, _ in others] == [0, 0, 0], others
