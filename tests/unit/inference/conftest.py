"""Small finished runs on the known-answer data, whose raw ids are no numbers."""

import re
import shutil
from pathlib import Path

import pytest

from elcrec.cli.main import main
from tests.workflow.make_tiny import write

MODELS = ("sasrec", "elcrec", "iclrec", "bprmf", "popularity", "mine")
OWN = """
from baselines.gru4rec import Hyperparameters, Model
"""


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """Configuration of runs that are finished; users are u1 ..., items B001 ...; read it only."""
    folder = tmp_path_factory.mktemp("finished")
    config = write(folder)
    lines = (folder / "tiny.txt").read_text().splitlines()
    raw = [re.sub(r" (\d+)", lambda item: f" B{int(item[1]):03d}", f"u{line}\n") for line in lines]
    (folder / "tiny.txt").write_text("".join(raw))
    (folder / "mine.py").write_text(OWN)
    (folder / "mine.yaml").write_text("{name: Mine, module: mine.py}")
    dataset = ["--dataset", "tiny", "--config", str(config)]
    for step in ("fetch", "prepare"):
        assert main(["data", step, *dataset]) == 0
    for model in MODELS:
        name = str(folder / "mine.yaml") if model == "mine" else model
        assert main(["train", "--model", name, "--quiet", *dataset]) == 0
    return config


@pytest.fixture
def runs(finished, tmp_path) -> Path:
    """The same as copies, which a test may change."""
    folder = tmp_path / "copied"
    shutil.copytree(finished.parent, folder)
    config = folder / finished.name
    config.write_text(config.read_text().replace(str(finished.parent), str(folder)))
    return config


def folder_of(config: Path, model: str) -> Path:
    return config.parent / "results" / "runs" / "tiny" / model / "1"
