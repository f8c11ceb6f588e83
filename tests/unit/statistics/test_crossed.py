"""The primary test against a two-way analysis of variance and Student's t, both written out."""

from math import inf, isnan

import numpy as np
import pytest
import scipy.stats

from elcrec.statistics.crossed import (
    ONE_USER,
    UNKNOWN_NOISE,
    combined_freedom,
    crossed,
    interaction,
    users_variance,
)
from elcrec.statistics.noise import NONE, UNKNOWN, Noise


def drawn(seed, *shapes, rate=0.4):
    """Hits of models on users who differ in how easily they are hit."""
    generator = np.random.default_rng(seed)
    users = generator.beta(rate * 3, (1 - rate) * 3, shapes[0][1])
    return [(generator.random(shape) < users).astype(float) for shape in shapes]


def mean_square(values):
    """Of the interaction, in a two-way analysis of variance with one value per cell."""
    n, count = len(values), len(values[0])
    grand = sum(map(sum, values)) / (n * count)
    of_runs = [sum(row) / count for row in values]
    of_users = [sum(row[u] for row in values) / n for u in range(count)]
    total = sum((x - grand) ** 2 for row in values for x in row)
    between_runs = count * sum((m - grand) ** 2 for m in of_runs)
    between_users = n * sum((m - grand) ** 2 for m in of_users)
    return (total - between_runs - between_users) / ((n - 1) * (count - 1))


def by_hand(a, b, noise_a, noise_b):
    """Difference, variances, degrees of freedom, p and interval, without the moderation rules."""
    count = a.shape[1]
    changes = [sum(x) / len(a) - sum(y) / len(b) for x, y in zip(a.T, b.T, strict=True)]
    mean = sum(changes) / count
    whole = sum((x - mean) ** 2 for x in changes) / (count - 1)
    inside = sum(mean_square(x) / len(x) if len(x) > 1 else 0.0 for x in (a, b))
    users = max(whole - inside, 0.0) / count
    training = sum(
        noise.variance * x.sum() ** 2 / x.size**2 / len(x)
        for noise, x in ((noise_a, a), (noise_b, b))
    )
    smaller = min(noise_a.freedom, noise_b.freedom)
    freedom = (users + training) ** 2 / (users**2 / (count - 1) + training**2 / smaller)
    error = (users + training) ** 0.5
    t = scipy.stats.t(freedom)
    p = 2 * t.cdf(-abs(mean) / error)
    return mean, users, training, freedom, p, mean + error * np.array(t.interval(0.95))


class TestParts:
    def test_interaction_by_hand(self):
        # Runs 0, 1 and 1, 0: all means are one half, and every cell is one half away.
        assert interaction(np.array([[0.0, 1.0], [1.0, 0.0]])) == pytest.approx(1.0)

    def test_runs_and_users_that_only_add_up_do_not_interact(self):
        values = np.array([0.0, 0.3, 0.1])[:, None] + np.array([0.2, 0.9, 0.4, 0.0])
        assert interaction(values) == pytest.approx(0.0, abs=1e-30)

    @pytest.mark.parametrize("shape", [(2, 2), (2, 9), (3, 40), (5, 7)])
    def test_interaction_is_that_of_the_analysis_of_variance(self, shape):
        values = np.random.default_rng(1).random(shape)
        assert interaction(values) == pytest.approx(mean_square(values.tolist()))

    @pytest.mark.parametrize("shape", [(1, 5), (3, 1)])
    def test_one_run_or_user_has_no_interaction_that_can_be_told(self, shape):
        assert interaction(np.random.default_rng(1).random(shape)) == 0.0

    @pytest.mark.parametrize(("n_a", "n_b"), [(1, 1), (1, 3), (2, 2), (3, 2)])
    def test_users_variance_is_the_variance_over_users_less_the_interaction(self, n_a, n_b):
        a, b = drawn(2, (n_a, 60), (n_b, 60))
        b = b * np.linspace(0.1, 1, 60)  # users differ by more than chance
        whole = np.var(a.mean(0) - b.mean(0), ddof=1)
        inside = [mean_square(x.tolist()) / len(x) if len(x) > 1 else 0 for x in (a, b)]
        assert users_variance(a, b) == pytest.approx((whole - sum(inside)) / 60)
        assert users_variance(b, a) == pytest.approx(users_variance(a, b))

    def test_users_variance_is_unbiased(self):
        """Users whose lead has variance 1, hidden under as much interaction in each cell."""
        generator = np.random.default_rng(3)
        lead = generator.standard_normal((4000, 1, 20))
        cells = generator.standard_normal((4000, 5, 20))
        found = [users_variance(x[:2] + u, x[2:]) for x, u in zip(cells, lead, strict=True)]
        assert 20 * np.mean(found) == pytest.approx(1.0, abs=0.05)  # without: 1 + 1/2 + 1/3

    def test_users_variance_is_never_negative_and_unknown_for_one_user(self):
        swapped = np.array([[0.0, 1.0], [1.0, 0.0]])
        assert users_variance(swapped, swapped[:1] * 0) == 0.0
        assert isnan(users_variance(np.ones((2, 1)), np.ones((2, 1))))


