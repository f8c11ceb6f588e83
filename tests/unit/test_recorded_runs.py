"""The runs that this project publishes: whole, of the present settings, as the README says."""

import math

import pytest

from elcrec.arrays import read_arrays
from elcrec.cli import main
from elcrec.config import ROOT, load_config
from elcrec.metrics import summarise
from elcrec.names import SPLITS
from elcrec.recorded.about import about
from elcrec.recorded.machine import machines
from elcrec.registry import resolve
from elcrec.tables.history import read_history

MOST_BYTES = 40_000_000
RECORD = ROOT / "results" / "recorded"
MACHINES = machines(RECORD)
RUNS = [(machine, run) for machine in MACHINES for run in machine.runs().values()]
EACH = pytest.mark.parametrize(("machine", "run"), RUNS, ids=[run.id for _, run in RUNS])


@EACH
def test_metrics_are_those_of_the_ranks(machine, run):
    ranks = read_arrays(machine.part("ranks", run), SPLITS)
    for split in SPLITS:
        assert len(ranks[split]) == run.metrics["users"]
        for name, value in summarise(ranks[split]).items():
            assert math.isclose(run.metrics["metrics"][split][name], value, abs_tol=1e-9)


@EACH
def test_settings_are_the_present_ones_of_the_paper_configuration(machine, run):
    if run.variant:
        pytest.skip("a run of the sensitivity has other settings on purpose")
    settings = resolve(load_config(), run.key[1], run.key[0])
    assert run.metrics["settings"] == settings.digest()
    assert run.config["parameters"] == settings.as_dict()["parameters"]
    assert run.metrics["precision"] == "float32"
    assert run.metrics["protocol"] == "paper"


@EACH
def test_a_history_leads_to_the_tested_epoch(machine, run):
    history = read_history(machine.part("history", run), run.metrics["epochs"])
    training = run.config["training"]
    best = run.metrics["best_epoch"]
    scores = history[training["select_by"]]
    assert scores[best - 1] == pytest.approx(scores.max(), rel=1e-6)
    recorded = run.metrics["metrics"]["valid"][training["select_by"]]
    assert scores[best - 1] == pytest.approx(recorded, rel=1e-6)
    waited = run.metrics["epochs"] - best
    assert run.metrics["epochs"] == training["max_epochs"] or waited == training["patience"]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.folder.name)
def test_the_folder_is_small_names_no_path_and_has_no_file_of_nobody(machine):
    files = machine.files()
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    runs = machine.runs().values()
    named = {machine.part(name, run) for run in runs for name in ("ranks", "history", "intents")}
    own = {machine.folder / "runs.csv", machine.folder / "README.md"}
    loose = [p for p in files if p not in named | own and p.suffix != ".json"]
    assert loose == []
    for path in files:
        if path.suffix in (".csv", ".json", ".md"):
            words = path.read_text(encoding="utf-8").replace('"', " ").replace(",", " ").split()
            assert [w for w in words if w.startswith(("/tmp", "/home", "/root", "/work"))] == []


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.folder.name)
def test_the_readme_of_a_machine_is_that_of_its_runs(machine):
    text = (machine.folder / "README.md").read_text(encoding="utf-8")
    assert text == about(load_config(), list(machine.runs().values()))


@pytest.mark.skipif(not RUNS, reason="no run is recorded")
def test_the_results_in_the_readme_are_those_of_the_record():
    assert main(["recorded", "readme", "--check"]) == 0
