import json
import os
from math import log2
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elcrec.config import names
from elcrec.evaluation.metrics import (
    FAMILIES,
    METRICS,
    TABLE_METRICS,
    ndcg_bound,
    per_user,
    summarise,
)


def hit_rate(ranks, k):
    return per_user(f"HR@{k}", ranks).mean()


def ndcg(ranks, k):
    return per_user(f"NDCG@{k}", ranks).mean()


ranks_lists = st.lists(st.integers(0, 60), min_size=1, max_size=40)


def test_first_place_is_perfect():
    assert hit_rate([0], 1) == ndcg([0], 1) == 1.0


def test_second_place_gains_one_over_log2_of_three():
    assert ndcg([1], 5) == pytest.approx(1 / log2(3))


def test_last_place_of_the_list_counts_and_the_next_does_not():
    assert hit_rate([4], 5) == 1.0
    assert hit_rate([5], 5) == 0.0
    assert ndcg([5], 5) == 0.0


def test_mean_over_users_by_hand():
    ranks = np.array([0, 2, 7, 30], dtype=np.int32)
    assert hit_rate(ranks, 5) == 0.5
    assert ndcg(ranks, 5) == pytest.approx((1 + 1 / 2) / 4)
    assert hit_rate(ranks, 20) == 0.75
    assert ndcg(ranks, 20) == pytest.approx((1 + 1 / 2 + 1 / log2(9)) / 4)


def test_k_beyond_the_number_of_items_is_a_hit_for_everyone():
    assert hit_rate([0, 1, 2], 1000) == 1.0


def test_one_user():
    assert summarise([3])["NDCG@5"] == pytest.approx(1 / log2(5))


def test_per_user_values_average_to_the_metric():
    ranks = np.array([0, 4, 5, 19, 20])
    values = per_user("NDCG@20", ranks)
    assert values.shape == (5,)
    assert values.dtype == np.float64
    assert values.mean() == summarise(ranks)["NDCG@20"]
    np.testing.assert_array_equal(per_user("HR@5", ranks), [1, 1, 0, 0, 0])


def test_summary_has_all_metrics_and_the_table_uses_some_of_them():
    assert tuple(summarise([1, 2])) == METRICS
    assert set(TABLE_METRICS) < set(METRICS)


def test_the_configuration_knows_the_same_metrics():
    assert tuple(FAMILIES) == names.FAMILIES


def test_ranks_are_not_changed():
    ranks = np.array([3, 1], dtype=np.int32)
    summarise(ranks)
    np.testing.assert_array_equal(ranks, [3, 1])


@given(ranks_lists, st.integers(1, 70))
def test_brute_force_over_a_ranked_list(ranks, k):
    """The definition, item by item: walk the list, gain at the target's place."""
    hits, gains, reciprocals = [], [], []
    for rank in ranks:
        relevant = [place == rank for place in range(100)]
        hits.append(any(relevant[:k]))
        gains.append(sum(r / log2(place + 2) for place, r in enumerate(relevant[:k])))
        reciprocals.append(next((1 / (place + 1) for place in range(k) if place == rank), 0))
    assert per_user(f"MRR@{k}", ranks).mean() == pytest.approx(np.mean(reciprocals), abs=1e-12)
    assert hit_rate(ranks, k) == pytest.approx(sum(hits) / len(ranks), abs=1e-12)
    assert ndcg(ranks, k) == pytest.approx(sum(gains) / len(ranks), abs=1e-12)


@given(ranks_lists)
def test_order_between_metrics(ranks):
    m = summarise(ranks)
    assert m["HR@5"] <= m["HR@10"] <= m["HR@20"] <= 1
    assert all(0 <= m[f"NDCG@{k}"] <= m[f"HR@{k}"] for k in (5, 10, 20))


@given(ranks_lists)
def test_ndcg_20_is_within_its_bound(ranks):
    m = summarise(ranks)
    low, high = ndcg_bound(m["HR@5"], m["HR@20"], m["NDCG@5"])
    assert low - 1e-12 <= m["NDCG@20"] <= high + 1e-12


def test_bound_is_reached_at_both_ends():
    for rank, end in ((19, 0), (5, 1)):
        m = summarise([rank, 0])
        assert ndcg_bound(m["HR@5"], m["HR@20"], m["NDCG@5"])[end] == pytest.approx(m["NDCG@20"])


@pytest.mark.parametrize(
    ("ranks", "message"),
    [
        ([], "one number per user"),
        ([[1, 2]], "one number per user"),
        ([3, -1], "0 or more, got -1"),
        ([0.5], "integers"),
    ],
)
def test_bad_ranks_are_refused(ranks, message):
    for function in (lambda: per_user("HR@5", ranks), lambda: summarise(ranks)):
        with pytest.raises(ValueError, match=message):
            function()


@pytest.mark.parametrize("name", ["HR@0", "NDCG@0"])
def test_k_below_one_is_refused(name):
    with pytest.raises(ValueError, match="k must be 1 or more"):
        per_user(name, [1])


@pytest.mark.parametrize("name", ["MAP@5", "HR", "HR@", "HR@-3", "hr@5", "NDCG@5 "])
def test_unknown_metric_names_what_is_allowed(name):
    with pytest.raises(ValueError, match=r"allowed: HR@k, NDCG@k, MRR@k"):
        per_user(name, [1])


@pytest.mark.skipif("ELCREC_GOLDEN" not in os.environ, reason="ELCREC_GOLDEN names no folder")
@pytest.mark.parametrize("split", ["valid", "test"])
@pytest.mark.parametrize("protocol", ["released", "strict"])
def test_released_ranks_give_the_released_metrics(split, protocol):
    folder = Path(os.environ["ELCREC_GOLDEN"])
    expected = json.loads((folder / "elcrec_beauty_metrics.json").read_text())[split][protocol]
    with np.load(folder / f"elcrec_beauty_ranks_{split}.npz") as archive:
        assert summarise(archive[protocol]) == expected
