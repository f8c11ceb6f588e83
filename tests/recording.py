"""Shared by the tests of recorded runs: trains small runs and records them."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from elcrec.cli.main import main
from tests.workflow.make_tiny import write

MODELS = ["popularity", "elcrec"]
MACHINE = "cpu-test"
CLEAN = ("c" * 40, False)


def make_config(folder: Path, **changes: object) -> Path:
    settings = {"models": MODELS, "seeds": [1], "recorded": str(folder / "recorded")}
    training = {"max_epochs": 2, "patience": 0, "batch_size": 64}
    efficiency = {"models": ["elcrec"], "seed": 1, "epochs": 1}
    return write(folder, **(settings | {"training": training, "efficiency": efficiency} | changes))


def train(config: Path, model: str, *more: str) -> None:
    arguments = ["--dataset", "tiny", "--model", model, "--config", str(config), "--quiet"]
    command = ["train", *arguments, *more]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["/somewhere/bin/elcrec", *command])
        assert main(command) == 0


def files_of(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def contents_of(folder: Path) -> dict[str, bytes]:
    """The same with arrays unpacked, to be compared: another zlib packs them in other bytes."""
    return {name: _content(folder / name) for name in files_of(folder)}


def _content(path: Path) -> bytes:
    if path.suffix != ".npz":
        return path.read_bytes()
    with zipfile.ZipFile(path) as arrays:
        return b"".join(arrays.read(name) for name in arrays.namelist())


def add(config: Path, machine: str = MACHINE, *more: str) -> int:
    """Record what lies below the output, or in the folders of `more`."""
    return main(["recorded", "add", machine, *more, "--config", str(config)])


def recorded_config(config: Path) -> Path:
    """The configuration that takes recorded runs."""
    path = config.parent / "recorded.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | {"runs": "recorded"}))
    return path


def run_folder(config: Path, model: str = "elcrec") -> Path:
    return config.parent / "results" / "runs" / "tiny" / model / "1"


def recorded_folder(config: Path, model: str = "elcrec") -> Path:
    return machine_of(config) / "runs" / "tiny" / model / "1"


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def edit_settings(path: Path, **changes: object) -> None:
    """Change a config.yaml of a run; mappings are merged."""
    content = yaml.safe_load(path.read_text())
    for key, value in changes.items():
        content[key] = content.get(key, {}) | value if isinstance(value, dict) else value
    path.write_text(yaml.safe_dump(content))


def machine_of(config: Path) -> Path:
    return config.parent / "recorded" / MACHINE


def refused_to_add(config: Path, capsys: pytest.CaptureFixture[str], *folders: str) -> str:
    """The line of the refusal; nothing is written."""
    capsys.readouterr()
    before = files_of(config.parent / "recorded")
    assert add(config, MACHINE, *folders) == 2
    assert files_of(config.parent / "recorded") == before
    (line,) = capsys.readouterr().err.splitlines()
    return line
