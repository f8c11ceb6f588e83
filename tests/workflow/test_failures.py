"""Killed, failing and interrupted: what `snakemake` does with it, and what it leaves."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from elcrec import ROOT
from tests.faults.processes import contents
from tests.workflow.make_tiny import write
from tests.workflow.test_workflow import SNAKEMAKE

NO_FIGURES = {"snapshot_epochs": [], "ablation": {"datasets": []}, "sensitivity": {"datasets": []}}

BREAKING = '''
"""Popularity that breaks down once, or whenever it is asked."""

import os
from pathlib import Path

import torch
from baselines import popularity
from baselines.popularity import Hyperparameters


class Model(popularity.Model):
    def start_training(self, context):
        super().start_training(context)
        marks = Path(__file__).parent
        if context.seed == 2:
            with (marks / "attempts").open("a") as file:
                file.write("x")
            if (marks / "broken").exists():
                raise torch.OutOfMemoryError("CUDA out of memory")
'''


def start(config: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start Snakemake on all cores, in a process group and a working folder of its own."""
    return subprocess.Popen(
        [*SNAKEMAKE, *arguments, "--configfile", str(config)],
        cwd=config.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=os.environ | {"ELCREC_GPUS": "0"},
    )


def run(config: Path, *arguments: str) -> tuple[int, str]:
    """Run it to its end; exit status and output."""
    process = start(config, *arguments)
    output, _ = process.communicate(timeout=300)
    return process.returncode, output


@pytest.fixture
def breaking(tmp_path) -> Path:
    """Two models, two seeds; a run of `breaking` is out of memory while `broken` is there."""
    (tmp_path / "breaking.py").write_text(BREAKING)
    model = {"name": "Breaking", "module": "breaking.py", "trained": False}
    model |= {"training": {"max_epochs": 1, "select_by": "last"}}
    (tmp_path / "breaking.yaml").write_text(yaml.safe_dump(model))
    (tmp_path / "broken").touch()
    return write(
        tmp_path,
        models=[str(tmp_path / "breaking.yaml"), "popularity"],
        efficiency={"models": [], "seed": 1, "epochs": 1},
        figures=NO_FIGURES,
    )


def test_a_failing_run_is_tried_again_and_is_a_gap_with_its_reason(breaking):
    folder, results = breaking.parent, breaking.parent / "results"
    targets = [str(results / name) for name in ("tables/table1.csv", "report/index.html")]
    status, output = run(breaking, *targets)
    assert status == 1
    assert "Traceback" not in output
    assert (folder / "attempts").read_text() == "xx"  # `retries: 1` in the profile
    runs = {
        p.parent.relative_to(results / "runs/tiny") for p in results.glob("runs/**/metrics.json")
    }
    assert runs == {Path("breaking/1"), Path("popularity/1"), Path("popularity/2")}
    reason = "failed: out of memory: make training.batch_size smaller"
    assert (
        f"Missing: Breaking on Tiny, seed 2 ({reason}" in (results / "tables/table1.md").read_text()
    )
    assert reason in (results / "report/index.html").read_text()
    assert f"elcrec: made with gaps: {targets[1]}" in output
    before = {p: p.stat().st_mtime_ns for p in results.glob("runs/**/metrics.json")}

    (folder / "broken").unlink()
    status, output = run(breaking, targets[0])
    assert status == 0, output
    assert {p: p.stat().st_mtime_ns for p in before} == before  # finished runs are left alone
    assert "Missing" not in (results / "tables/table1.md").read_text()


@pytest.mark.parametrize("all_of_it", [False, True], ids=["only Snakemake", "the whole group"])
def test_after_a_kill_it_goes_on(tmp_path, all_of_it):
    config = write(
        tmp_path,
        models=["popularity", "sasrec"],
        seeds=[1],
        training={"max_epochs": 1500, "patience": 0, "batch_size": 64},
        parameters={"sasrec": {"max_length": 10, "dimension": 8}},
        efficiency={"models": [], "seed": 1, "epochs": 1},
        figures=NO_FIGURES,
    )
    target = str(tmp_path / "results" / "tables" / "table1.csv")
    process = start(config, target)
    sasrec, popularity = (
        tmp_path / "results/runs/tiny" / m / "1" for m in ("sasrec", "popularity")
    )
    begin = time.monotonic()
    while (
        not list(sasrec.glob("checkpoints/epoch-*")) or not (popularity / "metrics.json").exists()
    ):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() - begin < 200
        time.sleep(0.05)
    finished = (popularity / "metrics.json").stat().st_mtime_ns
    (os.killpg if all_of_it else os.kill)(process.pid, signal.SIGKILL)
    process.wait()

    status, output = run(config, target)
    if status:  # what its own message says is all that it takes
        assert re.search(r"--unlock", output)
        assert run(config, "--unlock")[0] == 0
        status, output = run(config, target)
    assert status == 0, output
    assert (popularity / "metrics.json").stat().st_mtime_ns == finished
    metrics = json.loads((sasrec / "metrics.json").read_text())
    if all_of_it:
        assert metrics["resumed_after"] != []
    else:  # the training was not killed, and the second waited for it
        assert metrics["resumed_after"] == []
    assert not (sasrec / "checkpoints").exists()
    train = ["train", "--dataset", "tiny", "--model", "sasrec", "--config", str(config)]
    alone = [*train, "--threads", "1", "--device", "cpu", "--output", str(tmp_path / "alone")]
    subprocess.run([sys.executable, "-m", "elcrec", *alone], cwd=ROOT, check=True)
    assert contents(sasrec) == contents(tmp_path / "alone")
