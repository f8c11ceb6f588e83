"""The model of the README, run as it stands there; links and commands: tests/unit/test_docs.py."""

import re
import subprocess
import sys

import pandas as pd

from elcrec import ROOT
from tests.workflow.make_tiny import write
from tests.workflow.test_workflow import snakemake

README = (ROOT / "README.md").read_text()


def block(language: str, containing: str) -> str:
    """The first code block of a language that contains a text."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return next(b for b in blocks if containing in b)


def test_the_model_of_the_readme_gets_a_row_in_table_1_from_outside(tmp_path):
    tmp_path = tmp_path / "a folder"  # paths with spaces have to work
    folder = tmp_path / "else where"
    folder.mkdir(parents=True)
    (folder / "my_model.py").write_text(block("python", "class Model("))
    (folder / "my_model.yaml").write_text(block("yaml", "module: my_model.py"))
    efficiency = {"models": [], "seed": 1, "epochs": 1}
    models = ["popularity", str(folder / "my_model.yaml")]
    config = write(tmp_path, models=models, seeds=[1, 2], efficiency=efficiency, parameters={})
    done = snakemake("all", "--configfile", str(config), "--cores", "2")
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "results" / "tables" / "table1.csv")
    own = table[table["model"] == "my_model"]
    assert len(own) == 4
    assert own["mean"].between(0, 1).all()
    assert (own["seeds"] == 2).all()
    assert "Mine" in (tmp_path / "results" / "tables" / "table1.md").read_text()


def test_the_help_of_every_command_opens():
    for command in ([], ["train"], ["verify", "golden"], ["data", "fetch"], ["table", "accuracy"]):
        done = subprocess.run(
            [sys.executable, "-m", "elcrec", *command, "--help"], cwd=ROOT, capture_output=True
        )
        assert done.returncode == 0
