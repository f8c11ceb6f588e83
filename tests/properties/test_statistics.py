"""Tests between two samples, against the definitions and under changes that must not matter."""

import itertools
from math import gamma, inf, isnan, sqrt

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st

from elcrec.statistics.tests import holm, paired_t, welch
from tests.properties.strategies import cases

# Multiples of 1/64: sums, differences and products with powers of two are exact, so that what
# should be equal is equal to the last bit.
EXACT = st.integers(-320, 320).map(lambda n: n / 64)
# Metrics as they occur: six decimals, no exact binary numbers.
DECIMAL = st.integers(0, 10**6).map(lambda n: n / 10**6)
SAMPLE = st.one_of(st.lists(EXACT, max_size=9), st.lists(DECIMAL, max_size=9))
FEW_VALUES = st.lists(st.sampled_from([0.0, 0.5, 1.0]), max_size=9)
ANY = st.one_of(SAMPLE, FEW_VALUES)
TESTS = [welch, paired_t]


def pairs(values: st.SearchStrategy[float], least: int = 0, most: int = 12):
    """Two samples of the same length."""
    both = st.lists(st.tuples(values, values), min_size=least, max_size=most)
    return both.map(lambda rows: ([a for a, _ in rows], [b for _, b in rows]))


PAIRS = st.one_of(pairs(EXACT), pairs(DECIMAL), pairs(st.sampled_from([0.0, 1.0]), most=40))


def close(value: float) -> object:
    return pytest.approx(value, rel=1e-7, abs=1e-12, nan_ok=True)


def outcome(result) -> tuple:
    return result.statistic, result.p_value, result.effect, result.difference


def same(result, other, sign: int = 1) -> None:
    """Equal outcomes, the second one with all directions turned round for sign -1."""
    assert result.p_value == close(other.p_value)
    for name in ("statistic", "effect", "difference"):
        assert getattr(result, name) == close(sign * getattr(other, name)), name
    assert result.reason == other.reason


def variance(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)


@cases(150)
@given(ANY, ANY)
def test_welch_is_its_definition(a, b):
    result = welch(a, b)
    assert result.n == (len(a), len(b))
    if min(result.n) < 2:
        assert isnan(result.p_value)
        assert result.reason
        return
    assert result.difference == close(np.mean(a) - np.mean(b))
    if len(set(a)) == len(set(b)) == 1:
        assert result.p_value == float(a[0] == b[0])
        assert abs(result.statistic) == abs(result.effect) == (0 if a[0] == b[0] else inf)
        return
    assume(np.ptp(a) > 1e-3 or np.ptp(b) > 1e-3)  # else rounding decides
    squares = variance(a) / len(a), variance(b) / len(b)
    t = (sum(a) / len(a) - sum(b) / len(b)) / sqrt(sum(squares))
    freedom = sum(squares) ** 2 / (squares[0] ** 2 / (len(a) - 1) + squares[1] ** 2 / (len(b) - 1))
    assert result.statistic == close(t)
    assert result.p_value == close(2 * scipy.stats.t.sf(abs(t), freedom))
    all_but = len(a) + len(b) - 2
    pooled = sqrt((variance(a) * (len(a) - 1) + variance(b) * (len(b) - 1)) / all_but)
    small = gamma(all_but / 2) / (sqrt(all_but / 2) * gamma((all_but - 1) / 2))
    assert result.effect == close((sum(a) / len(a) - sum(b) / len(b)) / pooled * small)


@cases(120)
@given(PAIRS)
def test_paired_t_is_one_sample_of_differences(both):
    a, b = both
    result = paired_t(a, b)
    changes = [x - y for x, y in zip(a, b, strict=True)]
    assert result.n == (len(a),)
    if len(a) < 2:
        assert isnan(result.p_value)
        assert result.reason
    elif np.ptp(changes) < 1e-12:
        lead = abs(changes[0]) > 1e-9
        assert result.p_value == float(not lead)
        assert abs(result.statistic) == abs(result.effect) == (inf if lead else 0)
        assert result.reason == ("no variance" if lead else "all values are equal")
    else:
        mean = sum(changes) / len(changes)
        assert result.effect == close(mean / sqrt(variance(changes)))
        assert result.statistic == close(result.effect * sqrt(len(a)))
        tail = scipy.stats.t.sf(abs(result.statistic), len(a) - 1)
        assert result.p_value == close(2 * tail)
        assert result.difference == close(mean)


