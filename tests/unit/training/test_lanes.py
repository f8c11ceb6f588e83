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
from elcrec.training.lanes import Lane, side_by_side
from elcrec.training.loop import train
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
    turns = train.in_turns(make(name, seed, data), data, SETTINGS, seed=seed)
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
    events = []
    before = torch.get_rng_state()
    outcomes = dict(side_by_side(RUNS, lambda run: in_turns(*run, events), at_once, CPU))
    assert outcomes.keys() == set(RUNS)
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


@pytest.mark.parametrize("before", [0, 1])
def test_one_that_fails_does_not_stop_the_others(before):
    """In its first turn or in a later one."""

    def begin(name):
        if name == "broken":
            for _ in range(before):
                yield
            raise ValueError(name)
        return (yield from counting(2, [], name))

    outcomes = dict(side_by_side(["a", "broken", "b"], begin, 3, CPU))
    assert isinstance(error := outcomes.pop("broken"), ValueError)
    assert str(error) == "broken"
    assert outcomes == {"a": "a", "b": "b"}


def test_work_waits_until_it_is_ready_and_what_never_is_is_left_out():
    log, outcomes = [], []
    ready = {"first": lambda: True, "second": lambda: "first" in outcomes, "never": lambda: False}

    def begin(name):
        return counting(2, log, name)

    names = ["second", "never", "first"]
    for name, outcome in side_by_side(names, begin, 3, CPU, lambda name: ready[name]()):
        assert name == outcome
        outcomes.append(outcome)
    assert outcomes == ["first", "second"]
    assert [name for name, _ in log] == ["first", "first", "second", "second"]
    assert names == ["second", "never", "first"]  # the caller's list is left alone


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


@pytest.mark.gpu
@pytest.mark.parametrize("graphs", [False, True])
def test_on_a_gpu_each_training_is_as_if_it_were_alone(graphs, capsys):
    from tests.unit.training.test_graph import on_gpu

    data = on_gpu(cycle_data())
    settings = replace(SETTINGS, max_epochs=6)  # so many until the last batches are replayed too

    def turns(name, seed):
        model = make(name, seed, data).to("cuda")
        options = Options(graphs=graphs)
        return (yield from train.in_turns(model, data, settings, seed=seed, options=options))

    outcomes = dict(side_by_side(RUNS, lambda run: turns(*run), 4, data.device))
    assert capsys.readouterr().err == ""  # no capture failed
    for name, seed in RUNS:
        model = make(name, seed, data).to("cuda")
        expected = train(model, data, settings, seed=seed, options=Options(graphs=graphs))
        for ours, theirs in zip(outcomes[name, seed].history, expected.history, strict=True):
            assert ours["loss_total"] == pytest.approx(theirs["loss_total"], rel=1e-3)
