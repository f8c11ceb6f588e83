"""Runs share the GPUs of a machine: each takes one that no other run has."""

import subprocess
import sys
import tempfile
from types import SimpleNamespace

import pytest
import torch

from elcrec.errors import InputError, WriteError
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


@pytest.mark.parametrize(
    "name",
    ["mps", "xpu", "meta", "hpu", "vulkan", "privateuseone", "gpu", "CPU", "cpu:0", "cuda:-1", ""],
)
def test_what_is_no_device_of_this_code_is_refused(name):
    message = f"--device {name or repr(name)}: must be auto, cpu, cuda or cuda:N"
    with pytest.raises(InputError) as refused:
        device.find(name)
    assert str(refused.value) == message


def test_a_device_is_found_by_its_name(two_gpus, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for name in ("cpu", "cuda", "cuda:1"):
        assert device.find(name) == torch.device(name)
    assert device.find("auto") == torch.device("cuda")
    with pytest.raises(InputError, match="PyTorch sees GPUs here: 2, numbered from 0"):
        device.find("cuda:9")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device.find("auto") == torch.device("cpu")
    for name in ("cuda", "cuda:9"):
        with pytest.raises(InputError, match=f"^--device {name}: PyTorch sees no GPU here"):
            device.find(name)


def test_a_folder_for_locks_that_cannot_be_written_to_is_one_line(two_gpus, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    with pytest.raises(WriteError, match=r"gpu-number-0\.lock: cannot be written: a file or"):
        device.claim_gpu()


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
