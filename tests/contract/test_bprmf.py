import numpy as np
import pytest
import torch
from scipy.stats import chisquare

import baselines.bprmf
from elcrec.data.histories import InteractionData
from elcrec.data.sequences import Sequences
from elcrec.models.interface import Context
from elcrec.training.loop import train
from elcrec.usage import Stopwatch
from tests.contract.contract import LENGTH, ModelContract


class TestBPRMF(ModelContract):
    module = baselines.bprmf
    parameters = {"dimension": 16}
    protocol = "strict"

    def test_seen_items_are_never_recommended_whatever_the_run_asks_for(self, data):
        model = self.make(data)
        asked = [
            train(self.make(data), data, self.settings(max_epochs=2), seed=1, protocol=protocol)
            for protocol in ("paper", "strict")
        ]
        assert model.protocol == "strict"
        np.testing.assert_array_equal(asked[0].ranks["test"], asked[1].ranks["test"])
        known = np.diff(data.host_offsets) - 1  # all of them different: they rank behind
        assert (asked[0].ranks["test"] < data.n_items - known).all()

    def test_padding_and_mask_score_minus_infinity(self, data):
        users = torch.arange(3)
        scores = self.make(data).score(users, data.histories(users, "test", LENGTH))
        assert (scores[:, [0, -1]] == float("-inf")).all()

    def test_the_history_is_not_read(self, data):
        model, users = self.make(data), torch.arange(3)
        scores = [model.score(users, torch.full((3, n), n)) for n in (1, 4)]
        torch.testing.assert_close(scores[0], scores[1])

    def test_an_epoch_is_every_training_pair_once(self, data):
        model, context = self.ready(data)
        batch = model.batch(torch.arange(model.n_samples(data)), context)
        pairs = list(zip(batch.users.tolist(), batch.targets[:, 0].tolist(), strict=True))
        offsets = data.host_offsets
        expected = [
            (user, item)
            for user in range(data.n_users)
            for item in data.host_items[offsets[user] : offsets[user + 1] - 2].tolist()
        ]
        assert sorted(pairs) == sorted(expected)

    def test_a_short_epoch_takes_other_pairs_each_time(self, data):
        self_parameters = {"samples_per_epoch": 50, "dimension": 4}
        model = baselines.bprmf.Model(
            baselines.bprmf.Hyperparameters(**self_parameters), data.n_users, data.item_size
        )
        context = Context(data, torch.Generator().manual_seed(1), 1, Stopwatch(data.device))
        model.start_training(context)
        seen = set()
        for epoch in range(3):
            model.start_epoch(epoch, context)
            assert len(set(model.chosen.tolist())) == model.n_samples(data) == 50
            seen |= set(model.chosen.tolist())
        assert len(seen) > 60

    def test_loss_by_hand(self, data):
        model, context = self.ready(data)
        batch = model.batch(torch.arange(7), context)
        users, items = model.users.weight, model.items.weight
        expected = []
        for u, i, j in zip(batch.users, batch.targets[:, 0], batch.negatives[:, 0], strict=True):
            vectors = users[u], items[i - 1], items[j - 1]
            difference = vectors[0] @ vectors[1] - vectors[0] @ vectors[2]
            squares = sum(v.square().sum() for v in vectors)
            expected.append(-torch.log(torch.sigmoid(difference)) + 1e-4 / 2 * squares)
        torch.testing.assert_close(model.loss(batch)["total"], torch.stack(expected).mean())


def test_negatives_are_uniform_over_what_is_no_training_item():
    rows = [[2, 3, 3, 7, 9, 4], [1, 4, 5, 10, 10]]  # training: 2 3 3 7, and 1 4 5
    offsets = np.array([0, 6, 11])
    data = InteractionData(Sequences(np.concatenate(rows), offsets, ("0", "1")))
    model = baselines.bprmf.Model(baselines.bprmf.Hyperparameters(), 2, data.item_size)
    context = Context(data, torch.Generator().manual_seed(1), 1, Stopwatch(data.device))
    model.start_training(context)
    model.chosen = torch.arange(7)
    for pair, training in ((0, {2, 3, 7}), (6, {1, 4, 5})):
        negatives = model.batch(torch.full((30000,), pair), context).negatives[:, 0]
        allowed = sorted(set(range(1, 11)) - training)  # no mask id (11)
        counts = torch.bincount(negatives, minlength=12)
        assert counts.sum() == counts[allowed].sum()
        assert chisquare(counts[allowed].numpy()).pvalue > 1e-4


@pytest.mark.parametrize("wrong", [{"l2": -1.0}, {"dimension": 0}, {"samples_per_epoch": 0}])
def test_hyperparameters_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        baselines.bprmf.Hyperparameters(**wrong)
