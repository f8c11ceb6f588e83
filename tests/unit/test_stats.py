import itertools
from math import inf, isnan, nan

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from elcrec.bootstrap import bootstrap_intervals
from elcrec.stats import holm, mean_std, paired_t, t_interval, welch, wilcoxon

values = st.lists(st.floats(0, 1).map(lambda x: round(x, 6)), min_size=2, max_size=12)
p_values = st.lists(st.one_of(st.floats(0, 1), st.just(nan)), max_size=12)


class TestWelch:
    def test_known_answer(self):
        # By hand: means 2 and 6, variances 1 and 4, t = -4 / sqrt(1/3 + 4/3), 2.941 degrees.
        result = welch([1, 2, 3], [4, 6, 8])
        assert result.statistic == pytest.approx(-4 / (5 / 3) ** 0.5)
        freedom = (5 / 3) ** 2 / ((1 / 3) ** 2 / 2 + (4 / 3) ** 2 / 2)
        assert result.p_value == pytest.approx(2 * scipy.stats.t.sf(abs(result.statistic), freedom))
        assert result.difference == -4
        assert result.n == (3, 3)
        assert result.size == "3+3"
        assert "two-sided" in result.test
        assert result.reason == ""

    def test_both_directions_have_the_same_p_and_opposite_signs(self):
        up, down = welch([5, 6, 7], [1, 2, 4]), welch([1, 2, 4], [5, 6, 7])
        assert up.p_value == down.p_value < 0.05
        assert up.statistic == -down.statistic > 0
        assert up.difference == -down.difference > 0

    def test_tie_is_not_significant(self):
        result = welch([1, 2, 3], [3, 2, 1])
        assert (result.p_value, result.statistic, result.difference) == (1.0, 0.0, 0.0)

    def test_identical_constant_samples(self):
        result = welch([0.1] * 3, [0.1] * 3)
        assert (result.p_value, result.statistic) == (1.0, 0.0)
        assert result.reason == "all values are equal"

    def test_different_constant_samples(self):
        result = welch([0.2] * 3, [0.1] * 3)
        assert (result.p_value, result.statistic) == (0.0, inf)
        assert welch([0.1] * 3, [0.2] * 3).statistic == -inf
        assert result.reason == "no variance"

    def test_one_constant_sample_is_an_ordinary_test(self, recwarn):
        result = welch([0.1] * 3, [0.1, 0.2, 0.3])
        expected = scipy.stats.ttest_1samp([0.1, 0.2, 0.3], 0.1)
        assert result.p_value == pytest.approx(expected.pvalue)
        assert not recwarn.list

    @pytest.mark.parametrize(("a", "b"), [([1], [1, 2]), ([1, 2], [1]), ([1], [2])])
    def test_one_value_has_no_p_value_but_a_reason(self, a, b):
        result = welch(a, b)
        assert isnan(result.p_value)
        assert result.difference == np.mean(a) - np.mean(b)
        assert "fewer than two" in result.reason

    def test_no_value(self):
        result = welch([], [1, 2])
        assert isnan(result.p_value)
        assert isnan(result.difference)
        assert result.reason

    @given(values, values)
    def test_agrees_with_scipy(self, a, b):
        assume(np.ptp(a) > 1e-3 and np.ptp(b) > 1e-3)
        expected = scipy.stats.ttest_ind(a, b, equal_var=False)
        result = welch(a, b)
        assert result.statistic == pytest.approx(expected.statistic, rel=1e-6, abs=1e-9)
        assert result.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)


