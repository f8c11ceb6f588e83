"""Measurements and checks of released weights beside the recorded runs."""

import json
from pathlib import Path

import pytest

from elcrec.cli.main import make_parser
from elcrec.config.config import load_config
from elcrec.runs.places import json_files
from tests.recording import MACHINE, add, edit, machine_of, recorded_config, refused_to_add

RELEASED = {"model": "elcrec", "dataset": "tiny", "file": "/x/W.pt", "protocol": "paper"}


RELEASED |= {"metrics": {}, "commit": "c" * 40, "dirty": False, "command": ["/x/elcrec", "verify"]}


def extra(config: Path, kind: str, **content: object) -> Path:
    path = config.parent / "results" / kind / "tiny" / "elcrec.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def test_a_check_of_released_weights_is_recorded_without_paths(runs, capsys):
    extra(runs, "released", **RELEASED)
    assert add(runs) == 0
    assert "released/tiny/elcrec.json\n" in capsys.readouterr().out
    content = (machine_of(runs) / "released" / "tiny" / "elcrec.json").read_text()
    assert "/x" not in content
    make_parser().parse_args(json.loads(content)["command"][1:])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"protocol": "strict"}, "protocol is 'strict'; allowed here: 'paper'"),
        ({"dirty": True}, "uncommitted changes"),
        ({"model": "iclrec"}, "model is 'iclrec'; allowed here: 'elcrec'"),
    ],
)
def test_another_check_of_released_weights_is_refused(runs, change, words, capsys):
    extra(runs, "released", **(RELEASED | change))
    assert words in refused_to_add(runs, capsys)


def test_a_measurement_is_recorded_and_read(runs, measured):
    assert add(runs) == 0
    before = json.loads(measured.read_text())
    (place,) = json_files(load_config([recorded_config(runs)]), "efficiency")
    after = json.loads(place.read_text())
    make_parser().parse_args(after["command"][1:])
    assert before | {"command": 0} == after | {"command": 0}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 7}, "seed is 7; allowed here: 1"),
        ({"epochs_measured": 3}, "epochs_measured is 3; allowed here: 1"),
        ({"dirty": True}, "uncommitted changes"),
        ({"settings": "0" * 16}, "settings is '0000000000000000'; allowed here: '"),
    ],
)
def test_another_measurement_is_refused(runs, measured, change, words, capsys):
    edit(measured, **change)
    assert words in refused_to_add(runs, capsys)


def test_another_measurement_in_the_place_of_a_recorded_one_is_refused(runs, measured, capsys):
    assert add(runs) == 0
    edit(measured, device="another")
    line = refused_to_add(runs, capsys)
    assert f"{measured}: is recorded in " in line
    assert "with another elcrec.json; --replace" in line
    assert add(runs, MACHINE, "--replace") == 0
    place = machine_of(runs) / "efficiency" / "tiny" / "elcrec.json"
    assert json.loads(place.read_text())["device"] == "another"