class TestFreedom:
    def test_by_hand(self):
        assert combined_freedom(1.0, 99, 3.0, 6) == pytest.approx(16 / (1 / 99 + 9 / 6))

    def test_users_alone_and_training_alone(self):
        assert combined_freedom(0.2, 99, 0.0, 6) == pytest.approx(99)
        assert combined_freedom(0.2, 99, 0.0, inf) == pytest.approx(99)
        assert combined_freedom(0.0, 99, 0.3, 6) == pytest.approx(6)
        assert combined_freedom(0.0, 99, 0.0, 6) == inf

    def test_between_the_smaller_and_both_together(self):
        for share in (0.01, 0.3, 0.9):
            assert 6 < combined_freedom(share, 99, 1 - share, 6) < 105


class TestOutcome:
    @pytest.mark.parametrize(("n_a", "n_b"), [(1, 1), (2, 2), (2, 3), (3, 3)])
    @pytest.mark.parametrize("users", [2, 30, 400])
    def test_p_value_and_interval_by_hand(self, n_a, n_b, users):
        a, b = drawn(n_a + 10 * n_b + users, (n_a, users), (n_b, users))
        noises = Noise(0.01, 5), Noise(0.02, 7.5)
        mean, of_users, training, freedom, p, interval = by_hand(a, b, *noises)
        found = crossed(a, b, *noises)
        assert found.difference == pytest.approx(mean)
        assert found.users_variance == pytest.approx(of_users)
        assert found.training_variance == pytest.approx(training)
        assert found.freedom == pytest.approx(freedom)
        assert found.p_value == pytest.approx(p)
        assert (found.low, found.high) == pytest.approx(tuple(interval))
        assert found.statistic == pytest.approx(mean / (of_users + training) ** 0.5)
        assert found.reason == ""

    def test_without_training_noise_and_one_run_each_it_is_the_paired_t_test(self):
        a, b = drawn(5, (1, 50), (1, 50))
        found = crossed(a, b, NONE, NONE)
        expected = scipy.stats.ttest_rel(a[0], b[0])
        assert found.p_value == pytest.approx(expected.pvalue)
        assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()))
        assert found.freedom == pytest.approx(49)

    def test_the_interval_excludes_zero_where_p_is_below_a_twentieth(self):
        outcomes = set()
        for seed in range(80):
            a, b = drawn(seed, (2, 200), (2, 200), rate=0.3)
            b = b * (1 - 0.01 * seed)
            found = crossed(a, b, Noise(0.003, 4), Noise(0.002, 6))
            apart = not found.low <= 0 <= found.high
            assert apart == (found.p_value < 0.05)
            outcomes.add(apart)
        assert outcomes == {True, False}

    @pytest.mark.parametrize(("n_a", "n_b"), [(1, 3), (2, 3)])
    def test_the_other_way_round(self, n_a, n_b):
        a, b = drawn(7, (n_a, 80), (n_b, 80))
        noises = Noise(0.01, 4), Noise(0.03, 6)
        found, turned = crossed(a, b, *noises), crossed(b, a, *noises[::-1])
        for name in ("p_value", "freedom", "users_variance", "training_variance"):
            assert getattr(turned, name) == pytest.approx(getattr(found, name)), name
        mirrored = (-found.high, -found.low, -found.statistic, -found.difference)
        assert (turned.low, turned.high, turned.statistic, turned.difference) == pytest.approx(
            mirrored
        )

    def test_more_noise_is_a_wider_interval(self):
        a, b = drawn(8, (2, 80), (2, 80))
        halves = [crossed(a, b, Noise(x, 4), Noise(x, 4)) for x in (0.001, 0.01, 0.1)]
        widths = [found.high - found.low for found in halves]
        assert widths == sorted(widths)
        assert widths[0] < widths[-1] / 2


