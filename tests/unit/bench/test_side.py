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
    """Ten samples in batches of four."""

    device, batch_size, samples = torch.device("cpu"), 4, 10

    def __init__(self, start):
        self.done = [start]

    def about(self):
        return {"done": self.done}

    def prepare(self):
        print("noise that is no answer")

    def before_epoch(self):
        self.done.append("epoch")

    def train(self, samples):
        self.done.append(samples)

    def validate(self):
        raise ValueError("no\nluck")

    def memory(self):
        return {"done": self.done}


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
        assert process.ask("start")["steps_per_epoch"] == 3
        assert process.ask("steps", count=1)["count"] == 1
        assert process.ask("steps", count=5)["count"] == 3  # no more than an epoch has
        with pytest.raises(ProcessError, match="no attribute 'anything'"):
            process.ask("anything")
        with pytest.raises(ProcessError, match=r"it: ValueError: no luck$"):
            process.ask("epoch")
        assert process.ask("memory") == {"done": ["begin", "epoch", 4, 10, "epoch", 10]}


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (refuses, "it: threads: must be 1 or more$"),
        (leaves, "it: SystemExit: no luck$"),
        (ends, "it: ended with status 3$"),
        (is_killed, "it: was killed, perhaps for want of memory$"),
    ],
)
def test_a_process_that_fails_is_one_line(kind, message):
    with Process("it", kind) as process, pytest.raises(ProcessError, match=message):
        process.ask("build")


def test_a_process_that_takes_too_long_is_ended():
    with (
        Process("it", takes_too_long, seconds=0.1) as process,
        pytest.raises(ProcessError, match="it: stopped, was not done after 0 s"),
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
