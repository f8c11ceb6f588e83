"""The simulation of identical methods: what it draws, and that it tests as the tables do."""

from itertools import product

import numpy as np
import pytest
import scipy.stats

from elcrec.statistics import calibration
from elcrec.statistics.calibration import Source, simulate
from elcrec.statistics.crossed import crossed
from elcrec.statistics.noise import Pool

SMALL = Source(rate=0.3, both=0.18, deviation=0.1, users=600)
"""Few users, and trainings that deviate by 10 %; chance hits explain a fifth of the variance."""


class TestSource:
    def test_by_hand(self):
        # Users hit by 3, 2, 1, 0 of three runs; both of a pair: 3 + 1 of 3 pairs times 4 users.
        hits = np.array([[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]], dtype=bool)
        found = Source.of(hits, 0.05)
        assert (found.rate, found.users, found.deviation) == (0.5, 4, 0.05)
        assert found.both == pytest.approx(4 / 12)

    def test_two_runs_are_one_pair(self):
        hits = np.array([[1, 1, 0, 0, 0], [1, 0, 1, 0, 0]], dtype=bool)
        assert Source.of(hits, 0.05).both == pytest.approx(1 / 5)

    def test_noise_is_chance_hits_and_the_factor_of_a_training(self):
        # Variance of a mean of independent hits p is mean(p (1 - p)) / users: (0.3 - 0.18) / 600.
        assert SMALL.interaction == pytest.approx(0.12 / 600 / 0.09)
        assert SMALL.factor**2 + SMALL.interaction == pytest.approx(0.1**2)

    def test_chance_hits_that_explain_all_noise_leave_no_factor(self):
        assert Source(0.3, 0.18, 0.01, 300).factor == 0.0

    def test_users_have_the_moments_of_the_record(self):
        chances = Source(0.3, 0.18, 0.15, 100_000).propensities(2, np.random.default_rng(1))
        assert chances.shape == (2, 100_000)
        assert 0 <= chances.min() <= chances.max() <= 1
        assert chances.mean() == pytest.approx(0.3, abs=0.003)
        assert (chances**2).mean() == pytest.approx(0.18, abs=0.003)

    def test_drawn_runs_look_like_the_recorded_ones(self):
        """Hit rate, chance hits and deviation of a run's hit rate come back."""
        source = Source(rate=0.1, both=0.02, deviation=0.1, users=2000)
        generator = np.random.default_rng(2)
        rates, users = calibration._methods(source, [(1, 3)], 1000, (1.0, 1.0), generator)
        assert rates.shape == (2, 1000, 3)
        assert rates.mean() == pytest.approx(0.1, abs=0.001)
        together = np.concatenate([*rates], axis=1)
        within = together.var(1, ddof=1).mean() ** 0.5 / rates.mean()
        assert within == pytest.approx(0.1, rel=0.05)
        # One run against three: the single one's interaction stays in, a third of the other's goes.
        assert users[1, 3][0].mean() == pytest.approx(0.08 / 2000, rel=0.05)
        noisier = calibration._methods(source, [(1, 3)], 1000, (1.0, 3.0), generator)[0][1]
        wide = noisier.var(1, ddof=1).mean() / noisier.mean() ** 2
        assert wide == pytest.approx(9 * source.factor**2 + source.interaction, rel=0.1)


def hits_of(generator, draws, runs, users):
    """Hits (draws, runs, users) of users who differ, with another factor for each run."""
    chances = generator.beta(1, 2, (draws, 1, users)) * generator.uniform(0.6, 1, (draws, runs, 1))
    return generator.random((draws, runs, users)) < chances


