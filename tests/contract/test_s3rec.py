import hashlib
import json

import pytest
import torch
import yaml

import baselines.s3rec
from baselines import s3rec, sasrec
from elcrec.cli.main import main
from elcrec.errors import InputError
from elcrec.files.weights import read_weights
from tests.contract import test_s3rec_pretrain as stage_one
from tests.contract.contract import ModelContract, cycle_data
from tests.workflow.make_tiny import write


class TestS3Rec(ModelContract):
    module = baselines.s3rec
    parameters = stage_one.SMALL


def test_parameters_on_beauty_are_those_of_the_encoder():
    model = s3rec.Model(s3rec.Hyperparameters(), n_users=1, item_size=12103)
    assert sum(p.numel() for p in model.parameters()) == 877_888


def test_it_takes_over_the_encoder_of_the_first_stage():
    data = cycle_data()
    first = stage_one.TestS3RecPretrain().make(data, seed=1)
    second = TestS3Rec().make(data, seed=2)
    second.load_start(first.state_dict())
    for name, value in second.encoder.state_dict().items():
        assert torch.equal(value, first.encoder.state_dict()[name])


def test_weights_that_do_not_fit_are_refused():
    data = cycle_data()
    model = TestS3Rec().make(data)
    first = stage_one.TestS3RecPretrain().make(data).state_dict()
    with pytest.raises(InputError, match="is not an encoder with 1 blocks"):
        model.load_start({"something.else": torch.zeros(2)})
    wider = first | {"encoder.items.weight": torch.zeros(99, 16)}
    with pytest.raises(InputError, match=r"encoder.items.weight is \(99, 16\), needed \(42, 16\)"):
        model.load_start(wider)


def test_a_model_without_the_hook_says_so():
    model = sasrec.Model(sasrec.Hyperparameters(), 1, 42)
    with pytest.raises(InputError, match="cannot start from other weights"):
        model.load_start({})


@pytest.fixture
def tiny(tmp_path):
    config = write(tmp_path)
    folder = str(tmp_path / "data" / "tiny")
    for step in ("fetch", "prepare"):
        arguments = ["data", step, "--dataset", "tiny", "--config", str(config)]
        assert main([*arguments, "--output", folder]) == 0
    return config


def train(config, model, *extra):
    small = config.with_name("small.yaml")
    sizes = {"dimension": 16, "blocks": 1}
    small.write_text(yaml.safe_dump({"parameters": {"s3rec": sizes, "s3rec_pretrain": sizes}}))
    arguments = ["train", "--dataset", "tiny", "--model", model, "--device", "cpu"]
    return main([*arguments, "--config", str(config), str(small), *extra])


def test_the_command_starts_from_the_run_of_the_first_stage(tiny, tmp_path, capsys):
    assert train(tiny, "s3rec") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert (
        "weights.safetensors: not there yet; s3rec starts from it; name a file with --start, or "
        "make it with: elcrec train --dataset tiny --model s3rec_pretrain --seed 1 --config /"
        in error
    )

    runs = tmp_path / "results" / "runs" / "tiny"
    assert train(tiny, "s3rec_pretrain") == 0
    weights = runs / "s3rec_pretrain" / "1" / "weights.safetensors"
    first = json.loads((runs / "s3rec_pretrain" / "1" / "metrics.json").read_text())
    assert first["best_epoch"] == first["epochs"] == 2  # the last epoch is kept
    assert first["start"] is None

    # A step of 1e-12 leaves the weights where they began.
    folder = ["--output", str(runs / "s3rec" / "1")]
    assert train(tiny, "s3rec", "--set", "learning_rate=1.0e-12", *folder) == 0
    own = read_weights(runs / "s3rec" / "1" / "weights.safetensors")
    given = read_weights(weights)
    for name, value in own.items():
        torch.testing.assert_close(value, given[name], rtol=0, atol=1e-8)

    # The name alone: records are given on, and name no folder of the machine.
    expected = {"file": weights.name, "sha256": hashlib.sha256(weights.read_bytes()).hexdigest()}
    assert json.loads((runs / "s3rec" / "1" / "metrics.json").read_text())["start"] == expected
    resolved = yaml.safe_load((runs / "s3rec" / "1" / "config.yaml").read_text())
    assert resolved["start"] == expected
    assert resolved["starts_from"] == "s3rec_pretrain"

    # Another seed has no first stage; a file may be named instead.
    assert train(tiny, "s3rec", "--seed", "2") == 2
    assert train(tiny, "s3rec", "--seed", "2", "--start", str(weights)) == 0


def test_wrong_starts_are_one_line_each(tiny, tmp_path, capsys):
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"no weights")
    for model, file, message in [
        ("sasrec", broken, "sasrec does not start from another model"),
        ("s3rec", broken, "broken.pt: cannot read weights"),
        ("s3rec", tmp_path / "none.pt", "none.pt: not there yet"),
    ]:
        assert train(tiny, model, "--start", str(file)) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1


def test_an_unknown_first_stage_is_refused(tiny, tmp_path, capsys):
    path = tmp_path / "mine.yaml"
    path.write_text("base: s3rec\nstarts_from: s4rec\n")
    arguments = ["train", "--dataset", "tiny", "--model", str(path), "--config", str(tiny)]
    assert main(arguments) == 2
    assert "mine.yaml: starts_from: unknown model 's4rec'" in capsys.readouterr().err
