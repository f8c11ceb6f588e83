import numpy as np
import pytest

from elcrec.statistics import lists as of_lists

LISTS = np.array([[1, 2], [1, 3], [2, 0]], dtype=np.uint16)
COUNTS = np.array([0, 4, 2, 0, 1])


def test_how_often_items_are_shown():
    assert of_lists.shown(LISTS, 4).tolist() == [2, 2, 1, 0]


@pytest.mark.parametrize(("counts", "expected"), [([3, 3, 3], 0), ([0, 0, 0, 8], 0.75)])
def test_gini_at_both_ends(counts, expected):
    assert of_lists.gini(np.array(counts)) == pytest.approx(expected)


def test_gini_is_the_mean_difference_over_twice_the_mean():
    counts = np.random.default_rng(0).integers(0, 50, 40)
    differences = np.abs(counts[:, None] - counts[None]).mean()
    assert of_lists.gini(counts) == pytest.approx(differences / (2 * counts.mean()))


def test_popularity_and_novelty_by_hand():
    assert of_lists.mean_popularity(LISTS, COUNTS) == (4 + 2 + 4 + 0 + 2) / 5
    # Of 8 users: 1 bit, 2 bits; the item that nobody had counts as one user, 3 bits.
    assert of_lists.novelty(LISTS, COUNTS, 8) == pytest.approx((1 + 2 + 1 + 3 + 2) / 5)


def test_jaccard_by_hand(monkeypatch):
    other = np.array([[2, 1], [4, 5], [2, 1]])
    expected = (1 + 0 + 1 / 2) / 3
    assert of_lists.jaccard(LISTS, other) == pytest.approx(expected)
    assert of_lists.jaccard(other, LISTS) == pytest.approx(expected)
    monkeypatch.setattr(of_lists, "PAIRS", 1)  # user by user
    assert of_lists.jaccard(LISTS, other) == pytest.approx(expected)
    empty = np.zeros((1, 2), dtype=np.uint16)
    assert of_lists.jaccard(np.vstack([LISTS, empty]), np.vstack([other, empty])) == pytest.approx(
        expected
    )
