"""The one reader of runs: gaps, runs in the wrong folder, and what the present did not make."""

import json

import pytest

from elcrec.config.config import load_config
from elcrec.errors import InputError
from elcrec.runs.plan import runs_of
from elcrec.runs.reading import Gap, Runs, failure
from elcrec.runs.settings import resolve
from tests.unit.tables.conftest import load_runs


def edit(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_gaps_are_reported_and_order_kept(output):
    output.run("toys", "elcrec", 1)
    output.run("beauty", "elcrec", 2)
    output.run("beauty", "sasrec", 1)
    unfinished = output.run("beauty", "elcrec", 1)
    (unfinished / "metrics.json").unlink()
    records, gaps = load_runs(output.path, ["beauty", "toys"], ["sasrec", "elcrec"], [1, 2])
    found = [(r.dataset, r.model, r.seed) for r in records]
    assert found == [("beauty", "sasrec", 1), ("beauty", "elcrec", 2), ("toys", "elcrec", 1)]
    assert gaps == [
        Gap("beauty", "sasrec", 2),
        Gap("beauty", "elcrec", 1),
        Gap("toys", "sasrec", 1),
        Gap("toys", "sasrec", 2),
        Gap("toys", "elcrec", 2),
    ]


def test_iterators_are_read_once(output):
    output.run("toys", "elcrec", 1)
    records, gaps = load_runs(output.path, iter(["beauty", "toys"]), iter(["elcrec"]), iter([1, 2]))
    assert (len(records), len(gaps)) == (1, 3)


@pytest.mark.parametrize(("key", "value"), [("dataset", "toys"), ("model", "x"), ("seed", 9)])
def test_a_record_in_another_runs_folder(output, key, value):
    folder = output.run("beauty", "elcrec", 1)
    edit(folder / "metrics.json", **{key: value})
    with pytest.raises(InputError, match=rf"metrics\.json: {key} is {value!r}; .* must be"):
        load_runs(output.path, ["beauty"], ["elcrec"], [1])


MODELS = ["sasrec", "iclrec", "elcrec", "a_model_that_nobody_names"]


@pytest.fixture
def stale(output):
    """Configuration of four runs: as the present makes them, of other code, of other settings, and
    of a model that the configuration does not name."""
    config = load_config().replaced(output=output.path, seeds=[1])
    for model in MODELS[:3]:
        settings = resolve(config, model, "beauty").digest()
        output.run("beauty", model, settings="old" if model == "elcrec" else settings)
    output.run("beauty", MODELS[3])
    return config


@pytest.fixture(autouse=True)
def code(monkeypatch):
    """The present code, as the hash of it that runs record."""
    module = {"baselines.sasrec": "code of sasrec", "elcrec.models.elcrec": "code of elcrec"}
    monkeypatch.setattr("elcrec.runs.reading.fingerprint", lambda name: module.get(name, "new"))


def test_what_the_present_did_not_make_is_refused_left_out_or_taken(stale):
    asked = list(runs_of(stale, ["beauty"], MODELS))
    with pytest.raises(InputError, match=r"iclrec/1: one of 2 runs not made with .* code.*-any"):
        Runs(stale).read(asked)
    runs = Runs(stale, "leave out")
    kept, gaps = runs.read(asked)
    assert [run.model for run in kept] == [MODELS[0], MODELS[3]]
    assert gaps == []
    assert runs.left_out == [
        Gap("beauty", "iclrec", 1, "made with other code, left out"),
        Gap("beauty", "elcrec", 1, "made with other settings, left out"),
    ]
    runs = Runs(stale, "take")
    assert [run.model for run in runs.read(asked)[0]] == MODELS
    assert runs.left_out == []


def test_of_recorded_runs_the_code_may_be_any_but_not_the_settings(stale, output):
    machine = output.path.parent / "record" / "cpu"
    machine.mkdir(parents=True)
    (output.path / "runs").rename(machine / "runs")
    config = stale.replaced(runs="recorded", recorded=machine.parent)
    runs = Runs(config, "leave out")
    assert [len(found) for found in runs.find(["beauty"], MODELS).values()] == [1, 1, 0, 1]
    assert runs.left_out == [Gap("beauty", "elcrec", 1, "made with other settings, left out")]


def test_measurements_are_judged_like_runs(stale, output):
    for model in ("iclrec", "sasrec"):
        settings = resolve(stale, model, "beauty").digest()
        output.efficiency("beauty", model, settings=settings)
    with pytest.raises(InputError, match=r"iclrec\.json: one of 1 runs not made with .* code"):
        Runs(stale).measurements(["beauty"], ["iclrec"])
    found, gaps = Runs(stale, "leave out").measurements(["beauty"], ["iclrec", "elcrec"])
    assert [record.model for record in found] == ["sasrec"]
    assert gaps == [("beauty", "elcrec")]


@pytest.mark.parametrize(
    ("left", "reason"),
    [
        ((), "not yet run"),
        (("checkpoints",), "started, but not finished"),
        ((".lock",), "started, but not finished"),
        (("failed.txt", "checkpoints"), "failed: out of memory"),
    ],
)
def test_a_gap_says_what_became_of_the_run(tmp_path, left, reason):
    for name in left:
        (tmp_path / name).write_text("out of memory\n")
    assert failure(tmp_path).startswith(reason)