class TestPaired:
    def test_known_answer(self):
        # Differences 1, 2, 3: mean 2, deviation 1, t = 2 sqrt(3); p for 2 degrees is closed.
        result = paired_t([2, 4, 6], [1, 2, 3])
        t = 2 * 3**0.5
        assert result.statistic == pytest.approx(t)
        assert result.p_value == pytest.approx(1 - t / (2 + t**2) ** 0.5)
        assert (result.n, result.size, result.difference) == ((3,), "3", 2.0)

    def test_a_clearly_better_model_has_a_small_p_in_both_directions(self):
        rng = np.random.default_rng(0)
        worse = rng.random(500)
        better = worse + rng.normal(0.1, 0.05, 500)
        assert paired_t(better, worse).p_value == paired_t(worse, better).p_value < 1e-20
        assert paired_t(better, worse).statistic > 0 > paired_t(worse, better).statistic

    def test_pairs_matter(self):
        a = np.array([1.0, 10.0, 100.0, 1000.0])
        b = a + np.array([0.1, 0.2, 0.1, 0.2])
        assert paired_t(a, b).p_value < 0.02 < 0.9 < welch(a, b).p_value

    def test_identical_samples(self):
        result = paired_t([0, 1, 0], [0, 1, 0])
        assert (result.p_value, result.statistic, result.difference) == (1.0, 0.0, 0.0)

    def test_tie(self):
        assert paired_t([0, 1], [1, 0]).p_value == pytest.approx(1.0)

    def test_constant_difference(self):
        assert paired_t([1, 2, 3], [2, 3, 4]).statistic == -inf
        assert paired_t([1, 2, 3], [2, 3, 4]).p_value == 0.0

    @pytest.mark.parametrize("n", [0, 1])
    def test_too_few_pairs(self, n):
        result = paired_t([1.0] * n, [0.5] * n)
        assert isnan(result.p_value)
        assert result.reason

    def test_different_lengths_are_refused(self):
        with pytest.raises(ValueError, match="2 and 3"):
            paired_t([1, 2], [1, 2, 3])

    @given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=30))
    def test_agrees_with_scipy(self, pairs):
        a, b = np.array(pairs, dtype=float).T
        assume(np.ptp(a - b) > 0)
        expected = scipy.stats.ttest_rel(a, b)
        result = paired_t(a, b)
        assert result.statistic == pytest.approx(expected.statistic, abs=1e-12)
        assert result.p_value == pytest.approx(expected.pvalue, rel=1e-9)


class TestWilcoxon:
    def test_known_answer(self):
        # Differences -1, 2, 3 have the ranks 1, 2, 3: signed -1 + 2 + 3. Of the 8 ways to give the
        # ranks signs, 4 are at least as far from even: two-sided p = 4 / 8.
        result = wilcoxon([0, 2, 3], [1, 0, 0])
        assert (result.statistic, result.p_value, result.n) == (4.0, 0.5, (3,))
        assert result.effect == pytest.approx(4 / 6)
        assert result.difference == pytest.approx(4 / 3)
        assert "two-sided" in result.test

    def test_both_directions_have_the_same_p_and_opposite_signs(self):
        better, worse = np.arange(60) + 1.0, np.arange(60) / 2
        up, down = wilcoxon(better, worse), wilcoxon(worse, better)
        assert up.p_value == down.p_value < 1e-10
        assert (up.effect, down.effect) == (1.0, -1.0)
        assert up.statistic == -down.statistic == 60 * 61 / 2

    def test_tie_is_not_significant(self):
        result = wilcoxon([1, 2, 3, 4], [2, 1, 4, 3])
        assert (result.p_value, result.statistic, result.effect) == (1.0, 0.0, 0.0)

    def test_pairs_without_a_difference_are_left_out(self):
        some = wilcoxon([0, 2, 3], [1, 0, 0])
        more = wilcoxon([0, 2, 3, 7, 7], [1, 0, 0, 7, 7])
        assert (more.p_value, more.statistic, more.n) == (some.p_value, some.statistic, (3,))
        assert more.difference == pytest.approx(4 / 5)

    def test_equal_differences_share_their_rank(self):
        # 1, 1, -1, 2 have the ranks 2, 2, 2, 4.
        result = wilcoxon([1, 1, 0, 2], [0, 0, 1, 0])
        assert result.statistic == 2 + 2 - 2 + 4
        assert result.effect == pytest.approx(6 / 10)

    def test_rounding_errors_are_neither_differences_nor_ranks(self):
        a = [0.1 + 0.2, 1.0 + 1e-16, 0.5, 0.0]
        result = wilcoxon(a, [0.3, 1.0, 0.2, 0.3])  # 0, 0, 0.3, -0.3 but for rounding
        assert (result.n, result.statistic, result.p_value) == ((2,), 0.0, 1.0)

    def test_all_pairs_equal(self):
        result = wilcoxon([0, 1, 0], [0, 1, 0])
        assert (result.p_value, result.statistic, result.effect, result.n) == (1.0, 0.0, 0.0, (0,))
        assert result.reason == "all pairs are equal"

    @pytest.mark.parametrize("n", [0, 1])
    def test_too_few_pairs(self, n):
        result = wilcoxon([1.0] * n, [0.5] * n)
        assert isnan(result.p_value)
        assert result.reason

    def test_normal_approximation_with_ties_by_hand(self):
        # As HR does: 40 users gain 1, 24 lose 1. All 64 ranks are 32.5; the variance of the sum of
        # signed ranks is that of 64 signs times 32.5 squared.
        result = wilcoxon([1.0] * 40 + [0.0] * 24 + [1.0] * 900, [0.0] * 40 + [1.0] * 924)
        z = 32.5 * (40 - 24) / (32.5 * 64**0.5)
        assert result.n == (64,)
        assert result.p_value == pytest.approx(2 * scipy.stats.norm.sf(z))
        assert result.effect == pytest.approx(16 / 64)

    @pytest.mark.parametrize("n", [5, 13, 14, 40])
    def test_agrees_with_scipy_without_ties(self, n):
        changes = np.random.default_rng(n).normal(0.3, 1, n)
        result = wilcoxon(changes, np.zeros(n))
        assert result.p_value == pytest.approx(scipy.stats.wilcoxon(changes).pvalue)

    @settings(deadline=None, max_examples=30)
    @given(st.lists(st.integers(-4, 4).filter(bool), min_size=2, max_size=9))
    def test_brute_force(self, changes):
        """The definition: the share of sign patterns whose rank sum is as far from even."""
        ranks = scipy.stats.rankdata(np.abs(changes))
        sums = [abs(np.dot(s, ranks)) for s in itertools.product([-1, 1], repeat=len(changes))]
        result = wilcoxon(changes, [0] * len(changes))
        expected = np.mean(np.array(sums) >= abs(result.statistic) - 1e-9)
        assert result.p_value == pytest.approx(expected)