class TestTheSameTestAsInTheTables:
    @pytest.mark.parametrize(("n_a", "n_b"), [(1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (3, 3)])
    @pytest.mark.parametrize("models", [2, 6])
    def test_primary_is_crossed_with_the_noise_of_a_pool(self, n_a, n_b, models):
        generator = np.random.default_rng([n_a, n_b, models])
        draws, users = 40, 50
        a, b = hits_of(generator, draws, n_a, users), hits_of(generator, draws, n_b, users)
        # Some as noisy as these methods, some far less or more: all branches of the moderation.
        of_pool = 0.02 * generator.chisquare(2, (draws, models)) / 2
        of_pool *= generator.choice([0.01, 1.0, 30.0], (draws, 1))
        of_pool[::2, -1] *= 25
        of_users, _ = calibration._over_users(a, b)
        rates = a.mean(2), b.mean(2)
        found = calibration._primary(*rates, of_pool, of_users, users)
        for draw in range(draws):
            variances = {("pool", str(k)): float(v) for k, v in enumerate(of_pool[draw])}
            freedoms = dict.fromkeys(variances, 2)
            for name, values in (("a", rates[0][draw]), ("b", rates[1][draw])):
                if len(values) > 1:
                    variances["own", name] = float(values.var(ddof=1) / values.mean() ** 2)
                    freedoms["own", name] = len(values) - 1
            pool = Pool(variances, freedoms)
            values = a[draw].astype(float), b[draw].astype(float)
            expected = crossed(*values, pool.noise(("own", "a")), pool.noise(("own", "b")))
            # The simulation averages users in single precision.
            assert of_users[draw] == pytest.approx(expected.users_variance, rel=1e-4)
            assert found[draw] == pytest.approx(expected.p_value, rel=1e-3, abs=1e-9)

    @pytest.mark.parametrize(("n_a", "n_b"), [(1, 1), (1, 3), (3, 3)])
    def test_users_only_is_the_paired_t_test(self, n_a, n_b):
        generator = np.random.default_rng(3)
        a, b = hits_of(generator, 20, n_a, 50), hits_of(generator, 20, n_b, 50)
        expected = scipy.stats.ttest_rel(a.mean(1), b.mean(1), axis=1).pvalue
        assert calibration._over_users(a, b)[1] == pytest.approx(expected, rel=1e-4)

    def test_variances_of_a_pool_are_those_of_three_runs(self):
        scales = np.array([1.0, 5.0])
        found = calibration._pool(SMALL, scales, 20_000, np.random.default_rng(4))
        assert found.shape == (20_000, 2)
        expected = (scales * SMALL.factor) ** 2 + SMALL.interaction
        assert found.mean(0) == pytest.approx(expected, rel=0.04)
        # Two degrees of freedom: s² / variance is exponential.
        fit = scipy.stats.kstest(found[:, 0] / expected[0], scipy.stats.expon.cdf)
        assert fit.pvalue > 0.01


class TestRejections:
    def test_identical_methods_are_rarely_called_different_except_over_users_alone(self):
        designs, pools, draws = ((2, 2), (3, 3)), (2, 6), 300
        found = list(simulate(SMALL, designs, pools, draws).itertuples())
        names = ("alike", "noisy model in the pool", "noisy methods", "one noisy method")
        assert [(r.noise, r.pool_freedom, (r.seeds_a, r.seeds_b)) for r in found] == list(
            product(names, (4, 12), designs)
        )
        for row in found:
            # At 5 % of 300 draws, .1 is four standard errors away. Two seeds of one method hardly
            # tell that it alone is five times as noisy.
            few = row.noise == "one noisy method" and row.seeds_a == 2
            assert row.primary <= (0.2 if few else 0.1), row
            assert row.users_only >= (0.2 if row.noise in names[:2] else 0.6), row

    def test_who_is_noisy_in_which_case(self, monkeypatch):
        seen = []

        def pool(source, scales, draws, generator):
            seen.append(scales.tolist())
            return np.full((draws, len(scales)), 0.01)

        monkeypatch.setattr(calibration, "_pool", pool)
        simulate(SMALL, [(1, 1)], [2, 3], 2)
        alike = [[1, 1], [1, 1, 1]]
        assert seen == [*alike, [1, 5], [1, 1, 5], *alike, *alike]

    def test_noise_that_chance_hits_explain_needs_no_second_source(self):
        """Then users alone are right: what makes it wrong above is the noise of trainings."""
        quiet = Source(SMALL.rate, SMALL.both, 0.0, SMALL.users)
        row = next(simulate(quiet, [(2, 2)], [2], 300).itertuples())
        assert row.users_only <= 0.1
        assert row.primary <= 0.1

    def test_the_same_seed_draws_the_same(self):
        first, again, other = (simulate(SMALL, [(1, 2)], [2], 60, seed) for seed in (1, 1, 2))
        assert first.equals(again)
        assert not first.equals(other)
