"""Weights of runs: what is written comes back, bit for bit, and nothing else is taken for it."""

import json
import os
import struct

import pytest
import torch
from safetensors import safe_open

from elcrec.errors import InputError
from elcrec.files.weights import WEIGHTS, read_weights, weights_file, write_weights

STATE = {
    "items.weight": torch.randn(5, 4),
    "turned": torch.randn(3, 2).T,  # not contiguous
    "counts": torch.arange(6),
    "epoch": torch.tensor(3),
    "none": torch.zeros(0, 4),
    "half": torch.ones(2, dtype=torch.bfloat16),
    "flag": torch.tensor([True, False]),
}


def same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].dtype == value.dtype
        assert torch.equal(found[name], value)


@pytest.mark.parametrize("name", [WEIGHTS, "weights.pt"])
def test_a_state_comes_back_as_it_was(tmp_path, name):
    """Also of `torch.save`, as runs were written before and the authors publish theirs."""
    path = tmp_path / name
    if name == WEIGHTS:
        write_weights(path, STATE)
        with safe_open(path, "pt") as opened:
            assert set(opened.keys()) == set(STATE)
    else:
        torch.save(STATE, path)
    same(read_weights(path), STATE)
    assert [found.name for found in tmp_path.iterdir()] == [name]


def test_the_same_state_is_the_same_file(tmp_path):
    for name, state in (("a", STATE), ("b", dict(reversed(STATE.items())))):
        write_weights(tmp_path / name, state)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_full_disk_is_said_and_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / WEIGHTS
    write_weights(path, STATE)
    before = path.read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=rf"{WEIGHTS}: cannot be written: No space left"):
        write_weights(path, {"other": torch.ones(1)})
    assert path.read_bytes() == before


def file_of(**tensors):
    """A file with such a header and zeros, as many as it says."""
    header = json.dumps(tensors).encode()
    size = max(tensor["data_offsets"][1] for tensor in tensors.values())
    return struct.pack("<Q", len(header)) + header + bytes(size)


def tensor(kind="F32", shape=(4,), size=16):
    return {"dtype": kind, "shape": shape, "data_offsets": [0, size]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot read weights"),
        (b"no weights at all", "cannot read weights"),
        (struct.pack("<Q", 2) + b"{}", "holds no state dictionary"),
        (file_of(a=tensor())[:-1], "cannot read weights"),
        (file_of(a=tensor(shape=(2**62, 8))), "cannot read weights"),
        (file_of(a=tensor("F99")), "cannot read weights"),
        (file_of(a=tensor("C64", size=32)), "'a' is not a tensor of finite"),
        (file_of(a=tensor())[:-4] + struct.pack("<f", float("nan")), "'a' is not a tensor of"),
        (file_of(a=tensor("F8_E4M3", size=4))[:-1] + b"\x7f", "'a' is not a tensor of finite"),
    ],
)
def test_what_holds_no_weights_is_refused_in_one_line(tmp_path, content, message):
    path = tmp_path / WEIGHTS
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"{path}: {message}") as told:
        read_weights(path)
    assert "\n" not in str(told.value)


def test_weights_of_runs_from_before_are_found_and_new_ones_go_before_them(tmp_path):
    assert weights_file(tmp_path) == tmp_path / WEIGHTS
    (tmp_path / "weights.pt").touch()
    assert weights_file(tmp_path) == tmp_path / "weights.pt"
    (tmp_path / WEIGHTS).touch()
    assert weights_file(tmp_path) == tmp_path / WEIGHTS
