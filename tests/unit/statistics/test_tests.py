from math import inf, isnan, nan

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st

from elcrec.statistics.tests import holm, mean_std, paired_t, welch

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


class TestMeanAndDeviation:
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


@pytest.mark.parametrize("bad", [[nan, 1], [inf, 1], [[1, 2]]])
def test_values_that_are_no_plain_finite_list_are_refused(bad):
    for function in (lambda: welch(bad, [1, 2]), lambda: mean_std(bad)):
        with pytest.raises(ValueError, match="values must be"):
            function()
