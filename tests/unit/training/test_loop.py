"""The training loop: selection, early stopping, the record of losses and time."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from elcrec.errors import InputError
from elcrec.jobs.checkpoints import Checkpoints
from elcrec.models.interface import SequenceModel
from elcrec.training.loop import train
from elcrec.training.result import Options
from elcrec.training.settings import TrainingSettings
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


class Breaking(Scripted):
    """Breaks in one batch of one epoch, both from 1; `spoil` says how."""

    def __init__(self, data, epoch: int, batch: int, spoil) -> None:
        super().__init__(data, {1: 0.5})
        self.where, self.spoil = (epoch, batch), spoil

    def loss(self, batch):
        self.batches.append(len(batch.users))
        here = (int(self.epoch), (len(self.batches) - 1) % 4 + 1)
        total = (self.weight - 1) ** 2
        return {"total": self.spoil(self, total) if here == self.where else total}


def infinite_gradient(model, total):
    return torch.sqrt(model.weight - model.weight.detach()) + total


@pytest.mark.parametrize(
    ("batch", "spoil", "message"),
    [
        (1, lambda _, total: total * float("nan"), "loss 'total' is nan since batch 1 of epoch 3"),
        (3, lambda _, total: total * float("inf"), "loss 'total' is (inf|nan) since batch 3 of"),
        (2, infinite_gradient, "loss 'total' is nan since batch 3 of epoch 3"),
        (4, infinite_gradient, "a weight is not finite after the last batch of epoch 3"),
    ],
)
def test_what_is_no_number_stops_the_run_and_keeps_the_checkpoint_before(
    tmp_path, batch, spoil, message
):
    data = cycle_data()
    options = Options(checkpoints=Checkpoints(tmp_path, "identity", seconds_between=0))
    with pytest.raises(InputError, match=f"diverged: {message}.*smaller training.learning_rate"):
        train(
            Breaking(data, 3, batch, spoil),
            data,
            TrainingSettings(batch_size=50, max_epochs=5),
            seed=1,
            options=options,
        )
    kept = Checkpoints(tmp_path, "identity").load()
    assert len(kept["history"]) == 2
    assert all(torch.isfinite(tensor).all() for tensor in kept["model"].values())


@pytest.mark.parametrize(
    ("key", "value"),
    [("batch_size", 0), ("max_epochs", -1), ("patience", -2), ("learning_rate", 0.0)],
)
def test_settings_out_of_range_are_refused(key, value):
    with pytest.raises(ValueError, match=key):
        TrainingSettings(**{key: value})


def test_ranks_are_whole_numbers_per_user():
    _, result = run({1: 1.0}, max_epochs=1)
    assert result.ranks["test"].dtype == np.int64
    assert len(result.ranks["test"]) == 160