class TestEffectSizes:
    def test_hedges_g_by_hand(self):
        # Difference -4, pooled variance (2 * 1 + 2 * 4) / 4; factor for 4 degrees sqrt(2 / pi).
        result = welch([1, 2, 3], [4, 6, 8])
        assert result.effect == pytest.approx(-4 / 2.5**0.5 * (2 / np.pi) ** 0.5)
        assert welch([4, 6, 8], [1, 2, 3]).effect == -result.effect

    def test_cohen_dz_by_hand(self):
        assert paired_t([2, 4, 6], [1, 2, 3]).effect == pytest.approx(2.0)
        assert paired_t([1, 2, 3], [2, 4, 6]).effect == pytest.approx(-2.0)

    def test_a_tie_has_none_and_a_constant_lead_an_endless_one(self):
        assert welch([1, 2, 3], [3, 2, 1]).effect == paired_t([0, 1], [0, 1]).effect == 0.0
        assert paired_t([1, 2], [0, 1]).effect == welch([2, 2], [1, 1]).effect == inf
        assert paired_t([0, 1], [1, 2]).effect == -inf


class TestBootstrap:
    def test_two_users_by_hand(self):
        # The mean of two draws from {0, 1} is 0, 0.5, 1 with probabilities 1/4, 1/2, 1/4.
        one = [[0.0], [1.0]]
        assert bootstrap_intervals(one, confidence=0.95).tolist() == [[0.0, 1.0]]
        assert bootstrap_intervals(one, confidence=0.4).tolist() == [[0.5, 0.5]]

    def test_both_directions_and_a_tie(self):
        lead = np.tile([1.0, 1.0, 1.0, 0.0], 50)
        table = np.stack([lead, -lead, np.tile([1.0, -1.0], 100)], axis=1)
        up, down, tie = bootstrap_intervals(table).tolist()
        assert 0.65 < up[0] < 0.75 < up[1] < 0.85
        assert down == pytest.approx([-up[1], -up[0]])
        assert tie[0] < 0 < tie[1]

    def test_agrees_with_scipy(self):
        values = np.random.default_rng(1).normal(0.2, 1, 120)
        values[:60] = 0  # most users have no difference
        expected = scipy.stats.bootstrap(
            (values,), np.mean, method="percentile", n_resamples=20_000, rng=2
        ).confidence_interval
        found = bootstrap_intervals(values[:, None], resamples=20_000)[0]
        assert found == pytest.approx([expected.low, expected.high], abs=0.01)

    def test_constant_differences(self):
        table = np.column_stack([np.full(30, 0.25), np.zeros(30)])
        assert bootstrap_intervals(table).tolist() == [[0.25, 0.25], [0.0, 0.0]]
        assert bootstrap_intervals(np.zeros((5, 2))).tolist() == [[0.0, 0.0]] * 2

    def test_the_same_seed_gives_the_same_interval(self):
        table = np.random.default_rng(3).normal(size=(50, 2))
        first = bootstrap_intervals(table, resamples=150)
        np.testing.assert_array_equal(first, bootstrap_intervals(table, resamples=150))
        assert (first != bootstrap_intervals(table, resamples=150, seed=1)).any()

    @pytest.mark.parametrize(
        ("table", "options"),
        [
            ([1.0, 2.0], {}),
            (np.empty((0, 2)), {}),
            ([[nan]], {}),
            ([[1.0]], {"resamples": 0}),
            ([[1.0]], {"confidence": 95}),
        ],
    )
    def test_wrong_input_is_refused(self, table, options):
        with pytest.raises(ValueError, match="must be"):
            bootstrap_intervals(table, **options)


