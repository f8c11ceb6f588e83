"""The precision of training steps."""

import pytest
import torch

import baselines.bert4rec
import baselines.caser
import baselines.cl4srec
import baselines.dssrec
import baselines.gru4rec
import baselines.iclrec
import baselines.s3rec_pretrain
import baselines.sasrec
import elcrec.models.elcrec
from elcrec.config.config import load_config
from elcrec.runs.settings import resolve
from elcrec.training.loop import train
from elcrec.training.precision import full_precision, multiplying
from elcrec.training.result import Options
from elcrec.training.settings import TrainingSettings
from tests.contract.contract import cycle_data


@pytest.fixture(autouse=True)
def _restore():
    before = switches()
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def switches():
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


@pytest.mark.parametrize(("name", "rounded"), [("float32", False), ("tf32", True), ("bf16", True)])
def test_the_switches_of_pytorch_follow_the_setting_during_a_step_only(name, rounded):
    full_precision()
    with multiplying(name):
        assert switches() == (rounded, rounded)
    assert switches() == (False, False)


def test_the_setting_is_part_of_the_settings_of_a_run():
    config = load_config()
    exact = resolve(config, "elcrec", "beauty")
    rounded = resolve(config.replaced(precision="tf32"), "elcrec", "beauty")
    assert rounded.digest() != exact.digest()
    assert rounded.as_dict()["precision"] == "tf32"
    assert "precision" not in exact.as_dict()  # hashes of runs from before the setting stay


def losses(precision, module=baselines.sasrec, **settings):
    data = cycle_data()
    torch.manual_seed(1)
    parameters = module.Hyperparameters(dimension=16, max_length=12, **settings)
    model = module.Model(parameters, data.n_users, data.item_size)
    settings = TrainingSettings(batch_size=64, max_epochs=3, patience=0)
    result = train(model, data, settings, seed=1, options=Options(precision=precision))
    assert all(weight.dtype != torch.bfloat16 for weight in result.weights.values())
    return [row["loss_total"] for row in result.history]


def test_bf16_trains_nearly_as_float32_does_and_tf32_changes_nothing_on_a_cpu():
    exact, rounded = losses("float32"), losses("bf16")
    assert losses("tf32") == exact
    assert rounded != exact
    assert rounded == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize(
    ("module", "settings"),
    [
        (baselines.sasrec, {"loss": "ce"}),
        (baselines.gru4rec, {}),
        (baselines.gru4rec, {"loss": "sampled_ce", "negatives": 30}),
        (baselines.caser, {}),
        (baselines.bert4rec, {}),
        (baselines.dssrec, {}),
        (baselines.s3rec_pretrain, {}),
        (baselines.cl4srec, {}),
        (baselines.iclrec, {"intents": 8}),
        (elcrec.models.elcrec, {"intents": 8}),
    ],
)
def test_layers_and_losses_of_our_own_train_in_bf16(module, settings):
    exact, rounded = (losses(name, module, **settings) for name in ("float32", "bf16"))
    assert rounded != exact
    assert rounded == pytest.approx(exact, rel=0.02)
