"""Groupings compared: against scikit-learn, in both directions, and with nothing to compare."""

import math

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, mutual_info_score

from elcrec.statistics.clusterings import above_chance, adjusted_rand, mutual_information


def groupings(seed):
    random = np.random.default_rng(seed)
    first = random.integers(7, size=200)
    return first, np.where(random.random(200) < 0.5, first % 3, random.integers(4, size=200))


@pytest.mark.parametrize("seed", range(3))
def test_as_scikit_learn_has_them(seed):
    a, b = groupings(seed)
    assert mutual_information(a, b) == pytest.approx(mutual_info_score(a, b) / math.log(2))
    assert adjusted_rand(a, b) == pytest.approx(adjusted_rand_score(a, b))
    assert adjusted_rand(b, a) == pytest.approx(adjusted_rand(a, b))


def test_the_same_grouping_under_other_numbers():
    groups = np.repeat(np.arange(4), 8)
    assert adjusted_rand(groups, 3 - groups) == pytest.approx(1)
    assert mutual_information(groups, 3 - groups) == pytest.approx(2)


def test_of_small_random_groups_nothing_is_left_above_chance():
    random = np.random.default_rng(1)
    a, b = random.integers(60, size=300), random.integers(5, size=300)
    assert mutual_information(a, b) > 0.3
    assert abs(above_chance(a, b)) < 0.1
    assert abs(adjusted_rand(a, b)) < 0.05


def test_one_group_of_all_is_compared_with_nothing():
    alone = np.zeros(10, dtype=int)
    assert math.isnan(adjusted_rand(alone, alone))
    assert adjusted_rand(alone, np.arange(10) % 2) == 0
    assert mutual_information(alone, np.arange(10) % 2) == 0