class TestHolm:
    def test_known_answer(self):
        assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])

    def test_corrected_values_stop_at_one(self):
        assert holm([0.6, 0.9]) == [1.0, 1.0]

    def test_nan_stays_and_does_not_count(self):
        result = holm([0.01, nan, 0.04])
        assert result[::2] == pytest.approx([0.02, 0.04])
        assert isnan(result[1])

    def test_none_and_one(self):
        assert holm([]) == []
        assert holm([0.03]) == [0.03]

    @pytest.mark.parametrize("p", [-0.1, 1.1, inf])
    def test_outside_zero_to_one_is_refused(self, p):
        with pytest.raises(ValueError, match=r"\[0, 1\]"):
            holm([p])

    @given(p_values)
    def test_brute_force(self, p):
        """The definition: the largest (m - rank) p over all that are not larger, at most 1."""
        family = sorted(x for x in p if not isnan(x))
        steps = [(len(family) - i) * x for i, x in enumerate(family)]
        for before, after in zip(p, holm(p), strict=True):
            if isnan(before):
                assert isnan(after)
            else:
                upto = max(i for i, x in enumerate(family) if x == before)
                assert after == pytest.approx(min(1.0, max(steps[: upto + 1])))
                assert after >= before

    @given(st.lists(st.floats(0, 1), max_size=12))
    def test_keeps_the_order(self, p):
        corrected = holm(p)
        order = np.argsort(p, kind="stable")
        assert np.all(np.diff(np.array(corrected)[order]) >= 0)


class TestMeanAndInterval:
    def test_sample_deviation(self):
        assert mean_std([1, 2, 3]) == (2.0, 1.0)

    def test_one_value_has_no_deviation(self):
        mean, std = mean_std([0.5])
        assert mean == 0.5
        assert isnan(std)

    def test_no_value(self):
        assert all(isnan(x) for x in mean_std([]))

    def test_equal_values_have_exactly_no_deviation(self):
        assert mean_std([0.1, 0.1, 0.1]) == (0.1, 0.0)

    def test_interval_by_hand(self):
        low, high = t_interval([1, 2, 3])
        assert (low, high) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5))

    def test_interval_of_one_value(self):
        assert all(isnan(x) for x in t_interval([1.0]))

    def test_interval_of_equal_values(self):
        assert t_interval([0.3, 0.3]) == (0.3, 0.3)

    @pytest.mark.parametrize("confidence", [0, 1, 95])
    def test_confidence_is_a_share(self, confidence):
        with pytest.raises(ValueError, match="between 0 and 1"):
            t_interval([1, 2], confidence)

    @given(values, st.floats(0.5, 0.99))
    def test_interval_agrees_with_scipy(self, sample, confidence):
        assume(np.ptp(sample) > 1e-3)
        expected = scipy.stats.t.interval(
            confidence, len(sample) - 1, np.mean(sample), scipy.stats.sem(sample)
        )
        assert t_interval(sample, confidence) == pytest.approx(expected)


@pytest.mark.parametrize("bad", [[nan, 1], [inf, 1], [[1, 2]]])
def test_values_that_are_no_plain_finite_list_are_refused(bad):
    for function in (lambda: welch(bad, [1, 2]), lambda: mean_std(bad)):
        with pytest.raises(ValueError, match="values must be"):
            function()
