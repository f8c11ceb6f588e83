import numpy as np
import pytest
import torch
from torch.nn import functional as F

import baselines.caser
from elcrec.data.histories import InteractionData
from elcrec.data.sequences import Sequences
from elcrec.models.interface import Context
from elcrec.usage import Stopwatch
from tests.contract.contract import ModelContract


class TestCaser(ModelContract):
    module = baselines.caser
    parameters = {
        "dimension": 16,
        "max_length": 4,
        "targets": 2,
        "horizontal_filters": 4,
        "vertical_filters": 2,
        "dropout": 0.1,
    }
    protocol = "strict"
    training = {"max_epochs": 15}

    def test_the_output_table_is_its_own(self, data):
        model = self.make(data)
        users, sequences = torch.arange(2), torch.tensor([[0, 0, 2, 3], [4, 5, 6, 7]])
        before = model.eval().score(users, sequences)
        with torch.no_grad():
            model.items.weight[20:] += 1.0  # in no history here
        torch.testing.assert_close(model.score(users, sequences), before)
        with torch.no_grad():
            model.output_bias.weight[20] += 1.0
            model.output.weight[21] += 1.0
        changed = (model.score(users, sequences) != before)[:, 1:-1].nonzero()[:, 1] + 1
        assert set(changed.tolist()) == {20, 21}

    def test_padding_and_mask_score_minus_infinity(self, data):
        scores = self.make(data).score(torch.arange(2), torch.tensor([[1], [2]]))
        assert (scores[:, [0, -1]] == float("-inf")).all()

    def test_only_the_last_items_are_read(self, data):
        model, users = self.make(data).eval(), torch.arange(1)
        long = model.score(users, torch.tensor([[9, 9, 9, 1, 2, 3, 4]]))
        torch.testing.assert_close(long, model.score(users, torch.tensor([[1, 2, 3, 4]])))

    @torch.no_grad()
    @pytest.mark.parametrize("longest", [3, 4])
    def test_filters_by_hand(self, data, monkeypatch, longest):
        """Position by position, as the paper's equations state them; by convolutions and not."""
        monkeypatch.setattr(baselines.caser, "LONGEST_IN_ONE_PRODUCT", longest)
        model = self.make(data).eval()
        window = torch.tensor([5, 6, 7, 8])
        vectors = model.items(window)  # (L, d)
        vertical = [
            model.vertical.weight[f] @ vectors + model.vertical.bias[f] for f in range(2)
        ]  # each (d,)
        horizontal = []
        for height, filters in enumerate(model.horizontal, start=1):
            for weight, bias in zip(filters.weight, filters.bias, strict=True):  # (d, height)
                values = [
                    (weight.T * vectors[i : i + height]).sum() + bias for i in range(5 - height)
                ]
                horizontal.append(F.relu(torch.stack(values)).max())
        z = F.relu(model.dense(torch.cat([*vertical, torch.stack(horizontal)])))
        expected = torch.cat([z, model.users.weight[3]])
        hidden = model.encode(torch.tensor([3]), window[None])
        torch.testing.assert_close(hidden[0], expected)
        scores = model.score(torch.tensor([3]), window[None])[0, 1:-1]
        by_hand = model.output.weight[1:] @ expected + model.output_bias.weight[1:, 0]
        torch.testing.assert_close(scores, by_hand)

    def test_loss_by_hand(self, data):
        model, context = self.ready(data)
        model.eval()
        batch = model.batch(torch.arange(5), context)
        scores = model.score(batch.users, batch.inputs)
        positive = scores.gather(1, batch.targets).sigmoid().log()
        negative = (1 - scores.gather(1, batch.negatives).sigmoid()).log()
        torch.testing.assert_close(model.loss(batch)["total"], -positive.mean() - negative.mean())


def toy() -> tuple[baselines.caser.Model, Context]:
    """Three users with 7, 3 and 1 training items; windows of 3 inputs and 2 targets."""
    rows = [[1, 2, 3, 4, 5, 6, 7, 20, 21], [11, 12, 13, 22, 23], [14, 24, 25]]
    offsets = np.cumsum([0] + [len(row) for row in rows])
    data = InteractionData(Sequences(np.concatenate(rows), offsets, ("0", "1", "2")))
    parameters = baselines.caser.Hyperparameters(max_length=3, targets=2)
    model = baselines.caser.Model(parameters, 3, data.item_size)
    context = Context(data, torch.Generator().manual_seed(1), 1, Stopwatch(data.device))
    model.start_training(context)
    model.start_epoch(0, context)
    return model, context


def test_windows_by_hand():
    model, context = toy()
    assert model.n_samples(context.data) == 5
    batch = model.batch(torch.arange(5), context)
    windows = torch.cat([batch.users[:, None], batch.inputs, batch.targets], dim=1)
    assert sorted(windows.tolist()) == [
        [0, 1, 2, 3, 4, 5],
        [0, 2, 3, 4, 5, 6],
        [0, 3, 4, 5, 6, 7],
        [1, 0, 0, 11, 12, 13],
        [2, 0, 0, 0, 0, 14],
    ]


def test_targets_that_are_padding_do_not_count():
    model, context = toy()
    model.eval()
    batch = model.batch((model.chosen == 4).nonzero()[:, 0], context)
    assert batch.targets.tolist() == [[0, 14]]
    score = model.score(batch.users, batch.inputs)[0, 14]
    torch.testing.assert_close(model.loss(batch)["targets"], -F.logsigmoid(score))


def test_negatives_are_no_training_items():
    model, context = toy()
    batch = model.batch(torch.arange(5).repeat(500), context)
    drawn = {u: set(batch.negatives[batch.users == u].flatten().tolist()) for u in range(3)}
    everything = set(range(1, 26))
    assert drawn[0] == everything - {1, 2, 3, 4, 5, 6, 7}
    assert drawn[1] == everything - {11, 12, 13}
    assert drawn[2] == everything - {14}


@pytest.mark.parametrize(
    "wrong", [{"max_length": 0}, {"targets": 0}, {"dropout": -0.1}, {"samples_per_epoch": 0}]
)
def test_hyperparameters_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        baselines.caser.Hyperparameters(**wrong)
