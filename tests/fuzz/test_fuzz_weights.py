"""Weights, golden fixtures and ranks of the authors' code: nothing in them is ever run."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

from baselines import s3rec
from elcrec.cli.main import main
from elcrec.config.config import load_config
from elcrec.errors import InputError
from elcrec.files.weights import read_weights
from elcrec.jobs.run import Run, Start, build
from elcrec.runs.settings import resolve
from elcrec.verification import golden
from elcrec.verification.released import compare_ranks
from elcrec.verification.tensor_names import load_released, to_released
from tests.fuzz.harness import attempt, command, fuzz
from tests.fuzz.mutations import damaged_bytes, damaged_file, damaged_tree, npz
from tests.workflow.make_tiny import write

GOLDEN = Path(__file__).parents[1] / "golden"
SIZES = {"dimension": 8, "max_length": 6, "blocks": 1, "heads": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="module")
def model() -> s3rec.Model:
    torch.manual_seed(0)
    return s3rec.Model(s3rec.Hyperparameters(**SIZES), 5, 12)


def saved(state: Any) -> bytes:
    target = io.BytesIO()
    torch.save(state, target)
    return target.getvalue()


OTHER_TENSORS = (
    torch.tensor([[float("nan")] * 8] * 12),
    torch.tensor(3.0),
    torch.zeros(2, 3, 4),
    torch.zeros(0, 8),
    torch.ones(12, 8, dtype=torch.int64),
    torch.ones(12, 8, dtype=torch.complex64),
    torch.ones(12, 8, dtype=torch.bool),
    torch.ones(12, 8, dtype=torch.float16),
    torch.ones(12, 8).to_sparse(),
    torch.empty(12, 8, device="meta"),
    torch.ones(1, 1).expand(2**20, 2**20),
    None,
    "text",
    [1.0],
    {"a": torch.ones(1)},
)


@st.composite
def damaged_weights(draw: Any, state: dict[str, torch.Tensor]) -> bytes:
    """A state dictionary with other names, shapes or kinds, or damaged as bytes."""
    if draw(st.integers(0, 2)) == 0:
        return draw(damaged_bytes(saved(state)))
    changed: dict[Any, Any] = dict(state)
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from(sorted(map(str, changed)) or [""]))
        change = draw(st.sampled_from(("drop", "rename", "other", "part", "type")))
        value = changed.pop(name, None)
        if change == "rename":
            changed[
                draw(st.sampled_from((name + "x", 7, None, "", "encoder.blocks.x", "a\nb")))
            ] = value
        elif change == "other":
            changed[name] = draw(st.sampled_from(OTHER_TENSORS))
        elif change == "part" and name in state and state[name].ndim:
            changed[name] = state[name][:-1].clone()
        elif change == "type" and name in state:
            changed[name] = state[name].to(torch.float64)
    whole = (changed, changed, changed, list(changed), None, {}, torch.ones(3))
    return saved(draw(st.sampled_from(whole)))


@st.composite
def damaged_safetensors(draw: Any, state: dict[str, torch.Tensor]) -> bytes:
    """Weights as a run writes them, with other names, types or shapes, or damaged as bytes."""
    content = safetensors.torch.save(state)
    kind = draw(st.sampled_from(("bytes", "header", "values")))
    if kind == "bytes":
        return draw(damaged_bytes(content))
    if kind == "values":
        wrong = torch.full_like(state["encoder.items.weight"], float("nan"))
        return safetensors.torch.save(state | {"encoder.items.weight": wrong})
    (size,) = struct.unpack("<Q", content[:8])
    header = draw(damaged_tree(json.loads(content[8 : 8 + size])))
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content[8 + size :]


@fuzz(80)
@given(data=st.data())
def test_released_weights(folder: Path, model: s3rec.Model, data: st.DataObject) -> None:
    path = folder / "released.pt"
    path.write_bytes(data.draw(damaged_weights(to_released(model.state_dict()))))
    found = attempt("released weights .pt", path, lambda: load_released(path))
    if found is not None:
        assert all(torch.isfinite(tensor).all() for tensor in found.values())
        assert found["encoder.items.weight"].ndim == 2


@fuzz(80)
@given(data=st.data())
def test_weights_to_start_from(folder: Path, model: s3rec.Model, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from((".pt", ".safetensors")))
    path = folder / f"start{kind}"
    damage = damaged_weights if kind == ".pt" else damaged_safetensors
    path.write_bytes(data.draw(damage(model.state_dict())))
    settings: Any = SimpleNamespace(module=s3rec, parameters=s3rec.Hyperparameters(**SIZES))
    run = Run("small", 1, "paper", settings, Start(str(path), "0" * 64))
    small: Any = SimpleNamespace(n_users=5, item_size=12, device="cpu")
    found = attempt(f"weights {kind}", path, lambda: build(run, small))
    if found is not None:
        assert all(torch.isfinite(p).all() for p in found.parameters())


class Harm:
    """Would make a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


