"""Runs share the GPUs of a machine: each takes one that no other run has."""

import subprocess
import sys
import tempfile
from types import SimpleNamespace

import pytest
import torch

from elcrec.jobs import device

CLAIM = """
import sys
from types import SimpleNamespace
import torch
from elcrec.jobs import device

torch.cuda.device_count = lambda: 2
torch.cuda.get_device_properties = lambda index: SimpleNamespace(uuid=f"number-{index}")
print(device.claim_gpu(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def two_gpus(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(device, "_held", [])
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    named = lambda index: SimpleNamespace(uuid=f"number-{index}")  # noqa: E731
    monkeypatch.setattr(torch.cuda, "get_device_properties", named)


def claims():
    """The number that a process of its own claims, and that process, which goes on holding it."""
    process = subprocess.Popen(
        [sys.executable, "-c", CLAIM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    return int(process.stdout.readline()), process


def test_each_process_has_a_gpu_of_its_own_until_it_is_gone(two_gpus):
    number, process = claims()
    assert number == 0
    assert device.claim_gpu() == 1
    assert device.claim_gpu() == 0  # all are taken: they share the first
    process.kill()
    process.wait()
    number, process = claims()
    assert number == 0
    process.communicate()
