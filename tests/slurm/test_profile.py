"""A whole DAG through the profile: what its jobs ask for, and that they share one GPU."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from elcrec import ROOT
from tests.slurm.cluster import Job, jobs_of, snakemake
from tests.workflow.make_tiny import write

REQUESTED = {
    "prepare": ("01:00:00", "8000M", ""),
    "train": ("08:00:00", "8000M", "gres:gpu:1"),
    "sensitivity": ("08:00:00", "8000M", "gres:gpu:1"),
    "measure": ("02:00:00", "8000M", "gres:gpu:1"),
}


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Path:
    """Every kind of job, each as few times as will do."""
    sensitivity = {"datasets": ["tiny"], "alpha": [0.1], "intents": [8]}
    figures = {"snapshot_epochs": [0, 1], "ablation": {"datasets": []}, "sensitivity": sensitivity}
    models = ["popularity", "iclrec", "elcrec"]
    folder = tmp_path_factory.mktemp("dag")
    return write(folder, models=models, seeds=[1], figures=figures)


@pytest.fixture(scope="module")
def jobs(config) -> list[Job]:
    """The jobs of a run of `all`, as a user starts it."""
    done = snakemake("all", "--configfile", str(config), profile="profiles/slurm")
    assert done.returncode == 0, done.stdout + done.stderr
    return jobs_of(done.stdout + done.stderr)


def test_everything_is_made(config, jobs):
    results = config.parent / "results"
    for name in ("tables/table1.csv", "tables/table2.csv", "tables/table3.csv"):
        assert "elcrec" in (results / name).read_text()
    assert (results / "report/index.html").exists()
    assert {job.state for job in jobs} == {"COMPLETED"}


def test_only_work_is_queued_and_asks_for_its_time_memory_and_gpu(jobs):
    assert {job.rule for job in jobs} == set(REQUESTED)  # tables and figures are made at home
    for job in jobs:
        assert job.requested == REQUESTED[job.rule]


def test_one_job_at_a_time_has_the_gpu(jobs):
    on_gpu = [job for job in jobs if job.requested[2]]
    assert len(on_gpu) > 5
    for before, after in pairwise(on_gpu):
        assert before.end <= after.start


def test_without_the_profile_nothing_would_be_made_again(config, jobs):
    again = subprocess.run(
        [sys.executable, "-m", "snakemake", "all", "--configfile", str(config), "--dry-run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert "Nothing to be done" in again.stdout + again.stderr
