"""Measuring processes that refuse, fail, end or take too long: one line each."""

import os
import signal
import time

import pytest
import torch

from elcrec.bench.released_side import first_gpu
from elcrec.bench.side import Process, ProcessError, Side
from elcrec.errors import InputError


class Counting(Side):
    """Ten samples in batches of four: an epoch takes 1 s, 2 s for each step, and 4 s."""

    device, batch_size, samples = torch.device("cpu"), 4, 10

    def __init__(self, start):
        self.done = [start]

    def about(self):
        return {"done": self.done}

    def start(self, steps=None):
        print("noise that is no answer")
        return 0.5

    def pass_over(self, samples):
        self.done.append(samples)
        return 1.0, 2.0 * self.batches(samples), 4.0

    def memory(self):
        return {"done": self.done}

    def fail(self):
        raise ValueError("no\nluck")


class Untrained(Counting):
    """Takes no steps."""

    samples = 0


def refuses():
    raise InputError("threads: must be 1 or more")


def leaves():
    raise SystemExit("no luck")


def ends():
    os._exit(3)


def is_killed():
    os.kill(os.getpid(), signal.SIGKILL)


def takes_too_long():
    time.sleep(60)


def test_questions_are_answered_in_another_process():
    with Process("it", Counting) as process:
        assert process.ask("build", start="begin") == {"done": ["begin"]}
        assert process.ask("start") == 0.5
        # One step of 2 s; an epoch of three, computed.
        assert process.ask("round", steps=1) == {"step": 2.0, "evaluation": 4.0, "epoch": 11.0}
        assert process.ask("round", steps=5)["step"] == 2.0  # no more than an epoch has
        with pytest.raises(ProcessError, match="no attribute 'anything'"):
            process.ask("anything")
        with pytest.raises(ProcessError, match=r"it: ValueError: no luck$"):
            process.ask("fail")
        assert process.ask("epoch") == 11.0
        assert process.ask("memory") == {"done": ["begin", 4, 10, 10]}


def test_a_model_that_is_not_trained_takes_no_steps():
    side = Untrained("begin")
    assert side.round() == {"evaluation": 4.0, "epoch": 5.0}
    assert side.done == ["begin", 0]


@pytest.mark.parametrize(("device", "samples"), [("cpu", 10 * 64), ("cuda", 15 * 64)])
def test_a_group_is_ten_steps_or_on_a_gpu_those_of_an_epoch_without_the_smaller_batch(
    device, samples
):
    side = Counting("begin")
    side.device, side.batch_size, side.samples = torch.device(device), 64, 1000
    assert side.group() == samples
    assert side.group(3) == 3 * 64


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (refuses, "it: threads: must be 1 or more$"),
        (leaves, "it: SystemExit: no luck$"),
        (ends, "it: exited with status 3$"),
        (is_killed, "it: was killed, perhaps out of memory$"),
    ],
)
def test_a_process_that_fails_is_one_line(kind, message):
    with Process("it", kind) as process, pytest.raises(ProcessError, match=message):
        process.ask("build")


def test_a_process_that_takes_too_long_is_ended():
    with (
        Process("it", takes_too_long, seconds=0.1) as process,
        pytest.raises(ProcessError, match="it: stopped, not finished after 0 s"),
    ):
        process.ask("build")
    assert process.child.exitcode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("seen", "device", "left"),
    [(None, "cuda:2", "2"), ("5,7", "cuda:1", "7"), ("5", "cuda:0", "5"), (None, "cpu", None)],
)
def test_other_code_sees_only_the_gpu_that_ours_runs_on(monkeypatch, seen, device, left):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if seen:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", seen)
    assert first_gpu(device).type == device[: len("cuda")].removesuffix(":")
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == left
    monkeypatch.undo()
