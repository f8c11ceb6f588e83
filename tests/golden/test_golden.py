"""Losses, gradients, outputs and ranks against those of the authors' code."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from baselines import iclrec
from elcrec.cli.main import main
from elcrec.data.histories import InteractionData
from elcrec.data.sequences import read_sequences
from elcrec.errors import InputError
from elcrec.evaluation.metrics import summarise
from elcrec.evaluation.ranking import Evaluator
from elcrec.models import elcrec as elcrec_model
from elcrec.verification import golden
from elcrec.verification.tensor_names import from_released, load_released, to_released

HERE = Path(__file__).parent
TINY = sorted(HERE.glob("tiny_*.npz"))


@pytest.mark.parametrize("path", TINY, ids=lambda p: p.stem)
def test_tiny_fixtures(path):
    deviations = golden.verify(path)
    assert len(deviations) > 200
    assert [d for d in deviations if not d.ok] == []


def test_all_tiny_fixtures_are_here():
    assert [p.stem for p in TINY] == ["tiny_elcrec_concat", "tiny_elcrec_shift", "tiny_iclrec"]


@pytest.mark.parametrize(
    ("fixture", "weights"),
    [("elcrec_beauty", "ELCRec-Beauty-1.pt"), ("iclrec_beauty", "ICLRec-Beauty-1.pt")],
)
def test_beauty_fixtures(golden_folder, mirror, fixture, weights):
    deviations = golden.verify(golden_folder / f"{fixture}.npz", mirror / weights)
    assert [d for d in deviations if not d.ok] == []


@pytest.mark.parametrize(
    "change",
    [
        "loss_instance",
        "grad/item_embeddings.weight",
        "grad/item_encoder.layer.1.attention.key.weight",
        "sequence_output",
    ],
)
def test_a_deviation_is_found(tmp_path, change):
    with np.load(HERE / "tiny_elcrec_shift.npz") as archive:
        arrays = dict(archive)
    arrays[f"step1/{change}"] = arrays[f"step1/{change}"] * 1.001
    np.savez(tmp_path / "changed.npz", **arrays)
    failed = [d for d in golden.verify(tmp_path / "changed.npz") if not d.ok]
    assert [(d.step, d.quantity) for d in failed] == [("step1", change)]


UNIT = 2.4e-7  # of float32 at the sum of the parts' sizes, 3.67
PARTS = {
    "loss_cluster_pull": torch.tensor(1.8352),
    "loss_cluster_push": torch.tensor(-1.8342),
}


@pytest.mark.parametrize(("off", "ok"), [(UNIT, True), (1e-3 * 3.6694, False), (np.nan, False)])
@pytest.mark.parametrize("printed", [PARTS, {}], ids=["with its parts", "alone"])
def test_a_tiny_cluster_loss_is_measured_against_its_parts(off, ok, printed):
    tiny = PARTS["loss_cluster_pull"] + PARTS["loss_cluster_push"]
    assert golden.relative(tiny + UNIT, tiny) > golden.TOLERANCE  # what is measured otherwise
    expected = {"loss_cluster": tiny.double() + off, **printed}
    found = {"loss_cluster": tiny, **PARTS}
    deviations = {d.quantity: d for d in golden.compare("step0", expected, found)}
    assert deviations["loss_cluster"].ok is ok
    assert all(deviations[name].ok for name in printed)


@pytest.mark.parametrize(("off", "failed"), [(1e-6, []), (3.5e-3, [("step1", "loss_cluster")])])
def test_a_fixture_whose_cluster_loss_is_small(tmp_path, off, failed):
    with np.load(HERE / "tiny_elcrec_concat.npz") as archive:
        arrays = dict(archive)
    assert abs(arrays["step1/loss_cluster"]) < 4e-3  # of parts of 1.74 each
    arrays["step1/loss_cluster"] = arrays["step1/loss_cluster"] + off
    np.savez(tmp_path / "changed.npz", **arrays)
    found = [d for d in golden.verify(tmp_path / "changed.npz") if not d.ok]
    assert [(d.step, d.quantity) for d in found] == failed


def test_the_command_prints_every_quantity_and_fails_on_a_deviation(tmp_path, capsys):
    assert main(["verify", "golden", *map(str, TINY)]) == 0
    printed = capsys.readouterr().out
    for quantity in ("loss_cluster", "loss_instance", "grad", "after", "sequence_output"):
        assert quantity in printed
    with np.load(TINY[0]) as archive:
        arrays = dict(archive)
    arrays["step0/loss_intent"] = arrays["step0/loss_intent"] + 0.01
    np.savez(tmp_path / "bad.npz", **arrays)
    assert main(["verify", "golden", str(tmp_path / "bad.npz")]) == 1
    assert "FAILED (step0 loss_intent)" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut"])
def test_a_file_that_is_no_fixture_is_refused_in_one_line(tmp_path, capsys, content):
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    assert main(["verify", "golden", str(path)]) == 2
    error = capsys.readouterr().err
    assert "x.npz" in error
    assert error.count("\n") == 1


def test_released_names_and_back():
    for module, extra in ((elcrec_model, {"intents": 5}), (iclrec, {"intents": 5})):
        parameters = module.Hyperparameters(dimension=8, max_length=6, blocks=2, **extra)
        state = module.Model(parameters, 3, 12).state_dict()
        again = from_released(Path("x.pt"), to_released(state))
        assert set(again) == set(state)
        assert all(torch.equal(again[name], state[name]) for name in state)


def test_weights_never_run_code(tmp_path):
    class Harm:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "harm",))

    torch.save({"item_embeddings.weight": Harm()}, tmp_path / "bad.pt")
    with pytest.raises(InputError, match=r"bad\.pt: cannot read weights"):
        load_released(tmp_path / "bad.pt")
    assert not (tmp_path / "harm").exists()


def test_an_empty_file_of_weights_is_refused(tmp_path):
    (tmp_path / "bad.pt").touch()
    with pytest.raises(InputError, match=r"bad\.pt: cannot read weights"):
        load_released(tmp_path / "bad.pt")


@pytest.fixture(scope="module")
def beauty():
    cache = {}

    def load(mirror: Path) -> InteractionData:
        if not cache:
            cache["data"] = InteractionData(read_sequences(mirror / "Beauty.txt"))
        return cache["data"]

    return load


@pytest.mark.parametrize("split", ["valid", "test"])
@pytest.mark.parametrize(("protocol", "array"), [("paper", "released"), ("strict", "strict")])
def test_ranks_of_the_released_elcrec_weights(
    golden_folder, mirror, beauty, split, protocol, array
):
    data = beauty(mirror)
    model = elcrec_model.Model(elcrec_model.Hyperparameters(blocks=1), data.n_users, data.item_size)
    model.load_state_dict(load_released(mirror / "ELCRec-Beauty-1.pt"))
    ranks = Evaluator(data, split, 50, protocol).ranks(model)
    with np.load(golden_folder / f"elcrec_beauty_ranks_{split}.npz") as archive:
        difference = np.abs(ranks - archive[array])
    # Scores closer than float32 resolves may change places, by one rank, for one in a thousand.
    assert difference.max() <= 1
    assert (difference > 0).sum() < 25
    expected = json.loads((golden_folder / "elcrec_beauty_metrics.json").read_text())
    assert summarise(ranks) == pytest.approx(expected[split][array], abs=1e-12)


def test_metrics_of_the_released_iclrec_weights(mirror, beauty):
    data = beauty(mirror)
    model = iclrec.Model(iclrec.Hyperparameters(blocks=1), data.n_users, data.item_size)
    model.load_state_dict(load_released(mirror / "ICLRec-Beauty-1.pt"))
    metrics = summarise(Evaluator(data, "test", 50).ranks(model))
    printed = {"HR@5": 0.0500, "NDCG@5": 0.0326, "HR@20": 0.1058, "NDCG@20": 0.0483}
    assert {name: round(metrics[name], 4) for name in printed} == printed
