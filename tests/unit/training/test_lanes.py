"""Trainings side by side: each as if it were alone."""

import functools
import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

import baselines.gru4rec
import baselines.iclrec
import baselines.sasrec
import elcrec.models.elcrec
from elcrec.training.lanes import Lane, Work, side_by_side
from elcrec.training.loop import train, training
from elcrec.training.result import Options
from elcrec.training.settings import TrainingSettings
from tests.contract.contract import cycle_data

CPU = torch.device("cpu")
SMALL = {"dimension": 16, "max_length": 12, "blocks": 1}
MODELS = {
    "elcrec": (elcrec.models.elcrec, SMALL | {"intents": 8}),
    "iclrec": (baselines.iclrec, SMALL | {"intents": 8}),
    "sasrec": (baselines.sasrec, SMALL),
    "gru4rec": (baselines.gru4rec, {"dimension": 16, "hidden": 24, "max_length": 12}),
}
SETTINGS = TrainingSettings(batch_size=32, max_epochs=3, patience=0)
RUNS = [(name, seed) for name in MODELS for seed in (1, 2)]


def make(name, seed, data):
    module, values = MODELS[name]
    torch.manual_seed(seed)
    return module.Model(module.Hyperparameters(**values), data.n_users, data.item_size)


@functools.cache
def alone(name, seed):
    data = cycle_data()
    return train(make(name, seed, data), data, SETTINGS, seed=seed)


def in_turns(name, seed, events=None):
    data = cycle_data()
    turns = training(make(name, seed, data), data, SETTINGS, seed, "paper", Options())
    while True:
        try:
            next(turns)
        except StopIteration as end:
            return end.value
        if events is not None:
            events.append((name, seed))
        yield


@pytest.mark.parametrize("at_once", [1, 3, len(RUNS)])
def test_each_training_is_as_if_it_were_alone(at_once):
    """Bit for bit on a CPU: losses, ranks and weights, whatever runs beside it."""
    outcomes, events = {}, []
    works = [
        Work(
            start=lambda run=run: in_turns(*run, events),
            done=lambda result, run=run: outcomes.__setitem__(run, result),
            failed=lambda error: pytest.fail(str(error)),
        )
        for run in RUNS
    ]
    before = torch.get_rng_state()
    assert side_by_side(works, at_once, CPU) == []
    assert torch.equal(torch.get_rng_state(), before)
    assert list(dict.fromkeys(events)) == RUNS  # begun in the order given
    switches = sum(a != b for a, b in itertools.pairwise(events))
    assert switches == len(RUNS) - 1 if at_once == 1 else switches > len(events) // 2
    for run in RUNS:
        expected, found = alone(*run), outcomes[run]
        for ours, theirs in zip(found.history, expected.history, strict=True):
            same = [key for key in theirs if not key.startswith("seconds_")]
            assert [ours[key] for key in same] == [theirs[key] for key in same]
        np.testing.assert_array_equal(found.ranks["test"], expected.ranks["test"])
        for name, weight in expected.weights.items():
            assert torch.equal(found.weights[name], weight), (run, name)


def counting(turns, log, name):
    for turn in range(turns):
        log.append((name, turn))
        yield
    return name


def work(name, log, turns=2, ready=lambda: True, outcome=None):
    outcome = [] if outcome is None else outcome
    return Work(
        start=lambda: counting(turns, log, name),
        done=outcome.append,
        failed=lambda error: log.append((name, error)),
        ready=ready,
    )


def test_one_that_fails_does_not_stop_the_others():
    log, outcome = [], []

    def failing():
        yield
        raise ValueError("broken")

    errors = []
    broken = Work(start=failing, done=outcome.append, failed=errors.append)
    side_by_side([work("a", log, outcome=outcome), broken, work("b", log, outcome=outcome)], 3, CPU)
    assert sorted(outcome) == ["a", "b"]
    assert [str(error) for error in errors] == ["broken"]


def test_work_waits_until_it_is_ready_and_what_never_is_comes_back():
    log, outcome = [], []
    second = work("second", log, ready=lambda: "first" in outcome, outcome=outcome)
    never = work("never", log, ready=lambda: False, outcome=outcome)
    first = work("first", log, outcome=outcome)
    assert side_by_side([second, never, first], 3, CPU) == [never]
    assert outcome == ["first", "second"]
    assert [name for name, _ in log] == ["first", "first", "second", "second"]


def test_a_lane_goes_on_with_its_own_random_numbers():
    torch.manual_seed(3)
    expected = torch.rand(4).tolist()
    torch.manual_seed(3)
    lane, drawn = Lane(CPU), []
    for _ in range(2):
        torch.rand(7)  # of others
        with lane.turn():
            drawn += torch.rand(2).tolist()
    assert drawn == expected


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("graphs", [False, True])
def test_on_a_gpu_each_training_is_as_if_it_were_alone(graphs, capsys):
    from tests.unit.training.test_graph import on_gpu

    data = on_gpu(cycle_data())
    settings = replace(SETTINGS, max_epochs=6)  # so many until the last batches are replayed too

    def turns(name, seed):
        model = make(name, seed, data).to("cuda")
        return training(model, data, settings, seed, "paper", Options(graphs=graphs))

    outcomes = {}
    works = [
        Work(
            start=lambda run=run: turns(*run),
            done=lambda result, run=run: outcomes.__setitem__(run, result),
            failed=lambda error: pytest.fail(str(error)),
        )
        for run in RUNS
    ]
    side_by_side(works, 4, data.device)
    assert capsys.readouterr().err == ""  # no capture failed
    for name, seed in RUNS:
        model = make(name, seed, data).to("cuda")
        expected = train(model, data, settings, seed=seed, options=Options(graphs=graphs))
        for ours, theirs in zip(outcomes[name, seed].history, expected.history, strict=True):
            assert ours["loss_total"] == pytest.approx(theirs["loss_total"], rel=1e-3)
