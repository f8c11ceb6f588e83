"""Each user's best items against brute force, and that ranks stay what they are."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from elcrec.data.repeats import PROTOCOLS
from elcrec.evaluation.lists import LISTED, Lister
from elcrec.evaluation.ranking import Evaluator
from tests.unit.evaluation.test_ranking import Fixed, data_of, rows_of_items


def brute_force(rows, table, protocol):
    """Scores in each list, None behind its end; training users of what is before the target."""
    users = np.zeros(table.shape[1], dtype=int)
    for row in rows:
        users[sorted(set(row[:-2]))] += 1
    lists, ahead = [], []
    for row, scores in zip(rows, table.tolist(), strict=True):
        for item in row[:-1] if protocol != "repeats" else ():
            scores[item] = 0.0 if protocol == "paper" else float("-inf")
        scores[0] = scores[-1] = float("-inf")
        best = sorted(range(len(scores)), key=lambda item, s=scores: -s[item])
        best = [item for item in best if scores[item] > float("-inf")][:LISTED]
        lists.append([scores[item] for item in best] + [None] * (LISTED - len(best)))
        before = {i for i, s in enumerate(scores) if s >= scores[row[-1]]} - {row[-1]}
        ahead.append(users[sorted(before)].sum())
    return lists, ahead


@settings(max_examples=60, deadline=None)
@given(rows_of_items, st.integers(0, 10**6), st.sampled_from(PROTOCOLS))
def test_lists_equal_brute_force(rows, seed, protocol):
    rows = [*rows, list(range(1, 41))]  # more items than a list has
    data = data_of(rows)
    table = torch.randn(len(rows), data.item_size, generator=torch.Generator().manual_seed(seed))
    lists, ahead = brute_force(rows, table, protocol)
    for floats in (1, 3, 2 * data.item_size, 10**6):
        model = Fixed(table)
        found = Lister(data, "test", 5, protocol, 4 * floats).lists(model)
        for own, scores, row, expected in zip(found["test"], table, rows, lists, strict=True):
            scores = scores.clone()
            scores[row[:-1]] = scores[row[:-1]] if protocol == "repeats" else 0.0
            assert [scores[i].item() if i else None for i in own] == expected
            assert len(set(own[own > 0])) == (own > 0).sum()
        assert found["ahead"].tolist() == ahead
        assert model.most_scores <= floats


def test_a_target_stands_in_the_list_at_its_rank():
    random = np.random.default_rng(0)
    data = data_of([random.choice(300, size=9, replace=False) + 1 for _ in range(200)])
    model = Fixed(torch.randn(200, data.item_size, generator=torch.Generator().manual_seed(1)))
    before = Evaluator(data, "test", 5, "strict").ranks(model)
    lists = Lister(data, "test", 5, "strict").lists(model)["test"]
    targets = data.host_items[data.host_offsets[1:] - 1]
    users, places = np.nonzero(lists == targets[:, None])
    np.testing.assert_array_equal(before[users], places)
    assert len(users) == (before < LISTED).sum() > 0
    np.testing.assert_array_equal(Evaluator(data, "test", 5, "strict").ranks(model), before)


def test_of_equal_scores_the_target_is_not_preferred():
    data = data_of([[1, 2, 3, 30], [1, 2, 3, 5], [1, 2, 3, 40]])
    found = Lister(data, "test", 5, "strict", 4 * 30).lists(Fixed(torch.ones(3, data.item_size)))
    first, *others = found["test"].tolist()
    assert others == [first, first]  # though the targets lie in different tiles


def test_memory_that_runs_out_halves_what_is_held(monkeypatch, capsys):
    data = data_of([[1, 2, 3, 4], [2, 3, 4, 5]])
    model = Fixed(torch.randn(2, data.item_size))
    right = Lister(data, "test", 5).lists(model)["test"]
    score, failed = model.score_items, []

    def once(*arguments):
        if not failed:
            failed.append(True)
            raise MemoryError
        return score(*arguments)

    monkeypatch.setattr(model, "score_items", once)
    np.testing.assert_array_equal(Lister(data, "test", 5).lists(model)["test"], right)
    assert "smaller chunks" in capsys.readouterr().err
