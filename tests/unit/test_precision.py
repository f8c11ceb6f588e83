"""The precision of training steps."""

import pytest
import torch

import baselines.sasrec
from elcrec.engine import Options, train
from elcrec.precision import set_precision
from elcrec.training_settings import TrainingSettings
from tests.contract.contract import cycle_data


@pytest.fixture(autouse=True)
def _restore():
    switches = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = switches


@pytest.mark.parametrize(("name", "rounded"), [("float32", False), ("tf32", True), ("bf16", True)])
def test_the_switches_of_pytorch_follow_the_setting(name, rounded):
    set_precision(name)
    assert torch.backends.cuda.matmul.allow_tf32 is rounded
    assert torch.backends.cudnn.allow_tf32 is rounded


def losses(precision):
    data = cycle_data()
    torch.manual_seed(1)
    parameters = baselines.sasrec.Hyperparameters(dimension=16, max_length=12, blocks=1)
    model = baselines.sasrec.Model(parameters, data.n_users, data.item_size)
    settings = TrainingSettings(batch_size=64, max_epochs=3, patience=0)
    result = train(model, data, settings, seed=1, options=Options(precision=precision))
    assert all(weight.dtype != torch.bfloat16 for weight in result.weights.values())
    return [row["loss_total"] for row in result.history]


def test_bf16_trains_nearly_as_float32_does_and_tf32_changes_nothing_on_a_cpu():
    exact, rounded = losses("float32"), losses("bf16")
    assert losses("tf32") == exact
    assert rounded != exact
    assert rounded == pytest.approx(exact, rel=0.02)
