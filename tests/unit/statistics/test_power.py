"""Intervals of one more run and of the mean, detectable leads, and the seeds that leads need."""

from math import inf, isnan, nan

import numpy as np
import pytest
import scipy.stats

from elcrec.statistics.crossed import combined_freedom
from elcrec.statistics.noise import NONE, UNKNOWN, Noise
from elcrec.statistics.power import (
    MOST_SEEDS,
    detectable_lead,
    mean_interval,
    prediction_interval,
    seeds_needed,
)

NOISE = Noise(0.0025, 4)  # a run deviates by 5 %
T4 = 2.7764451  # 97.5 % quantile of Student's t with 4 degrees of freedom
USERS, COUNT = 0.0004, 22363  # users let the difference deviate by 2 %


class TestIntervals:
    @pytest.mark.parametrize(("seeds", "factor"), [(1, 2), (2, 1.5), (3, 4 / 3)])
    def test_prediction_by_hand(self, seeds, factor):
        half = T4 * 0.05 * 0.04 * factor**0.5
        expected = (0.04 - half, 0.04 + half)
        assert prediction_interval(0.04, seeds, NOISE) == pytest.approx(expected)

    @pytest.mark.parametrize("seeds", [1, 2, 3])
    def test_mean_by_hand(self, seeds):
        half = T4 * 0.05 * 0.04 / seeds**0.5
        expected = (0.04 - half, 0.04 + half)
        assert mean_interval(0.04, seeds, NOISE) == pytest.approx(expected)

    def test_of_a_models_own_runs_the_mean_has_students_interval(self):
        runs = np.array([0.041, 0.038, 0.045])
        noise = Noise(float(runs.var(ddof=1) / runs.mean() ** 2), 2)
        expected = scipy.stats.ttest_1samp(runs, 0).confidence_interval(0.95)
        assert mean_interval(float(runs.mean()), 3, noise) == pytest.approx(tuple(expected))

    def test_prediction_covers_one_more_run_in_nineteen_of_twenty_cases(self):
        generator = np.random.default_rng(1)
        missed, draws = 0, 4000
        for runs in generator.normal(0.04, 0.002, (draws, 3)):
            noise = Noise(float(runs.var(ddof=1) / runs.mean() ** 2), 2)
            low, high = prediction_interval(float(runs.mean()), 3, noise)
            missed += not low <= generator.normal(0.04, 0.002) <= high
        assert missed / draws == pytest.approx(0.05, abs=0.014)  # four standard errors

    def test_without_noise_all_runs_are_one(self):
        assert prediction_interval(0.04, 1, NONE) == (0.04, 0.04)
        assert mean_interval(0.04, 3, NONE) == (0.04, 0.04)

    @pytest.mark.parametrize("interval", [prediction_interval, mean_interval])
    @pytest.mark.parametrize(("mean", "seeds", "noise"), [(0.04, 1, UNKNOWN), (nan, 0, NOISE)])
    def test_unknown_noise_or_no_run(self, interval, mean, seeds, noise):
        assert all(isnan(end) for end in interval(mean, seeds, noise))


def power_of(lead, seeds, noise, users, count, draws=400_000):
    """Share of drawn t statistics beyond the critical value: a shifted normal over a chi."""
    training = 2 * noise.variance / seeds
    of_noise = noise.freedom + seeds - 1
    squares = users**2 / (count - 1) + (training**2 / of_noise if training else 0)
    freedom = (users + training) ** 2 / squares
    generator = np.random.default_rng(2)
    shifted = generator.standard_normal(draws) + lead / (users + training) ** 0.5
    t = shifted / np.sqrt(generator.chisquare(freedom, draws) / freedom)
    return float((np.abs(t) > scipy.stats.t.isf(0.025, freedom)).mean())


