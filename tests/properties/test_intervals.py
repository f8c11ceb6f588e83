"""Intervals of a mean: Student's and the bootstrap's."""

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from elcrec.bootstrap import bootstrap_intervals
from elcrec.stats import mean_std, t_interval
from tests.properties.strategies import SEEDS, cases

VALUES = st.lists(st.integers(-640, 640).map(lambda n: n / 64), min_size=2, max_size=12)
TABLES = st.integers(1, 4).flatmap(
    lambda columns: st.lists(
        st.lists(st.sampled_from([0.0, 0.0, 0.5, 1.0, -1.0, 0.25]), min_size=columns,
                 max_size=columns),
        min_size=1,
        max_size=12,
    )
)  # fmt: skip


@cases(120)
@given(VALUES, st.floats(0.05, 0.995))
def test_t_interval_is_its_definition(values, confidence):
    low, high = t_interval(values, confidence)
    mean = sum(values) / len(values)
    square = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    half = scipy.stats.t.isf((1 - confidence) / 2, len(values) - 1) * (square / len(values)) ** 0.5
    assert (low, high) == pytest.approx((mean - half, mean + half), abs=1e-9)
    assert mean_std(values) == pytest.approx((mean, square**0.5), abs=1e-9)
    if len(set(values)) == 1:
        assert (low, high) == (values[0], values[0])


@cases(100)
@given(VALUES, st.integers(-64, 64), st.sampled_from([-2.0, 0.5, 4.0]))
def test_t_interval_moves_with_its_values_and_widens_with_confidence(values, shift, scale):
    low, high = t_interval(values)
    moved = sorted((scale * low + shift, scale * high + shift))
    assert t_interval([scale * x + shift for x in values]) == pytest.approx(moved, abs=1e-9)
    ends = [t_interval(values, confidence) for confidence in (0.5, 0.9, 0.95, 0.99)]
    for inner, outer in itertools.pairwise(ends):
        assert outer[0] <= inner[0] <= inner[1] <= outer[1]


@cases(40)
@given(TABLES, SEEDS)
def test_bootstrap_stays_among_the_values_and_depends_on_the_seed_only(table, seed):
    found = bootstrap_intervals(table, resamples=200, seed=seed)
    columns = np.array(table)
    assert found.shape == (columns.shape[1], 2)
    assert (found[:, 0] <= found[:, 1]).all()
    assert (found[:, 0] >= columns.min(0) - 1e-12).all()
    assert (found[:, 1] <= columns.max(0) + 1e-12).all()
    np.testing.assert_array_equal(found, bootstrap_intervals(table, resamples=200, seed=seed))
    wider = bootstrap_intervals(table, resamples=200, seed=seed, confidence=0.99)
    assert (wider[:, 0] <= found[:, 0]).all()
    assert (found[:, 1] <= wider[:, 1]).all()


@cases(40)
@given(TABLES, st.randoms(use_true_random=False))
def test_bootstrap_turns_round_scales_and_follows_its_columns(table, order):
    values = np.array(table)
    found = bootstrap_intervals(values, resamples=200)
    turned = bootstrap_intervals(-values, resamples=200)
    np.testing.assert_allclose(turned, -found[:, ::-1], atol=1e-12)
    np.testing.assert_allclose(bootstrap_intervals(4 * values, resamples=200), 4 * found)
    places = order.sample(range(values.shape[1]), values.shape[1])
    mixed = bootstrap_intervals(values[:, places], resamples=200)
    np.testing.assert_allclose(mixed, found[places], atol=1e-12)


@cases(20)
@given(
    st.lists(st.sampled_from([0.0, 1.0, -1.0, 0.5]), min_size=1, max_size=5),
    st.sampled_from([0.8, 0.9, 0.95]),
    SEEDS,
)
def test_bootstrap_agrees_with_all_resamples(values, confidence, seed):
    """Of up to five users all n^n resamples can be counted; 10,000 drawn ones come near."""
    size = len(values)
    means = np.array([np.mean(draw) for draw in itertools.product(values, repeat=size)])
    tail, slack = (1 - confidence) / 2, 0.02  # six standard errors of a share at most
    table = [[value] for value in values]
    low, high = bootstrap_intervals(table, confidence=confidence, seed=seed)[0]
    assert (means < low - 1e-9).mean() <= tail + slack
    assert (means <= low + 1e-9).mean() >= tail - slack
    assert (means > high + 1e-9).mean() <= tail + slack
    assert (means >= high - 1e-9).mean() >= tail - slack
