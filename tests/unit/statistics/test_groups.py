"""Users grouped by activity."""

import numpy as np
import pytest

from elcrec.statistics.groups import activity_groups


def test_groups_follow_the_length():
    assert activity_groups([9, 4, 7, 5, 30, 6], 3).tolist() == [2, 0, 1, 0, 2, 1]


def test_users_of_equal_length_are_not_grouped_by_their_number():
    lengths = np.full(1000, 5)
    lengths[::2] = 9
    groups = activity_groups(lengths, 5)
    assert np.bincount(groups).tolist() == [200] * 5
    assert lengths[groups < 2].max() == 5  # the shorter ones first
    numbers = [np.flatnonzero(groups == g).mean() for g in range(5)]
    assert all(400 < mean < 600 for mean in numbers)  # by number they would be 100 to 900
    np.testing.assert_array_equal(groups, activity_groups(lengths, 5))


def test_sizes_differ_by_one_at_most():
    lengths = np.random.default_rng(0).integers(5, 9, 103)
    groups = activity_groups(lengths, 5)
    assert groups.dtype == np.int8
    assert sorted(np.bincount(groups)) == [20, 20, 21, 21, 21]


@pytest.mark.parametrize("n_groups", [0, 4, 128])
def test_impossible_numbers_of_groups_are_refused(n_groups):
    with pytest.raises(ValueError, match="groups"):
        activity_groups([5, 6, 7], n_groups)
