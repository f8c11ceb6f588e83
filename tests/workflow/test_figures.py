"""A change of a plotting function draws again and trains nothing; nor does another message."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from elcrec import ROOT
from tests.workflow.make_tiny import write
from tests.workflow.test_workflow import jobs


@pytest.fixture
def project(tmp_path) -> Path:
    """A copy of the project's code, which the test may change."""
    copy = tmp_path / "project"
    for name in ("elcrec", "baselines", "variants", "workflow"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    shutil.copy(ROOT / "Snakefile", copy)
    return copy


def snakemake(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments, "--quiet", "reason", "--cores", "1"],
        cwd=project,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=500,
    )


def planned(project: Path, *arguments: str) -> dict[str, int]:
    done = snakemake(project, *arguments, "--dry-run")
    assert done.returncode == 0, done.stderr
    return jobs(done.stdout)


def test_a_changed_plotting_function_draws_again_and_trains_nothing(project, tmp_path):
    efficiency = {"models": [], "seed": 1, "epochs": 1}
    config = write(tmp_path, models=["sasrec"], seeds=[1], efficiency=efficiency)
    target = str(tmp_path / "results" / "figures" / "convergence.png")
    arguments = (target, "--configfile", str(config))
    assert planned(project, *arguments)["train"] == 1
    done = snakemake(project, *arguments)
    assert done.returncode == 0, done.stderr
    assert Path(target).stat().st_size > 0

    plotting = project / "elcrec" / "figures" / "convergence.py"
    plotting.write_text(plotting.read_text() + "\n# a remark\n")
    assert planned(project, *arguments) == {}
    plotting.write_text(plotting.read_text().replace('"epoch"', '"epochs"', 1))
    assert planned(project, *arguments) == {"figure": 1, "total": 1}
    words = project / "elcrec" / "errors.py"
    words.write_text(words.read_text().replace("did you mean", "do you mean"))
    formats = project / "elcrec" / "data" / "formats.py"
    more = '"movielens": _movielens,\n    "another": _movielens,'
    formats.write_text(formats.read_text().replace('"movielens": _movielens,', more))
    assert planned(project, *arguments) == {"figure": 1, "total": 1}
    losses = project / "elcrec" / "models" / "losses.py"
    losses.write_text(losses.read_text().replace("1e-24", "1e-20"))
    counts = planned(project, *arguments)
    assert counts["train"] == counts["figure"] == 1


def test_the_figures_of_the_tiny_configuration_and_their_trainings(tmp_path):
    config = write(tmp_path)
    counts = planned(ROOT, "figures", "--configfile", str(config))
    assert counts["train"] == 5 * 2  # sasrec, iclrec, elcrec and the two other arms
    assert counts["sensitivity"] == 2
    assert counts["figure"] == 7
