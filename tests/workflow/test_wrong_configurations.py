"""A wrong configuration ends `snakemake` with one line, before it writes or starts anything."""

import os
import subprocess
import sys

import pytest

from elcrec import ROOT
from tests.workflow.make_tiny import write

PREAMBLE = ("Using workflow specific profile", "Config file /")


def refused(tmp_path, config, *arguments, **environment):
    """What Snakemake says besides its first lines; nothing may have been started or written."""
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "all", "--configfile", str(config), *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    assert "Building DAG" not in said
    return [line for line in said.splitlines() if line and not line.startswith(PREAMBLE)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sedes": [1]}, "sedes: unknown key (did you mean 'seeds'?); allowed: data, "),
        ({"threads": "two"}, "threads: must be an integer from 1 to 1024, got 'two'"),
        ({"models": ["elcerc"]}, "models[0]: unknown model 'elcerc' (did you mean 'elcrec'?); kn"),
        ({"use": ["tinny"]}, "use[0]: unknown data set 'tinny' (did you mean 'tiny'?); known: "),
        ({"seeds": [1, 1]}, "seeds: must not repeat a value, got 1 at [0] and [1]"),
        ({"training": {"max_epochs": -1}}, "training.max_epochs: must be 1 or more, got -1"),
    ],
)
def test_a_wrong_value_names_file_and_key(tmp_path, change, message):
    config = write(tmp_path, **change)
    (line,) = refused(tmp_path, config)
    assert line.startswith(f"elcrec: {config}: {message}")


def test_a_key_given_twice(tmp_path):
    config = write(tmp_path)
    config.write_text("seeds: [5]\n" + config.read_text())
    (line,) = refused(tmp_path, config)
    number = config.read_text().splitlines().index("seeds:") + 1
    assert line.startswith(f"elcrec: {config}, line {number}: the key 'seeds' is given here and in")


def test_values_of_the_command_line_and_of_the_environment(tmp_path):
    config = write(tmp_path)
    (line,) = refused(tmp_path, config, "--config", "threads=0")
    assert line == "elcrec: --config: threads: must be an integer from 1 to 1024, got 0"
    (line,) = refused(tmp_path, config, ELCREC_GPUS="two")
    assert line == "elcrec: ELCREC_GPUS='two': must be an integer, 0 or more"
    (line,) = refused(tmp_path, config, ELCREC_MIRROR=str(config))
    assert line.startswith(f"elcrec: ELCREC_MIRROR='{config}': must be an existing folder, or an")


def test_names_that_look_like_numbers_are_names_on_the_command_line_too(tmp_path):
    own = {"path": str(tmp_path / "tiny.txt")}
    config = write(tmp_path, datasets={"tiny": own, "2024": own})
    words = ["--config", "use=[2024]", 'datasets={"2024": {name: "2025"}}', "keep_checkpoints=true"]
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "all", "--configfile", config, "--dry-run", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "data" / "2024" / "sequences.txt") in done.stdout


def test_broken_yaml_is_refused_by_snakemake_itself(tmp_path):
    """It reads --configfile before the workflow; `elcrec` says which line of which file."""
    config = tmp_path / "broken.yaml"
    config.write_text("seeds: [1\nuse: tiny\n")
    heading, line = refused(tmp_path, config)
    assert heading == "WorkflowError:"
    assert line.startswith("Config file is not valid JSON or YAML. ")


def test_a_missing_file_is_refused_by_snakemake_itself(tmp_path):
    """With the places in its own code; the last line names the file."""
    config = tmp_path / "none.yaml"
    assert f"No such file or directory: '{config}'" in refused(tmp_path, config)[-1]


def test_a_data_file_that_is_not_there_is_told_before_any_job(tmp_path):
    config = write(tmp_path, datasets={"tiny": {"path": "nothere.txt"}})
    place = f"(relative to the working directory {ROOT})"
    for dry in ([], ["--dry-run"]):
        (line,) = refused(tmp_path, config, *dry)
        assert line == f"elcrec: datasets.tiny: path nothere.txt: no such file {place}"


def test_a_file_of_the_users_own_in_the_place_of_the_prepared_one_stays(tmp_path):
    own = tmp_path / "data" / "tiny" / "sequences.txt"
    config = write(tmp_path, datasets={"tiny": {"path": str(own)}})
    own.parent.mkdir(parents=True)
    (tmp_path / "tiny.txt").rename(own)
    (line,) = refused(tmp_path, config)
    assert line.startswith(f"elcrec: datasets.tiny: path {own}: the prepared file is written there")


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("results/tables", {}),
        ("results/runs/tiny/sasrec", {"models": ["sasrec"]}),
        ("some", {"data": "some/where"}),
    ],
)
def test_a_file_in_the_place_of_a_folder_is_named(tmp_path, place, change):
    if "data" in change:
        change = {"data": str(tmp_path / change["data"])}
    config = write(tmp_path, **change)
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).touch()
    (line,) = refused(tmp_path, config)
    assert line.startswith(f"elcrec: {tmp_path / place}")
    assert line.endswith("cannot be written: a file or a broken link is where a folder must be")


def test_numbers_and_booleans_of_nested_options_are_taken(tmp_path):
    config = write(tmp_path)
    options = [
        "seeds=[1]",
        "training={max_epochs: 1, learning_rate: 1e-3}",
        "keep_checkpoints=true",
    ]
    options.append("parameters={elcrec: {intents: 4, alpha: 1e-5}}")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "all", "--dry-run", "--quiet"),
            *("--configfile", str(config), "--config", *options),
        ],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
