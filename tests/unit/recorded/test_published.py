"""The runs that this project publishes: whole, of the present settings, as the README says."""

import math
import re

import pytest

from elcrec import ROOT
from elcrec.cli.main import main, make_parser
from elcrec.config.config import load_config
from elcrec.data.sequences import SPLITS
from elcrec.evaluation.metrics import summarise
from elcrec.files.npzfile import read_arrays
from elcrec.recorded.about import about
from elcrec.recorded.add import MOST_BYTES
from elcrec.recorded.check import wanted
from elcrec.recorded.machine import machines
from elcrec.runs.history import read_history
from elcrec.runs.settings import resolve
from elcrec.training.settings import LAST

RECORD = ROOT / "results" / "recorded"
PATH = re.compile(r"""(^|[\s"'=,\[(])(/\w|~/)""", re.MULTILINE)
"""An absolute path, in whatever stands before it."""


@pytest.fixture(scope="module")
def config():
    return load_config().replaced(recorded=RECORD)


@pytest.fixture(scope="module")
def runs():
    """Machine and run of every line of the record."""
    found = [(machine, run) for machine in machines(RECORD) for run in machine.runs().values()]
    if not found:
        pytest.skip("no run is recorded")
    return found


@pytest.fixture(scope="module")
def asked(config):
    """What the configuration asks for, by data set, model, variant and seed."""
    return {(a.dataset, a.model, a.variant, a.seed): a for a in wanted(config)}


def test_metrics_are_those_of_the_ranks(runs):
    for machine, run in runs:
        ranks = read_arrays(machine.part("ranks", run), SPLITS)
        for split in SPLITS:
            assert len(ranks[split]) == run.metrics["users"], run.id
            for name, value in summarise(ranks[split]).items():
                recorded = run.metrics["metrics"][split][name]
                assert math.isclose(recorded, value, abs_tol=1e-9), (run.id, split, name)


def test_settings_are_the_present_ones_of_the_paper_configuration(runs, config, asked):
    for _, run in runs:
        settings = resolve(config, run.key[1], run.key[0], asked[run.key].changes)
        assert run.metrics["settings"] == settings.digest(), run.id
        expected = settings.as_dict()
        del expected["module"]  # as it was called when the run was made
        assert {key: run.config[key] for key in expected} == expected, run.id
        assert run.metrics["precision"] == "float32", run.id
        assert run.metrics["protocol"] == run.config["protocol"] == "paper", run.id


def test_runs_of_a_data_set_saw_the_same_histories(runs):
    for dataset in {run.key[0] for _, run in runs}:
        assert len({run.metrics["data"] for _, run in runs if run.key[0] == dataset}) == 1


def test_a_history_leads_to_the_tested_epoch(runs):
    for machine, run in runs:
        epochs, best = run.metrics["epochs"], run.metrics["best_epoch"]
        history = read_history(machine.part("history", run), epochs)
        training = run.config["training"]
        if training["select_by"] == LAST:
            assert best == epochs == training["max_epochs"], run.id
            continue
        scores = history[training["select_by"]]
        assert scores[best - 1] == pytest.approx(scores.max(), rel=1e-6), run.id
        recorded = run.metrics["metrics"]["valid"][training["select_by"]]
        assert scores[best - 1] == pytest.approx(recorded, rel=1e-6), run.id
        assert epochs == training["max_epochs"] or epochs - best == training["patience"], run.id


def test_every_command_is_one_that_elcrec_has(runs):
    for _, run in runs:
        parsed = make_parser().parse_args(run.environment["command"][1:])
        assert (parsed.dataset, parsed.model, parsed.seed) == (*run.key[:2], run.key[3])


def test_the_folders_are_small_and_have_no_file_of_nobody(runs):
    for machine in {machine for machine, _ in runs}:
        assert machine.bytes() < MOST_BYTES
        own = [run for other, run in runs if other is machine]
        named = {machine.part(name, run) for run in own for name in ("ranks", "history", "intents")}
        named |= {machine.folder / "runs.csv", machine.folder / "README.md"}
        loose = {path for path in machine.files() if path.suffix != ".json"}
        assert loose - named == set()


def test_nothing_in_the_record_is_a_path_of_a_machine(runs):
    texts = [p for p in RECORD.rglob("*") if p.suffix in (".csv", ".json", ".md")]
    assert [p for p in texts if PATH.search(p.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("text", ['"/tmp/x"', "--config=/scratch/x", "a /home/me", "~/x", "/x"])
def test_such_paths_would_be_seen(text):
    assert PATH.search(text)


@pytest.mark.parametrize("text", ["results/x", "HR@5/NDCG@5", "1 / 2", "https://a.b/c"])
def test_other_texts_are_none(text):
    assert not PATH.search(text)


def test_the_readme_of_a_machine_is_that_of_its_runs(runs, config):
    for machine in {machine for machine, _ in runs}:
        text = (machine.folder / "README.md").read_text(encoding="utf-8")
        assert text == about(config, list(machine.runs().values()))


def test_the_results_in_the_readme_are_those_of_the_record(runs, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert main(["recorded", "readme", "--check"]) == 0
