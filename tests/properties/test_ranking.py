"""Ranks of a model with arbitrary scores, against a count for each user."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from elcrec.data.repeats import PROTOCOLS
from elcrec.data.sequences import SPLITS
from elcrec.evaluation import tiles
from elcrec.evaluation.ranking import Evaluator
from elcrec.models.interface import SequenceModel
from tests.properties.strategies import SEEDS, cases, data_of, histories

INF, NAN = float("inf"), float("nan")
VALUES = [NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 0.5, 1e-40, 3e38, -3e38]
CUTS = {
    "PART_USERS": st.integers(1, 9),
    "CHUNK_USERS": st.integers(1, 9),
    "FEW_ROWS": st.integers(1, 9),
    "MANY_ROWS": st.integers(1, 9),
    "TILE_MEMORY": st.integers(4, 400).map(lambda size: {"cpu": size}),
}
"""Sizes at which users and items are cut, so small that few users have several of each."""


class Table(SequenceModel):
    """Scores from a table (users, item_size); remembers what it was given and how much it gave."""

    def __init__(self, table: Tensor) -> None:
        super().__init__(None, *table.shape)
        self.table = table
        self.given: dict[int, list[int]] = {}
        self.most_scores = 0

    def represent(self, users: Tensor, sequences: Tensor) -> Tensor:
        assert sequences[:, -1].min() > 0
        rows = zip(users.tolist(), sequences.tolist(), strict=True)
        self.given |= {user: [item for item in row if item] for user, row in rows}
        return self.table[users]

    def score_items(self, represented: Tensor, first: int, last: int) -> Tensor:
        scores = represented[:, first:last].clone()
        self.most_scores = max(self.most_scores, scores.numel())
        return scores


def naive_rank(row: list[int], scores: list[float], split: str, protocol: str) -> int:
    """How many others does the target not beat?"""
    known = row[:-2] if split == "valid" else row[:-1]
    target = row[len(known)]
    final = list(scores)
    for item in known if protocol != "repeats" else ():
        final[item] = 0.0 if protocol == "paper" else -INF
    if protocol != "paper":
        final[0] = final[-1] = -INF
    return sum(not score < final[target] for n, score in enumerate(final) if n != target)


def table_for(rows: list[list[int]], kind: str, seed: int) -> Tensor:
    """Scores (users, item_size): all different, in few steps, or with infinities and NaN."""
    random = np.random.default_rng(seed)
    size = (len(rows), max(max(row) for row in rows) + 2)
    if kind == "special":
        return torch.from_numpy(random.choice(VALUES, size)).float()
    scores = torch.from_numpy(random.normal(size=size)).float()
    return scores.round() if kind == "tied" else scores


@cases(120)
@given(
    histories(most_items=14, longest=12, most_users=12),
    st.sampled_from(["smooth", "tied", "special"]),
    st.sampled_from(SPLITS),
    st.sampled_from(PROTOCOLS),
    st.integers(1, 8),
    st.one_of(st.none(), st.integers(1, 2000)),
    st.one_of(st.none(), st.fixed_dictionaries(CUTS)),
    SEEDS,
)
def test_ranks_are_those_of_a_count(rows, kind, split, protocol, length, memory, cuts, seed):
    table = table_for(rows, kind, seed)
    model = Table(table.clone())
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (cuts or {}).items():
            patch.setattr(tiles, name, value)
        ranks = Evaluator(data_of(rows), split, length, protocol, memory).ranks(model)
    expected = [
        naive_rank(row, scores, split, protocol)
        for row, scores in zip(rows, table.tolist(), strict=True)
    ]
    assert ranks.tolist() == expected
    assert ranks.dtype == np.int64
    known = [row[:-2] if split == "valid" else row[:-1] for row in rows]
    assert model.given == {user: row[-length:] for user, row in enumerate(known)}
    if memory:
        assert model.most_scores * 4 <= max(4, memory)
    assert torch.equal(model.table.nan_to_num(7.0), table.nan_to_num(7.0))  # nothing is spoilt


@cases(60)
@given(histories(most_items=14), st.sampled_from(["tied", "smooth"]), SEEDS)
def test_no_tie_is_won_and_a_higher_score_never_hurts(rows, kind, seed):
    table = table_for(rows, kind, seed)
    data, users = data_of(rows), torch.arange(len(rows))
    targets = data.targets(users, "test")
    evaluator = Evaluator(data, "test", 5, "strict")
    before = evaluator.ranks(Table(table))
    higher = table.clone()
    higher[users, targets] += 1
    assert (evaluator.ranks(Table(higher)) <= before).all()
    same = evaluator.ranks(Table(torch.zeros_like(table)))
    fresh = [row[-1] not in row[:-1] for row in rows]
    for row, is_fresh, rank in zip(rows, fresh, same.tolist(), strict=True):
        behind = len({*row[:-1], 0, data.item_size - 1}) if is_fresh else 0
        assert rank == data.item_size - 1 - behind


@cases(60)
@given(histories(most_items=10), SEEDS)
def test_one_user_s_rank_does_not_depend_on_the_others(rows, seed):
    table = table_for(rows, "tied", seed)
    together = Evaluator(data_of(rows), "valid", 6).ranks(Table(table))
    last = table.shape[1] - 2  # each user alone with one who has the last item, as in the whole
    for row, scores, rank in zip(rows, table, together.tolist(), strict=True):
        pair = torch.stack([scores, torch.zeros_like(scores)])
        alone = Evaluator(data_of([row, [last] * 4]), "valid", 6).ranks(Table(pair))
        assert alone[0] == rank


def test_a_target_that_is_no_number_comes_last_and_others_stand_before_it():
    data = data_of([[1, 2, 3, 4, 5]] * 2)
    table = torch.zeros(2, data.item_size)
    table[0, 5], table[1, 5], table[1, 0] = NAN, 1.0, NAN
    ranks = Evaluator(data, "test", 5).ranks(Table(table))
    assert ranks.tolist() == [data.item_size - 1, 1]
