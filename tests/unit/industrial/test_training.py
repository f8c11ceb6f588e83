"""Training: it learns, ends with the same numbers when interrupted, and refuses what cannot be."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from elcrec.config.config import load_config
from elcrec.config.industrial import MODELS
from elcrec.errors import InputError
from elcrec.industrial.features import build
from elcrec.industrial.metrics import auc
from elcrec.industrial.readers import read_log
from elcrec.industrial.training import Training
from elcrec.jobs.checkpoints import Checkpoints
from tests.unit.industrial.logs import many_ratings, ml100k

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    return build("d", read_log("ml-100k", ml100k(folder, many_ratings(150))), 0.6, 0.1)


def network(**changes):
    small = {"clusters": 4, "user_width": 4, "batch_size": 64, "max_epochs": 3, "patience": 0}
    return load_config().industrial.network.replaced(**{**small, **changes})


@pytest.mark.parametrize("model", MODELS)
def test_every_model_learns_which_items_are_liked(table, model):
    settings = network(max_epochs=15, learning_rate=0.01)
    trained, arrays = Training(table, settings, model, 1, CPU).run()
    assert trained.history[-1]["loss"] < trained.history[0]["loss"]
    found = auc(table.labels[table.rows("test"), 0], arrays["probabilities"][:, 0])
    assert found > 0.75  # the items' numbers decide; a coin has 0.5
    assert ("clusters" in arrays) == model.startswith("mmoe_")


class StopError(Exception):
    pass


class Interrupting(Checkpoints):
    """Writes after every epoch, and ends the training after the first."""

    def due(self):
        return True

    def save(self, epoch, state):
        super().save(epoch, state)
        raise StopError


@pytest.mark.parametrize("model", MODELS)
def test_an_interrupted_training_ends_with_the_same_numbers(table, model, tmp_path):
    straight, expected = Training(table, network(), model, 1, CPU).run()
    with pytest.raises(StopError):
        Training(table, network(), model, 1, CPU).run(Interrupting(tmp_path, "x"))
    again, arrays = Training(table, network(), model, 1, CPU).run(Checkpoints(tmp_path, "x"))
    assert again.history == straight.history
    assert again.best_epoch == straight.best_epoch
    for name, array in expected.items():
        assert np.array_equal(arrays[name], array), name


def test_the_seed_decides(table):
    one, same, other = (
        Training(table, network(), "mmoe_elcm", seed, CPU).run()[1]["probabilities"]
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_best_epoch_is_the_one_that_predicts(table):
    settings = network(max_epochs=12, learning_rate=0.05)
    training = Training(table, settings, "mmoe", 1, CPU)
    trained, _ = training.run()
    scores = [row["valid_auc"] for row in trained.history]
    assert trained.best_epoch == 1 + int(np.argmax(scores)) < len(scores)
    labels = table.labels[table.rows("valid")]
    now = [auc(*pair) for pair in zip(labels.T, training._predict("valid").T, strict=True)]
    assert np.mean(now) == max(scores)


def test_patience_ends_it(table):
    trained, _ = Training(
        table, network(max_epochs=50, patience=2, learning_rate=0.05), "mmoe", 1, CPU
    ).run()
    assert len(trained.history) == trained.best_epoch + 2 < 50


def test_the_test_period_does_not_decide_the_epoch_or_the_weights(table):
    labels = table.labels.copy()
    labels[table.rows("test")] = 1 - labels[table.rows("test")]
    one, other = (
        Training(t, network(), "mmoe_elcm", 1, CPU).run()
        for t in (table, replace(table, labels=labels))
    )
    assert one[0].history == other[0].history
    assert np.array_equal(one[1]["probabilities"], other[1]["probabilities"])


def test_more_clusters_than_users_with_a_history(table):
    known = int((table.activity > 0).sum())
    with pytest.raises(
        InputError, match=rf"clusters is {known + 1}; allowed: at most the {known} "
    ):
        Training(table, network(clusters=known + 1), "mmoe_elcm", 1, CPU)
    Training(table, network(clusters=known + 1), "mmoe", 1, CPU)


def test_losses_that_are_not_finite_are_refused(table):
    with pytest.raises(
        InputError, match=r"industrial\.network\.learning_rate: no epoch has finite"
    ):
        Training(table, network(learning_rate=1e30, max_epochs=2), "mmoe", 1, CPU).run()
