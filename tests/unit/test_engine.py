"""The training loop: selection, early stopping, the record of losses and time."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from elcrec.engine import train
from elcrec.errors import InputError
from elcrec.interface import SequenceModel
from elcrec.training_settings import TrainingSettings
from tests.contract.contract import cycle_data


@dataclass(frozen=True)
class Nothing:
    max_length: int = 12


class Scripted(SequenceModel):
    """Its validation result follows a script: in good epochs targets score above all else."""

    def __init__(self, data, good: dict[int, float]) -> None:
        super().__init__(Nothing(), data.n_users, data.item_size)
        self.weight = nn.Parameter(torch.zeros(()))
        self.register_buffer("epoch", torch.zeros((), dtype=torch.long))
        self.good, self.data, self.batches = good, data, []

    def start_epoch(self, epoch, context):
        self.epoch.fill_(epoch + 1)

    def loss(self, batch):
        self.batches.append(len(batch.users))
        total = (self.weight - 1) ** 2
        return {"total": total, "part": total.detach() * 0 + float(self.epoch)}

    def represent(self, users, sequences):
        return users

    def score_items(self, users, first, last):
        share = self.good.get(int(self.epoch), 0.0)
        scores = torch.zeros(len(users), self.item_size)
        hit = users < share * self.n_users
        for split in ("valid", "test"):
            scores[torch.arange(len(users)), self.data.targets(users, split)] = hit.float()
        return scores[:, first:last]


def run(good, **settings):
    data = cycle_data()
    model = Scripted(data, good)
    chosen = TrainingSettings(batch_size=50, **settings)
    return model, train(model, data, chosen, seed=1)


def test_the_best_epoch_is_kept_and_tested():
    model, result = run({2: 0.3, 3: 0.6, 4: 0.5}, max_epochs=6, patience=0)
    assert result.best_epoch == 3
    assert len(result.history) == 6
    assert int(model.epoch) == 3
    assert (result.ranks["test"] == 0).mean() == pytest.approx(0.6, abs=0.01)
    # In validation the test item ties with the target, and ties count against the model.
    assert (result.ranks["valid"] <= 1).mean() == pytest.approx(0.6, abs=0.01)


def test_training_stops_after_patience_epochs_without_a_better_one():
    _, result = run({1: 0.5}, max_epochs=50, patience=4)
    assert [len(result.history), result.best_epoch] == [5, 1]


def test_an_equal_score_is_not_a_better_one():
    _, result = run({1: 0.5, 2: 0.5}, max_epochs=3, patience=0)
    assert result.best_epoch == 1


def test_every_sample_is_seen_once_per_epoch_and_the_last_batch_is_kept():
    model, _ = run({}, max_epochs=2, patience=0)
    assert model.batches == [50, 50, 50, 10] * 2


def test_history_has_mean_losses_metrics_and_seconds():
    _, result = run({}, max_epochs=2, patience=0)
    row = result.history[1]
    assert row["epoch"] == 2
    assert row["loss_part"] == pytest.approx(2.0)
    assert {"NDCG@20", "seconds_training", "seconds_validation"} <= set(row)
    assert result.seconds["total"] >= result.seconds["training"] + result.seconds["validation"]


def test_a_loss_that_is_not_a_number_stops_the_run():
    data = cycle_data()
    model = Scripted(data, {})
    model.weight.data.fill_(float("nan"))
    with pytest.raises(InputError, match=r"diverged: loss 'total' is nan in epoch 1"):
        train(model, data, TrainingSettings(max_epochs=2), seed=1)


@pytest.mark.parametrize(
    ("key", "value"),
    [("batch_size", 0), ("max_epochs", -1), ("patience", -2), ("learning_rate", 0.0)],
)
def test_settings_out_of_range_are_refused(key, value):
    with pytest.raises(ValueError, match=key):
        TrainingSettings(**{key: value})


def test_ranks_are_whole_numbers_per_user():
    _, result = run({1: 1.0}, max_epochs=1)
    assert result.ranks["test"].dtype == np.int32
    assert len(result.ranks["test"]) == 160
