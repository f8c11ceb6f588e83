"""`snakemake replication_check` as a user runs it."""

import json
from pathlib import Path

import pytest
import yaml

from elcrec import ROOT
from elcrec.cli.main import main
from elcrec.config.config import load_config
from elcrec.runs.reading import Runs
from tests.workflow.make_tiny import write
from tests.workflow.test_workflow import jobs, snakemake

PADDING_RECOMMENDED = """
from baselines.popularity import Hyperparameters
from baselines.popularity import Model as Whole


class Model(Whole):
    def score_items(self, represented, first, last):
        scores = super().score_items(represented, first, last)
        if first == 0:
            scores[:, 0] = 1e9
        return scores
"""


@pytest.mark.parametrize(
    ("arguments", "trainings"),
    [
        ([], 3),
        (["--configfile", "workflow/config/nightly.yaml"], 3),
        (["--configfile", "workflow/config/nightly-cpu.yaml"], 15),
    ],
)
def test_the_check_needs_its_runs_and_nothing_else(arguments, trainings):
    options = ["--dry-run", "--forceall", "--quiet", "reason"]
    done = snakemake("replication_check", *options, *arguments)
    assert done.returncode == 0, done.stderr
    counts = jobs(done.stdout)
    counts.pop("total")
    expected = {"fetch": 1, "prepare": 1, "train": trainings, "replication_check": 1}
    assert counts == expected


@pytest.mark.parametrize("files", [[], ["nightly.yaml"], ["nightly-cpu.yaml"]])
def test_a_configured_reference_is_there(files):
    config = load_config([ROOT / "workflow" / "config" / file for file in files])
    wanted = config.nightly
    record = config.replaced(
        runs="recorded", recorded=ROOT / config.recorded, seeds=list(wanted.seeds)
    )
    found = Runs(record).find(wanted.use, wanted.models)  # refuses other settings
    assert found
    for recorded in found.values():
        assert [run.seed for run in recorded] == list(wanted.seeds)


def make_config(folder: Path, model: str, record: Path) -> Path:
    check = {"use": ["tiny"], "models": ["popularity"]}
    check["seeds"] = [1, 2, 3]  # popularity ignores them, so one user's change is too much
    changes = {"models": [model], "seeds": [1, 2, 3], "parameters": {}, "training": {}}
    efficiency = {"models": [], "seed": 1, "epochs": 1}
    return write(folder, **changes, efficiency=efficiency, nightly=check, recorded=str(record))


def appear_clean(metrics: Path) -> None:
    """Let a run appear to be of a clean commit, which the tree under test need not be."""
    record = json.loads(metrics.read_text()) | {"commit": "c" * 40, "dirty": False}
    metrics.write_text(json.dumps(record))


def test_a_break_fails_the_target_and_leaves_the_verdict(tmp_path):
    record = tmp_path / "record"
    whole = make_config(tmp_path / "whole", "popularity", record)
    arguments = ["replication_check", "--quiet", "rules", "--configfile"]

    unrecorded = snakemake(*arguments, str(whole))
    assert unrecorded.returncode != 0
    (line,) = [x for x in unrecorded.stderr.splitlines() if x.startswith("elcrec:")]
    assert f"{record}: has no recorded runs" in line
    assert "Traceback" not in unrecorded.stderr
    assert not (whole.parent / "results" / "runs").exists()  # nothing was trained for it

    runs = [f"{whole.parent}/results/runs/tiny/popularity/{s}/metrics.json" for s in (1, 2, 3)]
    assert snakemake(*runs, *arguments[1:], str(whole)).returncode == 0
    verdict = whole.parent / "results" / "replication_check.json"
    for metrics in (whole.parent / "results/runs").rglob("metrics.json"):
        appear_clean(metrics)
    assert main(["recorded", "add", "cpu-test", "--config", str(whole)]) == 0
    passed = snakemake(*arguments, str(whole))
    assert passed.returncode == 0, passed.stderr
    assert json.loads(verdict.read_text())["verdict"] == "ok"

    plugin = tmp_path / "plugin" / "popularity.yaml"
    plugin.parent.mkdir()
    plugin.with_suffix(".py").write_text(PADDING_RECOMMENDED)
    settings = yaml.safe_load((ROOT / "workflow/config/models/popularity.yaml").read_text())
    plugin.write_text(yaml.safe_dump(settings | {"module": "popularity.py"}))
    broken = make_config(tmp_path / "broken", str(plugin), record)
    failed = snakemake(*arguments, str(broken))
    assert failed.returncode != 0
    assert "REGRESSION: Popularity, Tiny, NDCG@5: " in failed.stdout + failed.stderr
    verdict = broken.parent / "results" / "replication_check.json"
    assert json.loads(verdict.read_text())["verdict"] == "regression"
