"""Sampled metrics in closed form against drawing the negatives."""

import numpy as np
import pytest

from elcrec.evaluation import sampled
from elcrec.evaluation.metrics import per_user

ITEMS, USERS, DRAWS = 300, 8, 3000
METRICS = ("HR@1", "HR@10", "NDCG@10", "MRR@20")


@pytest.fixture
def ranks():
    """From the first place to the last; the candidates 0 ... r - 1 stand before the target."""
    return np.array([0, 1, 3, 8, 20, 60, 150, ITEMS])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("m", [10, 100])
def test_uniform_negatives(ranks, metric, m):
    random, drawn = np.random.default_rng(0), []
    for _ in range(DRAWS):
        negatives = random.permutation(ITEMS)[:m]
        drawn.append(per_user(metric, (negatives[None] < ranks[:, None]).sum(1)).mean())
    found = sampled.expected(metric, sampled.uniform(ranks, np.full(USERS, ITEMS), 20, m))
    assert found == pytest.approx(np.mean(drawn), abs=1e-6 + 4 * np.std(drawn) / DRAWS**0.5)


@pytest.mark.parametrize("metric", METRICS)
def test_negatives_by_popularity(ranks, metric):
    random, drawn = np.random.default_rng(0), []
    popularity = 1.0 / np.arange(1, ITEMS + 1)
    popularity /= popularity.sum()
    for _ in range(DRAWS):
        negatives = random.choice(ITEMS, 100, p=popularity)
        drawn.append(per_user(metric, (negatives[None] < ranks[:, None]).sum(1)).mean())
    shares = np.array([popularity[:r].sum() for r in ranks])
    found = sampled.expected(metric, sampled.by_popularity(shares, 20))
    assert found == pytest.approx(np.mean(drawn), abs=1e-6 + 4 * np.std(drawn) / DRAWS**0.5)


def test_all_candidates_drawn_is_the_full_metric(ranks):
    for m in (ITEMS, ITEMS + 1000):
        chances = sampled.uniform(ranks, np.full(USERS, ITEMS), 20, m)
        for metric in METRICS:
            full = per_user(metric, ranks).mean()
            assert sampled.expected(metric, chances) == pytest.approx(full)


def test_a_rank_behind_all_candidates_is_the_last():
    last, behind = (sampled.uniform(np.array([r]), np.array([50]), 20) for r in (50, 10**9))
    np.testing.assert_array_equal(last, behind)
    assert sampled.expected("HR@20", last) == 0