@cases(120)
@given(PAIRS, st.sampled_from(TESTS))
def test_the_other_way_round_has_the_same_p_and_opposite_signs(both, test):
    a, b = both
    same(test(b, a), test(a, b), sign=-1)


@cases(120)
@given(pairs(EXACT), EXACT, st.sampled_from([0.25, 1, 4]), st.sampled_from(TESTS))
def test_shift_and_scale_change_nothing_but_the_difference(both, shift, scale, test):
    a, b = both
    before = test(a, b)
    after = test([scale * x + shift for x in a], [scale * x + shift for x in b])
    assert outcome(after)[:3] == close(outcome(before)[:3])
    assert after.difference == close(scale * before.difference)
    assert (after.n, after.reason) == (before.n, before.reason)


@cases(100)
@given(PAIRS, st.randoms(use_true_random=False), st.sampled_from(TESTS))
def test_the_order_of_seeds_or_users_does_not_matter(both, order, test):
    rows = list(zip(*both, strict=True))
    mixed = order.sample(rows, len(rows))
    same(test([a for a, _ in mixed], [b for _, b in mixed]), test(*both))


@cases(100)
@given(st.one_of(pairs(DECIMAL, 2), pairs(EXACT, 2)), st.sampled_from(TESTS))
def test_a_sample_against_itself_is_a_tie(both, test):
    a, _ = both
    result = test(a, a)
    assert outcome(result) == (0.0, 1.0, 0.0, 0.0)


@cases(100)
@given(st.lists(DECIMAL, min_size=2, max_size=9), DECIMAL)
def test_a_constant_lead_is_one_whatever_rounding_makes_of_it(values, lead):
    """0.3 - 0.2 and 0.2 - 0.1 differ in the last bit; both models' users differ by the same."""
    assume(lead)
    result = paired_t([value + lead for value in values], values)
    assert (result.statistic, result.p_value, result.effect) == (inf, 0.0, inf)
    assert result.reason == "no variance"
    assert result.difference == close(lead)


P_VALUES = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.01, 0.02, 0.05, 0.5, 1.0]))


@cases(150)
@given(st.lists(P_VALUES, max_size=9), st.floats(0, 1))
def test_holm_rejects_what_the_sequential_procedure_rejects(p, alpha):
    """Holm, 1979: from the smallest on, reject while p (hypotheses left) is within alpha."""
    order = sorted(range(len(p)), key=lambda index: p[index])
    rejected = set(itertools.takewhile(lambda i: p[i] * (len(p) - order.index(i)) <= alpha, order))
    if alpha < 1:
        assert {i for i, value in enumerate(holm(p)) if value <= alpha} == rejected


@cases(100)
@given(st.lists(P_VALUES, max_size=9), st.lists(st.integers(0, 9), max_size=3), st.randoms())
def test_holm_is_between_raw_and_bonferroni_in_order_and_by_itself(p, gaps, order):
    corrected = holm(p)
    for raw, value in zip(p, corrected, strict=True):
        assert raw <= value <= min(1.0, raw * len(p))
    by_raw = sorted(zip(p, corrected, strict=True))
    assert all(a[1] <= b[1] for a, b in itertools.pairwise(by_raw))
    places = order.sample(range(len(p)), len(p))
    assert holm([p[place] for place in places]) == [corrected[place] for place in places]
    with_gaps = list(p)
    for gap in gaps:
        with_gaps.insert(min(gap, len(with_gaps)), float("nan"))
    found = holm(with_gaps)
    assert [value for value in found if not isnan(value)] == corrected
    assert [isnan(value) for value in found] == [isnan(value) for value in with_gaps]
