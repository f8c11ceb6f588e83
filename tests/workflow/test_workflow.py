"""The DAG as a user runs it: targets, limits, re-runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from elcrec import ROOT
from tests.workflow.make_tiny import write

SNAKEMAKE = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]


def working_folder(arguments: tuple[str, ...]) -> Path:
    """Where Snakemake is to run: beside the configuration of a test, else at the root.

    Whoever ends removes the locks of all who run in the same folder: two tests, two folders.
    """
    if "--configfile" not in arguments:
        return ROOT
    folder = Path(arguments[arguments.index("--configfile") + 1]).resolve().parent
    return ROOT if folder.is_relative_to(ROOT) else folder


def snakemake(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake with the default profile."""
    return subprocess.run(
        [*SNAKEMAKE, *arguments],
        cwd=working_folder(arguments),
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=500,
    )


def jobs(output: str) -> dict[str, int]:
    """The table of jobs that a dry run prints."""
    return {m[1]: int(m[2]) for m in re.finditer(r"^(\w+) +(\d+)$", output, re.MULTILINE)}


def test_one_table_needs_exactly_its_runs():
    done = snakemake("results/tables/table1.csv", "--dry-run", "--forceall", "--quiet", "reason")
    assert done.returncode == 0, done.stderr
    counts = jobs(done.stdout)
    config = yaml.safe_load((ROOT / "workflow/config/config.yaml").read_text())
    runs = 4 * 3 * len(config["models"])
    assert counts["train"] >= runs  # and what a model starts from
    assert counts["prepare"] == counts["fetch"] == 4
    assert "measure" not in counts


def test_all_has_every_stage():
    done = snakemake("--cores", "8", "all", "--dry-run", "--forceall", "--quiet", "reason")
    assert done.returncode == 0, done.stderr
    counts = jobs(done.stdout)
    for rule in (
        "fetch",
        "prepare",
        "data_statistics",
        "train",
        "measure",
        "accuracy",
        "verdict",
        "activity",
        "lists",
        "sampled",
        "use",
        "efficiency",
        "report",
    ):
        assert counts[rule] > 0
    assert "released" not in counts  # a target of its own


def test_the_released_weights_have_a_target():
    done = snakemake("released_weights", "--dry-run", "--forceall", "--quiet", "reason")
    assert done.returncode == 0, done.stderr
    assert jobs(done.stdout)["released"] == 6


@pytest.fixture
def cheap(tmp_path) -> Path:
    """A configuration whose trainings take a second."""
    efficiency = {"models": [], "seed": 1, "epochs": 1}
    return write(tmp_path, models=["popularity"], seeds=[1, 2, 3], efficiency=efficiency)


def trainings_at_once(output: str) -> int:
    """The largest number of trainings that were started together."""
    most = 0
    for block in re.split(r"Execute \d+ jobs\.\.\.", output)[1:]:
        started = block.split("Finished jobid")[0]
        most = max(most, len(re.findall(r"^(?:local)?rule train:", started, re.MULTILINE)))
    return most


@pytest.mark.parametrize(
    ("arguments", "gpus", "expected"),
    [
        ([], "1", 1),  # the profile's limit, by itself
        (["--resources", "mem_mb=1000"], "1", 1),  # replaces the profile's resources
        (["--resources", "gpu=2"], "1", 2),  # two GPUs, or two runs on one: the user's choice
        ([], "0", 3),  # without a GPU the cores decide
    ],
)
def test_no_more_trainings_at_once_than_there_are_gpus(cheap, arguments, gpus, expected):
    target = str(cheap.parent / "results" / "tables" / "table1.csv")
    done = snakemake(
        target, "--configfile", str(cheap), "--cores", "4", *arguments, ELCREC_GPUS=gpus
    )
    assert done.returncode == 0, done.stderr
    assert trainings_at_once(done.stderr) == expected


def test_a_second_run_does_nothing_and_a_changed_setting_only_what_it_touches(cheap):
    target = str(cheap.parent / "results" / "tables" / "table1.csv")
    arguments = [target, "--configfile", str(cheap), "--quiet", "reason"]
    assert snakemake(*arguments).returncode == 0
    again = snakemake(*arguments, "--dry-run")
    assert "Nothing to be done" in again.stderr + again.stdout
    content = yaml.safe_load(cheap.read_text()) | {"seeds": [1, 2, 3, 4]}
    cheap.write_text(yaml.safe_dump(content))
    counts = jobs(snakemake(*arguments, "--dry-run").stdout)
    assert counts["train"] == 1
    assert counts["accuracy"] == 1
    assert "prepare" not in counts


def test_a_changed_file_of_the_users_own_is_prepared_again(cheap):
    arguments = ["--configfile", str(cheap), "--quiet", "reason"]
    target = str(cheap.parent / "data" / "tiny" / "statistics.json")
    assert snakemake(target, *arguments).returncode == 0
    data = cheap.parent / "tiny.txt"
    data.write_text(data.read_text() + "999 1 2 3 4\n")
    counts = jobs(snakemake(target, *arguments, "--dry-run").stdout)
    assert counts["fetch"] == counts["prepare"] == 1


def test_a_wrong_data_file_fails_with_its_line_and_leaves_nothing(cheap):
    data = cheap.parent / "tiny.txt"
    data.write_text(data.read_text() + "999 1 2 4\n")
    done = snakemake("all", "--configfile", str(cheap))
    assert done.returncode != 0
    assert "tiny.txt, line 121: user '999' has fewer than 4 items" in done.stdout + done.stderr
    assert not (cheap.parent / "data" / "tiny" / "sequences.txt").exists()
