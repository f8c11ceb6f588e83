"""Which runs the page shows, and what their records say of device and command."""

import json
import sys
from pathlib import Path

import pytest
import torch

from elcrec.cli.main import main
from elcrec.config.config import load_config
from elcrec.evaluation.metrics import summarise
from elcrec.report import provenance
from elcrec.report.page import render
from elcrec.runs.settings import resolve
from elcrec.usage import device_name
from elcrec.verification import tensor_names
from tests.fuzz.folders import efficiency

MEASURED = efficiency("elcrec") | {"dataset": "beauty"}
del MEASURED["command"]
RELEASED = {"dataset": "beauty", "model": "elcrec", "file": "one.pt"}
RELEASED |= {"metrics": {"test": summarise([0, 3, 9, 40])}}
COMMAND = ["/home/somebody/elcrec/__main__.py", "measure", "--seed", "1"]


def shown(output, any_code=False):
    evidence = (
        output.evidence
        if not any_code
        else type(output.evidence)(output.evidence.config, any_code=True)
    )
    return [(run.model, run.seed) for run in evidence.runs]


def change(folder, **values):
    path = folder / "metrics.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_runs_of_the_configuration_and_of_its_ablation_alone(output):
    for model, seed in (("elcrec", 1), ("elcrec", 7), ("elcrec_elcm", 2), ("gru4rec", 1)):
        output.run(model, seed)
    assert shown(output) == [("elcrec", 1), ("elcrec_elcm", 2)]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("fingerprint", "made with other code, left out"),
        ("settings", "made with other settings, left out"),
    ],
)
def test_a_run_that_is_not_of_the_present_is_left_out_and_named(output, key, reason):
    output.run("elcrec", 1)
    change(output.run("elcrec", 2), **{key: "other"})
    assert shown(output) == [("elcrec", 1)]
    assert [(r.model, r.seed, r.reason) for r in output.evidence.left_out] == [
        ("elcrec", 2, reason)
    ]
    html = render(output.evidence.config)
    assert "1 finished, 4 missing, 1 left out (made by other code or settings)" in html
    assert reason in html


def test_any_code_takes_it(output):
    change(output.run("elcrec", 2), fingerprint="other")
    assert shown(output, any_code=True) == [("elcrec", 2)]
    html = render(output.evidence.config, any_code=True)
    assert "1 finished, 5 missing</dd>" in html
    assert "left out (made by" not in html


@pytest.mark.parametrize(
    ("kind", "record", "place"),
    [
        ("measurement", MEASURED, "efficiency/beauty/elcrec.json"),
        ("released weights", RELEASED, "released/beauty/elcrec.json"),
    ],
)
@pytest.mark.parametrize(
    ("added", "command"),
    [({"command": COMMAND}, "elcrec measure --seed 1"), ({}, "not recorded")],
)
def test_command_of_a_record(output, kind, record, place, added, command):
    output.record(place, record | added)
    (source,) = provenance.sources(output.evidence)
    assert (source.kind, source.command) == (kind, command)


@pytest.mark.parametrize(
    ("added", "device"), [({"device": "cuda: X"}, "cuda: X"), ({}, "not recorded")]
)
def test_device_of_released_weights(output, added, device):
    output.record("released/beauty/elcrec.json", RELEASED | added)
    (source,) = provenance.sources(output.evidence)
    assert source.device == device


@pytest.mark.parametrize("kind", ["measure", "released"])
def test_device_and_command_are_recorded(tiny, tmp_path, monkeypatch, kind):
    path = tmp_path / "record.json"
    common = ["--dataset", "tiny", "--model", "iclrec", "--config", str(tiny), "--device", "cpu"]
    arguments = ["measure", *common, "--epochs", "1", "--output", str(path)]
    if kind == "released":
        config = load_config([tiny])
        items = [
            int(i)
            for u in config.sequences_file("tiny").read_text().splitlines()
            for i in u.split()[1:]
        ]
        users = len(config.sequences_file("tiny").read_text().splitlines())
        model = resolve(config, "iclrec", "tiny").build(users, max(items) + 2)
        monkeypatch.setattr(tensor_names, "load_released", lambda _: model.state_dict())
        arguments = ["verify", "released", *common, "--weights", "x.pt", "--output", str(path)]
    monkeypatch.setattr(sys, "argv", ["elcrec", *arguments])
    assert main(arguments) == 0
    record = json.loads(path.read_text())
    assert record["command"] == ["elcrec", *(Path(word).name for word in arguments)]
    assert record["device"] == device_name(torch.device("cpu"))
