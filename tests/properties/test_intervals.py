"""Intervals of a mean and of a difference, and the training noise that they rest on."""

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st

from elcrec.statistics.crossed import crossed
from elcrec.statistics.noise import NONE, Noise, Pool
from elcrec.statistics.power import mean_interval, prediction_interval
from elcrec.statistics.tests import mean_std
from tests.properties.strategies import cases

VALUES = st.lists(st.integers(-640, 640).map(lambda n: n / 64), min_size=2, max_size=12)
RATES = st.lists(st.integers(1, 640).map(lambda n: n / 64), min_size=2, max_size=12)
NOISES = st.one_of(
    st.just(NONE),
    st.builds(Noise, st.sampled_from([1e-4, 0.0025, 0.1]), st.sampled_from([0.5, 1.0, 4.0, 12.0])),
)


@st.composite
def two_models(draw):
    """Metrics of one to three runs of either model on the same two to eight users."""
    users = draw(st.integers(2, 8))
    value = st.sampled_from([0.0, 0.0, 0.5, 1.0, 0.25])
    run = st.lists(value, min_size=users, max_size=users)
    return [np.array(draw(st.lists(run, min_size=1, max_size=3))) for _ in range(2)]


@cases(120)
@given(VALUES)
def test_mean_and_deviation_are_their_definitions(values):
    mean = sum(values) / len(values)
    square = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    assert mean_std(values) == pytest.approx((mean, square**0.5), abs=1e-9)


@cases(120)
@given(RATES)
def test_of_a_models_own_runs_the_mean_has_students_interval(runs):
    mean = sum(runs) / len(runs)
    square = sum((value - mean) ** 2 for value in runs) / (len(runs) - 1)
    half = scipy.stats.t.isf(0.025, len(runs) - 1) * (square / len(runs)) ** 0.5
    noise = Noise(square / mean**2, len(runs) - 1)
    found = mean_interval(mean, len(runs), noise)
    assert found == pytest.approx((mean - half, mean + half), abs=1e-9)
    if len(set(runs)) == 1:
        assert found == (runs[0], runs[0])


@cases(100)
@given(st.integers(1, 64).map(lambda n: n / 64), NOISES, st.sampled_from([0.5, 4.0]))
def test_intervals_scale_with_the_mean_narrow_with_seeds_and_lie_in_each_other(mean, noise, scale):
    seeds = (1, 2, 3, 10)
    for interval in (mean_interval, prediction_interval):
        low, high = interval(mean, 2, noise)
        assert interval(scale * mean, 2, noise) == pytest.approx((scale * low, scale * high))
        for wide, narrow in itertools.pairwise(interval(mean, n, noise) for n in seeds):
            assert wide[0] <= narrow[0] <= mean <= narrow[1] <= wide[1]
    for n in seeds:
        inner, outer = mean_interval(mean, n, noise), prediction_interval(mean, n, noise)
        assert outer[0] <= inner[0] <= inner[1] <= outer[1]


@cases(120)
@given(two_models(), NOISES, NOISES, st.sampled_from([0.125, 0.3, 0.5]))
def test_scale_changes_the_difference_and_its_interval_but_not_p(models, noise_a, noise_b, scale):
    a, b = models
    before = crossed(a, b, noise_a, noise_b)
    # Where users agree but for rounding, p depends on it.
    error = before.users_variance + before.training_variance
    assume(error == 0 or error > 1e-12)
    after = crossed(scale * a, scale * b, noise_a, noise_b)
    assert after.p_value == pytest.approx(before.p_value, rel=1e-7)
    for name in ("difference", "low", "high"):
        expected = scale * getattr(before, name)
        assert getattr(after, name) == pytest.approx(expected, rel=1e-7, abs=1e-12), name
    assert (before.p_value < 0.05) == (not before.low <= 0 <= before.high)


VARIANCES = st.lists(
    st.tuples(st.sampled_from([0.0, 1e-4, 0.001, 0.0025, 0.01, 0.3]), st.sampled_from([1, 2, 4])),
    min_size=1,
    max_size=6,
)


@cases(120)
@given(VARIANCES, st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_the_other_models_does_not_matter(models, order, own):
    """Nor their names: only variances and degrees of freedom do."""
    key = ("beauty", "0" if own else "absent")
    places = [0, *order.sample(range(1, len(models)), len(models) - 1)]
    if not own:
        order.shuffle(places)
    found = [
        Pool(
            {("beauty", str(name)): models[place][0] for name, place in enumerate(taken)},
            {("beauty", str(name)): models[place][1] for name, place in enumerate(taken)},
        ).noise(key)
        for taken in (range(len(models)), places)
    ]
    assert found[1].variance == pytest.approx(found[0].variance, rel=1e-9)
    assert found[1].freedom == pytest.approx(found[0].freedom, rel=1e-9)
