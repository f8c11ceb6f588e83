"""The runs that this project publishes: whole, of the present settings, as the README says."""

import math
import re

import pytest
import yaml

from elcrec import ROOT
from elcrec.cli.main import main, make_parser
from elcrec.config.config import load_config
from elcrec.data.sequences import SPLITS
from elcrec.evaluation.metrics import summarise
from elcrec.files.jsonfile import read_object
from elcrec.files.npzfile import read_arrays
from elcrec.files.weights import WEIGHTS
from elcrec.recorded.about import about
from elcrec.recorded.add import MOST_BYTES
from elcrec.recorded.check import expected_runs
from elcrec.recorded.folder import recorded_runs
from elcrec.runs.history import read_history
from elcrec.runs.lists import TOP
from elcrec.runs.places import machines
from elcrec.runs.record import FILES, INTENTS, load_run
from elcrec.runs.settings import digested
from elcrec.tables.use import MEASURED
from elcrec.training.settings import LAST

RECORD = ROOT / "results" / "recorded"
CONFIGS = {
    "the replication": [],
    "the nightly check": ["nightly-cpu.yaml"],
    "the study of MovieLens-100K": ["study.yaml", "study-ml-100k.yaml"],
    "the study of Beauty": ["study.yaml", "study-beauty.yaml"],
}
PATH = re.compile(r"""(^|[\s"'=,\[(])(/\w|~/)""", re.MULTILINE)
"""An absolute path, in whatever stands before it."""


@pytest.fixture(scope="module", params=CONFIGS)
def config(request):
    """A configuration that has a record of its own."""
    found = load_config([ROOT / "workflow" / "config" / file for file in CONFIGS[request.param]])
    return found.replaced(recorded=ROOT / found.recorded)


@pytest.fixture(scope="module")
def runs(config):
    """Every recorded run and its folder's other records."""
    found = [run for machine in machines(config.recorded) for run in recorded_runs(machine)]
    assert found
    return [(run, load_run(run.folder)) for run in found]


@pytest.fixture(scope="module")
def asked(config):
    """What the configuration asks for, by data set, model, variant and seed."""
    found = list(expected_runs(config))
    return {(w.run.dataset, w.run.model, w.run.variant, w.run.seed): w for w in found}


def settings_of(run):
    return yaml.safe_load((run.folder / "config.yaml").read_text())


def test_metrics_are_those_of_the_ranks(runs):
    for run, _ in runs:
        ranks = read_arrays(run.folder / "ranks.npz", SPLITS)
        for split in SPLITS:
            assert len(ranks[split]) == run.users, run.id
            for name, value in summarise(ranks[split]).items():
                recorded = run.metrics[split][name]
                assert math.isclose(recorded, value, abs_tol=1e-9), (run.id, split, name)


def test_settings_are_the_present_ones_of_the_configuration(runs, config, asked):
    for run, record in runs:
        settings = asked[run.key].settings
        assert record.settings == settings.digest(), run.id
        recorded = settings_of(run)
        assert digested(recorded) == digested(settings.as_dict()), run.id
        metrics = read_object(run.folder / "metrics.json")
        assert metrics["precision"] == "float32", run.id
        assert record.protocol == recorded["protocol"] == config.protocol == "paper", run.id


def test_runs_lie_where_they_are_read(runs):
    for run, record in runs:
        dataset, model, variant, seed = run.key
        place = ("sensitivity", dataset, variant) if variant else ("runs", dataset, model)
        assert run.folder.parts[-4:] == (*place, str(seed))
        assert (record.dataset, record.model, record.seed) == (dataset, model, seed)


def test_runs_of_a_data_set_saw_the_same_histories(runs):
    for dataset in {run.key[0] for run, _ in runs}:
        assert len({record.data for _, record in runs if record.dataset == dataset}) == 1


def test_a_history_leads_to_the_tested_epoch(runs):
    for run, record in runs:
        history = read_history(run.folder / "history.csv", record.epochs)
        training = settings_of(run)["training"]
        best, epochs = record.best_epoch, record.epochs
        if training["select_by"] == LAST:
            assert best == epochs == training["max_epochs"], run.id
            continue
        scores = history[training["select_by"]]
        assert scores[best - 1] == pytest.approx(scores.max(), rel=1e-6), run.id
        recorded = record.metrics["valid"][training["select_by"]]
        assert scores[best - 1] == pytest.approx(recorded, rel=1e-6), run.id
        assert epochs == training["max_epochs"] or epochs - best == training["patience"], run.id


def test_every_run_is_of_a_clean_commit_and_has_a_command_that_elcrec_has(runs):
    for run, record in runs:
        assert re.fullmatch("[0-9a-f]{40}", record.commit)
        assert not record.dirty
        parsed = make_parser().parse_args(run.environment.command[1:])
        assert (parsed.dataset, parsed.model, parsed.seed) == (*run.key[:2], run.key[3])
        assert all((ROOT / file).exists() for file in parsed.config), run.id


def test_the_folders_are_small_and_have_no_file_of_nobody(config, runs):
    for machine in machines(config.recorded):
        files = {path for path in machine.rglob("*") if path.is_file()}
        assert sum(path.stat().st_size for path in files) < MOST_BYTES
        kept = (*FILES, INTENTS, WEIGHTS, TOP)
        named = {run.folder / name for run, _ in runs for name in kept}
        loose = files - named - {machine / "README.md", machine / MEASURED}
        assert {path.parts[-3] for path in loose} <= {"efficiency", "released"}


def test_the_readme_of_a_machine_is_that_of_its_runs(config):
    for machine in machines(config.recorded):
        text = (machine / "README.md").read_text(encoding="utf-8")
        assert text == about(config, recorded_runs(machine))


def test_nothing_in_the_record_is_a_path_of_a_machine():
    kinds = (".csv", ".json", ".md", ".yaml")
    texts = [p for p in RECORD.rglob("*") if p.suffix in kinds]
    assert len(texts) > 100
    assert [p for p in texts if PATH.search(p.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("text", ['"/tmp/x"', "--config=/scratch/x", "a /home/me", "~/x", "/x"])
def test_such_paths_would_be_seen(text):
    assert PATH.search(text)


@pytest.mark.parametrize("text", ["results/x", "HR@5/NDCG@5", "1 / 2", "https://a.b/c"])
def test_other_texts_are_none(text):
    assert not PATH.search(text)


def test_the_results_in_the_readme_are_those_of_the_record(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert main(["recorded", "readme", "--check"]) == 0
