"""Measurements and checks of released weights beside the recorded runs."""

import json
from pathlib import Path

import pytest

from elcrec.cli.main import make_parser
from elcrec.config.config import FROM_RECORDED, load_config
from elcrec.recorded.unpack import unpack
from tests.recording import add, edit, recorded_config, refused_to_add, runs_csv

RELEASED = {"model": "elcrec", "dataset": "tiny", "file": "/x/W.pt", "protocol": "paper"}


RELEASED |= {"metrics": {}, "commit": "c" * 40, "dirty": False, "command": ["/x/elcrec", "verify"]}


def extra(config: Path, kind: str, **content: object) -> Path:
    path = config.parent / "results" / kind / "tiny" / "elcrec.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def test_a_check_of_released_weights_is_recorded_without_paths(runs):
    extra(runs, "released", **RELEASED)
    assert add(runs) == 0
    content = (runs_csv(runs).parent / "released" / "tiny-elcrec.json").read_text()
    assert "/x" not in content
    make_parser().parse_args(json.loads(content)["command"][1:])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"protocol": "strict"}, "protocol is 'strict'; allowed: 'paper'"),
        ({"dirty": True}, "uncommitted changes"),
        ({"model": "iclrec"}, "is of iclrec on tiny; allowed here: of elcrec"),
    ],
)
def test_another_check_of_released_weights_is_refused(runs, change, words, capsys):
    extra(runs, "released", **(RELEASED | change))
    assert words in refused_to_add(runs, capsys)


def test_a_measurement_is_recorded_and_comes_back(runs, measured):
    assert add(runs) == 0
    unpack(load_config([recorded_config(runs)]))
    before = json.loads(measured.read_text())
    place = runs.parent / "results" / FROM_RECORDED / "efficiency" / "tiny" / "elcrec.json"
    after = json.loads(place.read_text())
    make_parser().parse_args(after["command"][1:])
    assert before | {"command": 0} == after | {"command": 0}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 7}, "seed is 7; allowed: 1"),
        ({"epochs_measured": 3}, "epochs_measured is 3; allowed: 1"),
        ({"dirty": True}, "uncommitted changes"),
        ({"settings": "0" * 16}, "other code or settings"),
    ],
)
def test_another_measurement_is_refused(runs, measured, change, words, capsys):
    edit(measured, **change)
    assert words in refused_to_add(runs, capsys)
