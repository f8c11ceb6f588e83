"""AUC, log loss and gain against values worked out by hand, and against scikit-learn."""

import math

import numpy as np
import pytest
from sklearn import metrics as reference

from elcrec.industrial.metrics import auc, auc_by, gain, log_loss


def test_auc_by_hand():
    # Positives 0.9 and 0.4, negatives 0.5, 0.4 and 0.1: wins 3 + 1, one tie: (4 + 0.5) / 6.
    labels, scores = np.array([1, 0, 1, 0, 0.0]), np.array([0.9, 0.5, 0.4, 0.4, 0.1])
    assert auc(labels, scores) == pytest.approx(4.5 / 6)


@pytest.mark.parametrize(
    ("scores", "value"), [([1, 2, 3, 4], 1.0), ([4, 3, 2, 1], 0.0), ([7, 7, 7, 7], 0.5)]
)
def test_auc_at_its_ends_and_of_equal_scores(scores, value):
    assert auc(np.array([0, 0, 1, 1.0]), np.array(scores)) == value


def test_auc_is_that_of_scikit_learn_with_many_ties():
    random = np.random.default_rng(0)
    labels, scores = random.integers(2, size=500), random.integers(20, size=500)
    assert auc(labels, scores) == pytest.approx(reference.roc_auc_score(labels, scores))


def test_auc_within_each_user_and_only_of_users_with_both_labels():
    users = np.array([7, 7, 3, 3, 3, 5, 5])
    labels = np.array([1, 0, 0, 1, 1, 1, 1.0])
    scores = np.array([0.2, 0.8, 0.1, 0.1, 0.5, 0.9, 0.1])
    found = auc_by(users, labels, scores)
    assert found.to_dict() == {3: 0.75, 7: 0.0}  # user 5 has no negative


def test_scores_of_different_users_are_never_compared():
    users, labels = np.array([1, 1, 2, 2]), np.array([1, 0, 1, 0.0])
    assert auc_by(users, labels, np.array([0.2, 0.1, 0.9, 0.8])).tolist() == [1.0, 1.0]


def test_one_label_alone_has_no_auc():
    assert math.isnan(auc(np.ones(3), np.arange(3)))


def test_log_loss_by_hand_and_of_a_certain_error():
    labels, sure = np.array([1.0, 0.0]), np.array([0.8, 0.4])
    assert log_loss(labels, sure) == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2)
    assert log_loss(np.array([1.0]), np.array([0.0])) == pytest.approx(-math.log(1e-7))


def test_gain_by_hand():
    assert gain(0.55, 0.5) == pytest.approx(10.0)
    assert gain(0.49, 0.5) == pytest.approx(-2.0)
