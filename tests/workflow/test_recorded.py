"""Tables, figures and report of recorded runs: nothing is trained, what is absent is a gap."""

import csv
import shutil

import pytest
import yaml

import elcrec.jobs.run
from elcrec.cli.main import main
from elcrec.config.config import FROM_RECORDED
from tests.recording import CLEAN, add, machine_of, make_config, recorded_config, train
from tests.workflow.test_workflow import jobs, snakemake


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Configuration whose runs are recorded and then removed: of ELCRec one of two seeds."""
    folder = tmp_path_factory.mktemp("recorded")
    config = make_config(folder, seeds=[1, 2], efficiency={"models": [], "seed": 1, "epochs": 1})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elcrec.jobs.run, "commit", lambda: CLEAN)
        for step in ("fetch", "prepare"):
            place = ["--config", str(config), "--output", str(folder / "data" / "tiny")]
            assert main(["data", step, "--dataset", "tiny", *place]) == 0
        train(config, "popularity")
        train(config, "popularity", "--seed", "2")
        train(config, "elcrec")
        assert add(config) == 0
    shutil.rmtree(folder / "results")
    return recorded_config(config)


def test_everything_is_made_and_nothing_is_trained(recorded):
    arguments = ["all", "--configfile", str(recorded), "--cores", "2", "--quiet", "reason"]
    counts = jobs(snakemake(*arguments, "--dry-run").stdout)
    assert not counts.keys() & {"train", "sensitivity", "measure", "released"}
    done = snakemake(*arguments)
    assert done.returncode == 0, done.stderr
    output = recorded.parent / "results" / FROM_RECORDED
    rows = list(csv.DictReader((output / "tables" / "table1.csv").open()))
    seeds = {(row["model"], row["seeds"]) for row in rows}
    assert seeds >= {("popularity", "2"), ("elcrec", "1")}
    assert len(seeds) == len({model for model, _ in seeds})
    page = (output / "report" / "index.html").read_text()
    assert "3 recorded, 1 missing" in page
    again = snakemake(*arguments, "--dry-run")
    assert "Nothing to be done" in again.stderr + again.stdout
    of_jobs = recorded.parent / "jobs.html"  # Snakemake's own
    done = snakemake("all", "--configfile", str(recorded), "--report", str(of_jobs))
    assert done.returncode == 0, done.stderr
    assert "prepare" in of_jobs.read_text()


def test_a_change_of_the_record_makes_the_tables_again(recorded, tmp_path):
    run = machine_of(recorded) / "runs" / "tiny" / "popularity" / "2"
    target = recorded.parent / "results" / FROM_RECORDED / "tables" / "table1.csv"
    arguments = [str(target), "--configfile", str(recorded), "--cores", "2", "--quiet", "reason"]
    assert snakemake(*arguments).returncode == 0
    shutil.move(run, tmp_path / "2")
    try:
        done = snakemake(*arguments)
    finally:
        shutil.move(tmp_path / "2", run)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(target.open()))
    assert {row["seeds"] for row in rows if row["model"] == "popularity"} == {"1"}


def test_a_damaged_record_is_one_line(recorded):
    path = machine_of(recorded) / "runs" / "tiny" / "elcrec" / "1" / "metrics.json"
    content = path.read_text()
    path.write_text(content.replace('"users": ', '"users": 1'))
    target = recorded.parent / "results" / FROM_RECORDED / "tables" / "table1.csv"
    try:
        done = snakemake(
            str(target), "--configfile", str(recorded), "--cores", "1", "--quiet", "all"
        )
    finally:
        path.write_text(content)
    assert done.returncode != 0
    told = done.stdout + done.stderr
    (line,) = {x for x in told.splitlines() if x.startswith("elcrec:") and "ranks.npz" in x}
    assert f"{path.parent / 'ranks.npz'}: " in line
    assert "for each of the 1120 users" in line
    assert "Traceback" not in told


def test_an_empty_record_is_one_line_before_any_job(recorded, tmp_path):
    own = yaml.safe_load(recorded.read_text()) | {"recorded": str(tmp_path)}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(own))
    done = snakemake("all", "--configfile", str(tmp_path / "own.yaml"), "--dry-run")
    assert done.returncode != 0
    (line,) = [x for x in done.stderr.splitlines() if x.startswith("elcrec:")]
    assert f"{tmp_path}: has no recorded runs" in line
    assert "Traceback" not in done.stderr


def test_one_word_on_the_command_line_is_enough(recorded, tmp_path):
    own = yaml.safe_load(recorded.read_text())
    del own["runs"]
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(own))
    done = snakemake(
        *("tables", "--configfile", str(tmp_path / "own.yaml"), "--config", "runs=recorded"),
        *("--dry-run", "--forceall", "--quiet", "reason"),
    )
    assert done.returncode == 0, done.stderr
    assert "train" not in jobs(done.stdout)
