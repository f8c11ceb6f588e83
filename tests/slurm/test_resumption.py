"""A training that is stopped or killed is tried again, goes on, and ends with the same numbers."""

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from elcrec import ROOT
from elcrec.files.weights import read_weights
from tests.slurm.cluster import PROFILE, command, jobs_named, jobs_of, snakemake
from tests.workflow.make_tiny import write

SECONDS = 120
"""What the training takes: more than a limit of a minute, and SLURM looks every half minute."""

CALIBRATION = 100
"""Epochs that are timed for it."""


@dataclass(frozen=True)
class Training:
    """A configuration with one long training, and its run folder if nothing disturbs it."""

    config: Path
    undisturbed: Path

    def elsewhere(self, folder: Path) -> tuple[Path, Path]:
        """The same configuration with results in another folder, and the run folder there."""
        content = yaml.safe_load(self.config.read_text()) | {"output": str(folder / "results")}
        config = folder / "config.yaml"
        config.write_text(yaml.safe_dump(content))
        return config, folder / "results/runs/tiny/elcrec/1"


def at_home(*arguments: str) -> None:
    """Run a module of Python at the root of the project, without SLURM."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def train(config: Path, output: Path) -> dict:
    """Train without SLURM; returns metrics.json."""
    options = ["--model", "elcrec", "--seed", "1", "--threads", "1", "--quiet"]
    where = ["--dataset", "tiny", "--config", str(config), "--output", str(output)]
    at_home("elcrec", "train", *options, *where)
    return json.loads((output / "metrics.json").read_text())


@pytest.fixture(scope="module")
def training(tmp_path_factory) -> Training:
    """As many epochs as take `SECONDS` on this machine."""
    folder = tmp_path_factory.mktemp("training")

    def configure(epochs: int) -> Path:
        schedule = {"max_epochs": epochs, "batch_size": 64, "patience": 0}
        return write(folder, models=["elcrec"], seeds=[1], training=schedule)

    config = configure(CALIBRATION)
    at_home("snakemake", str(folder / "data/tiny/sequences.txt"), "--configfile", str(config))
    seconds = train(config, folder / "calibration")["seconds"]
    epoch = (seconds["training"] + seconds["validation"]) / CALIBRATION
    config = configure(math.ceil(SECONDS / epoch))
    assert train(config, folder / "undisturbed")["resumed_after"] == []
    return Training(config, folder / "undisturbed")


@pytest.fixture
def profile(tmp_path) -> Callable[..., Path]:
    """A copy of the profile with other resources for trainings, as a user would make one."""

    def changed(**resources: object) -> Path:
        content = yaml.safe_load((PROFILE / "config.yaml").read_text())
        content["set-resources"]["train"] = resources
        copy = tmp_path / "profile"
        copy.mkdir()
        (copy / "config.yaml").write_text(yaml.safe_dump(content))
        return copy

    return changed


def assert_resumed_to_the_same(run: Path, undisturbed: Path) -> None:
    """Every number of the run is that of the undisturbed one, bit for bit."""
    record = json.loads((run / "metrics.json").read_text())
    expected = json.loads((undisturbed / "metrics.json").read_text())
    assert record["resumed_after"]
    assert 0 < record["resumed_after"][0] < expected["epochs"]
    for key in ("metrics", "best_epoch", "epochs"):
        assert record[key] == expected[key]
    ranks, expected_ranks = np.load(run / "ranks.npz"), np.load(undisturbed / "ranks.npz")
    assert all(np.array_equal(ranks[split], expected_ranks[split]) for split in ("valid", "test"))
    history, expected_history = (pd.read_csv(f / "history.csv") for f in (run, undisturbed))
    numbers = [name for name in history if "second" not in name]
    pd.testing.assert_frame_equal(history[numbers], expected_history[numbers], check_exact=True)
    weights, expected_weights = (
        read_weights(f / "weights.safetensors") for f in (run, undisturbed)
    )
    assert weights.keys() == expected_weights.keys()
    assert all(torch.equal(weights[name], expected_weights[name]) for name in weights)


def test_a_training_killed_by_slurms_time_limit(training, profile, tmp_path):
    config, run = training.elsewhere(tmp_path)
    done = snakemake(
        str(run / "metrics.json"), "--configfile", str(config), profile=profile(gpu=1, runtime=1)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    states = [job.state for job in jobs_of(done.stdout + done.stderr)]
    assert states[0] == "TIMEOUT"
    assert states[-1] == "COMPLETED"
    assert_resumed_to_the_same(run, training.undisturbed)


def test_a_training_that_stops_before_the_time_limit(training, profile, tmp_path):
    config, run = training.elsewhere(tmp_path)
    limited = profile(gpu=1, runtime=3, stop_early=2)
    done = snakemake(str(run / "metrics.json"), "--configfile", str(config), profile=limited)
    assert done.returncode == 0, done.stdout + done.stderr
    *stopped, last = jobs_of(done.stdout + done.stderr)
    assert stopped
    for job in stopped:
        assert job.state == "FAILED"  # not TIMEOUT: it ended by itself
        assert (job.end - job.start).total_seconds() < 180
        assert "time limit" in job.log.read_text()
    assert last.state == "COMPLETED"
    assert_resumed_to_the_same(run, training.undisturbed)


def test_a_training_that_someone_cancels(training, profile, tmp_path):
    """Here with the GPU asked for by --gres, as some clusters want it."""
    config, run = training.elsewhere(tmp_path)
    by_gres = profile(gpu=0, gres="gpu:1", slurm_partition="tests")
    call = command(str(run / "metrics.json"), "--configfile", str(config), profile=by_gres)
    output = tmp_path / "output.txt"
    with output.open("w") as file:
        process = subprocess.Popen(call, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT)
        try:
            cancelled = cancel_when_it_has_a_checkpoint(process, run, output)
            assert process.wait(timeout=900) == 0, output.read_text()
        finally:
            process.kill()
            process.wait()
    first, *_, last = jobs_of(output.read_text())
    assert (first.number, first.state) == (cancelled, "CANCELLED")
    assert last.state == "COMPLETED"
    assert first.requested[2] == last.requested[2] == "gres:gpu:1"
    assert_resumed_to_the_same(run, training.undisturbed)


def cancel_when_it_has_a_checkpoint(
    process: subprocess.Popen[bytes], run: Path, output: Path
) -> str:
    """Cancel the running training as another user of the cluster would; returns its number."""
    deadline = time.monotonic() + 300
    while not list(run.glob("checkpoints/epoch-*.ckpt")):
        assert process.poll() is None, output.read_text()
        assert time.monotonic() < deadline, output.read_text()
        time.sleep(0.5)
    (job,) = jobs_named(output.read_text().split("SLURM run ID: ")[1].split()[0])
    subprocess.run(["scancel", job.number], check=True)
    return job.number
