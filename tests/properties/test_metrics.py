"""Metrics of any ranks, user by user."""

import itertools
from math import isclose, log2

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from elcrec.evaluation.metrics import METRICS, ndcg_bound, per_user, summarise
from tests.properties.strategies import cases

RANKS = st.lists(st.integers(0, 40), min_size=1, max_size=40)
KINDS = st.sampled_from([np.uint8, np.int16, np.int32, np.int64])
K = st.one_of(st.integers(1, 45), st.sampled_from([127, 128, 256, 10**12]))


@cases(150)
@given(RANKS, K, KINDS)
def test_each_user_has_the_value_of_the_definition(ranks, k, kind):
    given_ranks = np.array(ranks, dtype=kind)
    hits = per_user(f"HR@{k}", given_ranks)
    gains = per_user(f"NDCG@{k}", given_ranks)
    assert hits.tolist() == [float(rank < k) for rank in ranks]
    for rank, gain in zip(ranks, gains.tolist(), strict=True):
        # The gain of the target's place over the ideal one, which is that of the first place.
        assert isclose(gain, (1 / log2(rank + 2)) / (1 / log2(2)) if rank < k else 0.0)
    assert given_ranks.tolist() == ranks


@cases(100)
@given(RANKS)
def test_metrics_grow_with_k_and_lie_in_their_bounds(ranks):
    for name in ("HR", "NDCG"):
        values = [per_user(f"{name}@{k}", ranks).mean() for k in range(1, 46)]
        assert all(a <= b for a, b in itertools.pairwise(values))
    for k in range(1, 46):
        hits, gains = per_user(f"HR@{k}", ranks), per_user(f"NDCG@{k}", ranks)
        assert ((gains >= hits / log2(k + 1)) & (gains <= hits) & (hits <= 1)).all()
    assert per_user("HR@1", ranks).tolist() == per_user("NDCG@1", ranks).tolist()


@cases(100)
@given(RANKS, st.randoms(use_true_random=False))
def test_a_better_rank_never_makes_a_metric_worse_and_the_order_of_users_is_all_one(ranks, order):
    better = [max(0, rank - order.randint(0, 5)) for rank in ranks]
    shuffled = order.sample(ranks, len(ranks))
    before, after, same = summarise(ranks), summarise(better), summarise(shuffled)
    for name in METRICS:
        assert after[name] >= before[name] or isclose(after[name], before[name])
        assert isclose(same[name], before[name], abs_tol=1e-12)


@cases(100)
@given(st.lists(RANKS, min_size=1, max_size=3))
def test_the_bound_holds_for_every_run_and_for_means_over_runs(runs):
    found = [summarise(ranks) for ranks in runs]
    mean = {name: float(np.mean([run[name] for run in found])) for name in METRICS}
    for values in (*found, mean):
        low, high = ndcg_bound(values["HR@5"], values["HR@20"], values["NDCG@5"])
        assert low - 1e-12 <= values["NDCG@20"] <= high + 1e-12


@cases(60)
@given(st.lists(st.sampled_from([*range(5), 5, 25, 40]), min_size=1, max_size=20))
def test_the_upper_end_of_the_bound_is_reached_by_sixth_places_the_lower_by_twentieth(ranks):
    for place, end in ((5, 1), (19, 0)):
        values = summarise([place if rank == 5 else rank for rank in ranks])
        bound = ndcg_bound(values["HR@5"], values["HR@20"], values["NDCG@5"])
        assert isclose(bound[end], values["NDCG@20"], abs_tol=1e-12)