@pytest.mark.parametrize("kind", ["torch", "torch old format", "pickle", "in a tensor's place"])
def test_code_in_weights_is_never_run(folder: Path, kind: str) -> None:
    path, mark = folder / "harm.pt", folder / f"mark of {kind}"
    harm: Any = {"item_embeddings.weight": Harm(mark)}
    if kind == "pickle":
        path.write_bytes(pickle.dumps(harm))
    elif kind == "in a tensor's place":
        good = zipfile.ZipFile(io.BytesIO(saved({"a": torch.ones(2)})))
        with good, zipfile.ZipFile(path, "w") as target:
            for name in good.namelist():
                content = good.read(name)
                target.writestr(name, pickle.dumps(harm) if name.endswith(".pkl") else content)
    else:
        torch.save(harm, path, _use_new_zipfile_serialization=kind == "torch")
    for read in (read_weights, load_released):
        assert attempt("pickles that run code", path, lambda read=read: read(path)) is None
    assert not mark.exists()


def test_code_in_arrays_is_never_run(folder: Path) -> None:
    path, mark = folder / "ranks-test.npz", folder / "mark"
    path.write_bytes(npz({"released": np.array([Harm(mark)], dtype=object)}))
    with pytest.raises(InputError, match="is not a complete"):
        compare_ranks(path, {"test": np.zeros(1, dtype=np.int64)}, "paper")
    with pytest.raises(InputError, match="is not a complete"):
        golden.Fixture(path)
    assert not mark.exists()


@pytest.mark.parametrize("name", ["tiny_elcrec_shift", "tiny_iclrec"])
@fuzz(8)
@given(data=st.data())
def test_golden_fixture(folder: Path, name: str, data: st.DataObject) -> None:
    path = folder / "fixture.npz"
    path.write_bytes(data.draw(damaged_file((GOLDEN / f"{name}.npz").read_bytes(), ".npz")))
    command("golden fixture .npz", path, ["verify", "golden", str(path)], folder, good=(0, 1))


@fuzz(40)
@given(data=st.data())
def test_ranks_of_released_weights(folder: Path, data: st.DataObject) -> None:
    path = folder / "elcrec-test.npz"
    ranks = np.arange(9, dtype=np.int32)
    good = npz({"released": ranks, "strict": ranks})
    path.write_bytes(data.draw(damaged_file(good, ".npz")))
    attempt("ranks fixture .npz", path, lambda: compare_ranks(path, {"test": ranks}, "paper"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Configuration of the tiny data set, prepared."""
    folder = tmp_path_factory.mktemp("tiny")
    config = write(folder, models=["s3rec", "elcrec"])
    for step in ("fetch", "prepare"):
        where = ["--config", str(config), "--output", str(folder / "data" / "tiny")]
        assert main(["data", step, "--dataset", "tiny", *where]) == 0
    return config


@fuzz(10)
@given(data=st.data())
def test_verify_released(tiny: Path, folder: Path, data: st.DataObject) -> None:
    path, output = folder / "of-elcrec.pt", folder / "verified"
    output.mkdir(exist_ok=True)
    settings = resolve(load_config([tiny]), "elcrec", "tiny")
    torch.manual_seed(0)
    state = to_released(settings.build(120, 42).state_dict())
    path.write_bytes(data.draw(damaged_weights(state)))
    words = ["verify", "released", "--dataset", "tiny", "--weights", str(path)]
    words += ["--output", str(output / "of-elcrec.json"), "--force", "--config", str(tiny)]
    words += ["--device", "cpu"]
    command("elcrec verify released", path, words, output)


@pytest.mark.parametrize("content", [b"", b"\x80\x02]q\x00.", saved({"a": torch.ones(2)})])
def test_train_from_wrong_weights(tiny: Path, folder: Path, content: bytes, capsys: Any) -> None:
    path, output = folder / "wrong-start.pt", folder / "trained"
    path.write_bytes(content)
    words = ["train", "--dataset", "tiny", "--model", "s3rec", "--start", str(path), "--quiet"]
    assert main([*words, "--output", str(output), "--config", str(tiny)]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith(f"elcrec: {path}: ")
    assert not list(output.glob("metrics.json"))