class TestOneRun:
    @pytest.mark.parametrize(
        ("n_a", "n_b", "of_a", "of_b", "used"),
        [
            (1, 3, Noise(0.01, 6), Noise(0.04, 3), (Noise(0.04, 3), Noise(0.04, 3))),
            (3, 1, Noise(0.04, 3), Noise(0.01, 6), (Noise(0.04, 3), Noise(0.04, 3))),
            (1, 3, Noise(0.04, 3), Noise(0.01, 6), (Noise(0.04, 3), Noise(0.01, 6))),
            (1, 1, Noise(0.01, 6), Noise(0.04, 3), (Noise(0.01, 6), Noise(0.04, 3))),
            (2, 3, Noise(0.01, 6), Noise(0.04, 3), (Noise(0.01, 6), Noise(0.04, 3))),
            (1, 3, NONE, Noise(0.04, 3), (NONE, Noise(0.04, 3))),
            (3, 1, Noise(0.04, 3), NONE, (Noise(0.04, 3), NONE)),
            (1, 3, Noise(0.01, 6), NONE, (Noise(0.01, 6), NONE)),
        ],
    )
    def test_it_is_taken_to_be_as_noisy_as_its_rival(self, n_a, n_b, of_a, of_b, used):
        a, b = drawn(9, (n_a, 70), (n_b, 70))
        _, _, training, freedom, p, _ = by_hand(a, b, *used)
        found = crossed(a, b, of_a, of_b)
        assert found.training_variance == pytest.approx(training)
        assert found.freedom == pytest.approx(freedom)
        assert found.p_value == pytest.approx(p)


class TestNoOrdinaryTest:
    @pytest.mark.parametrize("noises", [(UNKNOWN, UNKNOWN), (UNKNOWN, NONE), (NONE, UNKNOWN)])
    def test_unknown_noise(self, noises):
        a, b = drawn(10, (1, 40), (1, 40))
        found = crossed(a, b, *noises)
        assert found.difference == pytest.approx(a.mean() - b.mean())
        assert found.users_variance == pytest.approx(np.var(a[0] - b[0], ddof=1) / 40)
        unknown = (found.p_value, found.low, found.high, found.statistic, found.freedom)
        assert all(isnan(x) for x in unknown)
        assert found.reason == UNKNOWN_NOISE

    @pytest.mark.parametrize("noise", [Noise(0.01, 4), NONE])
    def test_one_user(self, noise):
        found = crossed(np.ones((2, 1)), np.zeros((3, 1)), noise, noise)
        assert (found.difference, found.reason) == (1.0, ONE_USER)
        assert found.training_variance == pytest.approx(noise.variance / 2)
        assert all(isnan(x) for x in (found.p_value, found.low, found.high))

    @pytest.mark.parametrize("value", [0.0, 0.1, 1.0])
    @pytest.mark.parametrize(("n_a", "n_b"), [(1, 1), (1, 3), (3, 2)])
    def test_equal_constants_without_noise(self, value, n_a, n_b):
        # Three times 0.1 has a mean just above 0.1.
        found = crossed(np.full((n_a, 7), value), np.full((n_b, 7), value), NONE, NONE)
        assert found.p_value == 1.0
        assert found.low <= found.difference <= found.high
        assert found.difference == pytest.approx(0.0, abs=1e-15)

    def test_rounding_is_neither_a_difference_nor_a_variance(self):
        # The mean of three times 0.1 is a little more, that of three times 0.7 a little less.
        values = np.array([[0.1, 0.7, 0.7, 0.7]])
        found = crossed(values, np.repeat(values, 3, axis=0), NONE, NONE)
        assert 0 < found.users_variance < 1e-30
        assert found.p_value == 1.0

    def test_different_constants_without_noise(self):
        found = crossed(np.full((1, 7), 0.5), np.full((3, 7), 0.25), NONE, NONE)
        assert (found.p_value, found.low, found.high) == (0.0, 0.25, 0.25)

    def test_equal_constants_with_noise_are_an_ordinary_test(self):
        found = crossed(np.full((2, 7), 0.1), np.full((2, 7), 0.1), Noise(0.01, 4), Noise(0.01, 4))
        half = scipy.stats.t.ppf(0.975, 4) * (2 * 0.01 * 0.1**2 / 2) ** 0.5
        assert (found.p_value, found.statistic, found.freedom) == (1.0, 0.0, 4.0)
        assert (found.low, found.high) == pytest.approx((-half, half))

    def test_no_hit_at_all(self):
        found = crossed(np.zeros((1, 9)), np.zeros((2, 9)), Noise(0.01, 4), Noise(0.01, 4))
        assert (found.p_value, found.low, found.high) == (1.0, 0.0, 0.0)

    def test_other_users_are_refused(self):
        with pytest.raises(ValueError, match="got 4 and 5"):
            crossed(np.zeros((1, 4)), np.zeros((1, 5)), NONE, NONE)