class TestDetectableLead:
    @pytest.mark.parametrize(
        ("seeds", "noise", "users", "count"),
        [
            (1, NOISE, USERS, COUNT),
            (3, NOISE, USERS, COUNT),
            (1, Noise(0.0025, 1.5), 0.0, COUNT),
            (2, Noise(0.01, 12), 0.001, 943),
            (3, NONE, USERS, 25),
        ],
    )
    def test_is_found_in_four_of_five_experiments(self, seeds, noise, users, count):
        lead = detectable_lead(seeds, noise, users, count)
        found = power_of(lead, seeds, noise, users, count)
        assert found == pytest.approx(0.8, abs=0.004)  # six standard errors

    def test_by_the_whole_test_with_both_variances_estimated(self):
        """As above, but with degrees of freedom from what each experiment sees."""
        seeds, draws = 2, 20_000
        lead = detectable_lead(seeds, NOISE, USERS, COUNT)
        training, freedom = NOISE.variance, NOISE.freedom + seeds - 1
        generator = np.random.default_rng(3)
        differences = generator.normal(lead, (USERS + training) ** 0.5, draws)
        seen = training * generator.chisquare(freedom, draws) / freedom
        of_t = np.array([combined_freedom(USERS, COUNT - 1, x, freedom) for x in seen])
        p = 2 * scipy.stats.t.sf(np.abs(differences) / np.sqrt(USERS + seen), of_t)
        assert (p < 0.05).mean() == pytest.approx(0.8, abs=0.04)

    def test_of_known_noise_by_hand(self):
        # 1.96 + 0.84 errors; the other tail is below 1e-6.
        expected = (1.959964 + 0.841621) * 0.02
        assert detectable_lead(1, NONE, USERS, 10**9) == pytest.approx(expected, rel=1e-5)

    def test_more_power_needs_a_larger_lead(self):
        known = {p: detectable_lead(1, NONE, USERS, 10**9, power=p) for p in (0.5, 0.8, 0.9)}
        assert known[0.5] == pytest.approx(1.959964 * 0.02, rel=1e-3)
        assert known[0.9] == pytest.approx((1.959964 + 1.281552) * 0.02, rel=1e-5)

    def test_a_stricter_level_needs_a_larger_lead(self):
        strict = detectable_lead(1, NONE, USERS, 10**9, level=0.05 / 28)
        limit = scipy.stats.norm.isf(0.05 / 28 / 2) + scipy.stats.norm.ppf(0.8)
        assert strict == pytest.approx(limit * 0.02, rel=1e-4)

    def test_both_tails_count(self):
        lead = detectable_lead(1, NONE, USERS, 10**9, power=0.06) / 0.02
        tails = scipy.stats.norm.sf(1.959964 - lead), scipy.stats.norm.cdf(-1.959964 - lead)
        assert tails[1] > 0.01
        assert sum(tails) == pytest.approx(0.06, rel=1e-4)

    def test_falls_with_seeds_down_to_what_users_alone_allow(self):
        leads = [detectable_lead(n, NOISE, USERS, COUNT) for n in (1, 2, 3, 5, 10, 100, MOST_SEEDS)]
        assert leads == sorted(leads, reverse=True)
        assert leads[0] > 3**0.5 * leads[2]  # fewer degrees of freedom, too
        least = detectable_lead(1, NONE, USERS, COUNT)
        assert least < leads[-1] < 1.02 * least

    def test_rises_with_noise_and_users_and_falls_with_degrees_of_freedom(self):
        usual = detectable_lead(3, NOISE, USERS, COUNT)
        assert detectable_lead(3, Noise(0.0036, 4), USERS, COUNT) > usual
        assert detectable_lead(3, NOISE, 2 * USERS, COUNT) > usual
        assert detectable_lead(3, Noise(0.0025, 12), USERS, COUNT) < usual

    def test_without_any_variance_everything_is_found(self):
        assert detectable_lead(3, NONE, 0.0, COUNT) == 0.0

    @pytest.mark.parametrize(("noise", "users"), [(UNKNOWN, USERS), (NOISE, nan), (NONE, nan)])
    def test_unknown(self, noise, users):
        assert isnan(detectable_lead(3, noise, users, COUNT))


class TestSeedsNeeded:
    @pytest.mark.parametrize("lead", [0.06, 0.07, 0.1, 0.2])
    def test_is_the_smallest_number_with_the_power(self, lead):
        seeds = int(seeds_needed(lead, NOISE, USERS, COUNT))
        assert seeds > 1
        assert power_of(lead, seeds, NOISE, USERS, COUNT) > 0.797
        assert power_of(lead, seeds - 1, NOISE, USERS, COUNT) < 0.803
        assert detectable_lead(seeds - 1, NOISE, USERS, COUNT) > lead

    def test_of_the_normal_approximation_by_hand(self):
        # With endless degrees of freedom 2 · 0.05² (1.96 + 0.84)² / 0.03² = 43.6 seeds.
        assert seeds_needed(0.03, Noise(0.0025, 1e9), 0.0, COUNT) == 44

    def test_a_large_lead_needs_one(self):
        assert seeds_needed(0.5, NOISE, USERS, COUNT) == 1
        assert seeds_needed(1e-9, NONE, 0.0, COUNT) == 1

    def test_none_suffices_where_users_hide_the_lead(self):
        # Users alone need 2.8 · 2 %.
        assert seeds_needed(0.05, NOISE, USERS, COUNT) == inf
        assert seeds_needed(0.001, NOISE, 0.0, COUNT) == inf

    @pytest.mark.parametrize(
        ("lead", "noise", "users"),
        [
            (0.1, UNKNOWN, USERS),
            (0.1, NOISE, nan),
            (0.0, NOISE, USERS),
            (-0.1, NOISE, USERS),
            (nan, NOISE, USERS),
        ],
    )
    def test_unknown_or_no_lead(self, lead, noise, users):
        assert isnan(seeds_needed(lead, noise, users, COUNT))
