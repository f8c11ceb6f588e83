"""Ranks against brute force, protocols, ties, bounded memory."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from baselines import popularity
from elcrec.data.histories import InteractionData
from elcrec.data.repeats import PROTOCOLS
from elcrec.data.sequences import Sequences
from elcrec.errors import InputError
from elcrec.evaluation import tiles as ranking_plan
from elcrec.evaluation.ranking import Evaluator
from elcrec.models.interface import SequenceModel


class Fixed(SequenceModel):
    """Scores from a table (users, item_size)."""

    def __init__(self, table: Tensor) -> None:
        super().__init__(None, *table.shape)
        self.table = table
        self.widths: list[int] = []
        self.most_scores = 0

    def represent(self, users: Tensor, sequences: Tensor) -> Tensor:
        self.widths.append(sequences.shape[1])
        return self.table[users]

    def score_items(self, represented: Tensor, first: int, last: int) -> Tensor:
        scores = represented[:, first:last].clone()
        self.most_scores = max(self.most_scores, scores.numel())
        return scores


def data_of(rows: list[list[int]]) -> InteractionData:
    offsets = np.concatenate([[0], np.cumsum([len(r) for r in rows])])
    items = np.concatenate(rows).astype(np.int64)
    return InteractionData(Sequences(items, offsets, tuple(map(str, range(len(rows))))))


def brute_force(rows, table, split, protocol):
    """Rank of each target, item by item."""
    held_out = {"valid": 2, "test": 1}[split]
    ranks = []
    for row, scores in zip(rows, table.tolist(), strict=True):
        seen, target = row[:-held_out], row[-held_out]
        for item in seen if protocol != "repeats" else ():
            scores[item] = 0.0 if protocol == "paper" else float("-inf")
        if protocol != "paper":
            scores[0] = scores[-1] = float("-inf")
        others = [s for i, s in enumerate(scores) if i != target]
        ranks.append(sum(s >= scores[target] for s in others))
    return ranks


rows_of_items = st.lists(
    st.lists(st.integers(1, 9), min_size=4, max_size=12), min_size=1, max_size=7
)


@settings(max_examples=80, deadline=None)
@given(
    rows_of_items,
    st.integers(0, 10**6),
    st.sampled_from(["valid", "test"]),
    st.sampled_from(PROTOCOLS),
    st.booleans(),
)
def test_ranks_equal_brute_force(rows, seed, split, protocol, tied):
    data = data_of(rows)
    generator = torch.Generator().manual_seed(seed)
    table = torch.randn(len(rows), data.item_size, generator=generator)
    table = table.round() if tied else table
    expected = brute_force(rows, table, split, protocol)
    for floats in (1, 3, 2 * data.item_size, 10**6):
        model = Fixed(table)
        assert Evaluator(data, split, 5, protocol, 4 * floats).ranks(model).tolist() == expected
        assert model.most_scores <= floats


def test_equal_scores_count_against_the_model():
    data = data_of([[1, 2, 3, 4, 5]])
    ranks = Evaluator(data, "test", 5).ranks(Fixed(torch.ones(1, data.item_size)))
    assert ranks.tolist() == [2]  # rows 0 and 6 tie; items 1 … 4 were seen and score 0


def test_scores_that_are_not_numbers_rank_last():
    data = data_of([[1, 2, 3, 4, 5]])
    table = torch.full((1, data.item_size), float("nan"))
    assert Evaluator(data, "test", 5).ranks(Fixed(table)).tolist() == [data.item_size - 1]


def test_users_of_similar_length_are_encoded_together(monkeypatch):
    monkeypatch.setattr(ranking_plan, "CHUNK_USERS", 2)
    data = data_of([list(range(1, n + 1)) for n in (4, 20, 5, 9, 6, 19)])
    model = Fixed(torch.randn(6, data.item_size))
    cut = Evaluator(data, "test", 10).ranks(model).tolist()
    assert model.widths == [4, 8, 10]
    monkeypatch.undo()
    assert Evaluator(data, "test", 10).ranks(model).tolist() == cut


def test_users_are_represented_in_parts(monkeypatch):
    data = data_of([[n, n + 1, n + 2, n + 3] for n in range(1, 40)])
    model = Fixed(torch.randn(39, data.item_size))
    whole = Evaluator(data, "test", 10).ranks(model).tolist()
    monkeypatch.setattr(ranking_plan, "PART_USERS", 5)
    evaluator = Evaluator(data, "test", 10)
    assert len(evaluator.parts) == 8
    assert evaluator.ranks(model).tolist() == whole


@pytest.mark.parametrize(("n_users", "n_items"), [(22363, 12101), (943, 1349), (10**6, 10**7)])
def test_tiles_fit_cache_and_memory(n_users, n_items):
    data = SimpleNamespace(n_users=n_users, item_size=n_items + 2, device=torch.device("cpu"))
    tiles = ranking_plan.Tiles.fit(data)
    assert tiles.bounds(tiles.count - 1)[1] == data.item_size
    assert sum(b - a for a, b in map(tiles.bounds, range(tiles.count))) == data.item_size
    assert 4 * tiles.rows * tiles.width <= ranking_plan.SCORE_MEMORY["cpu"]
    assert tiles.rows >= 64  # so many users or more for each product


def test_ranking_does_not_change_the_model():
    data = data_of([[1, 2, 3, 4, 5]])
    model = popularity.Model(popularity.Hyperparameters(), 1, data.item_size)
    model.counts.copy_(torch.arange(data.item_size))
    Evaluator(data, "test", 5, "strict").ranks(model)
    assert model.counts.tolist() == list(range(data.item_size))


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_of_the_model_is_left_as_it_was(training):
    data = data_of([[1, 2, 3, 4]])
    model = Fixed(torch.randn(1, data.item_size)).train(training)
    Evaluator(data, "test", 5).ranks(model)
    assert model.training is training


class Starved(Fixed):
    """Has memory for so many users and scores at a time."""

    def __init__(self, table: Tensor, users: int, scores: int, error: Exception) -> None:
        super().__init__(table)
        self.limits, self.error = (users, scores), error

    def represent(self, users: Tensor, sequences: Tensor) -> Tensor:
        if len(users) > self.limits[0]:
            raise self.error
        return super().represent(users, sequences)

    def score_items(self, represented: Tensor, first: int, last: int) -> Tensor:
        if len(represented) * (last - first) > self.limits[1]:
            raise self.error
        return super().score_items(represented, first, last)


OUT_OF_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
    MemoryError(),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=["GPU", "CPU", "host"])
@pytest.mark.parametrize("limits", [(7, 10**6), (10**6, 600), (2, 1100)])
def test_out_of_memory_is_met_with_smaller_chunks_and_the_same_ranks(capsys, error, limits):
    data = data_of([list(range(u % 30 + 1, u % 30 + 7)) for u in range(150)])
    table = torch.randn(150, data.item_size)
    evaluator = Evaluator(data, "test", 10)
    model = Starved(table, *limits, error).train()
    expected = Evaluator(data, "test", 10).ranks(Fixed(table))
    assert evaluator.ranks(model).tolist() == expected.tolist()
    assert model.most_scores <= limits[1]
    assert model.training
    told = capsys.readouterr().err
    assert "out of memory in an evaluation: continuing with smaller chunks, of" in told
    assert evaluator.ranks(model).tolist() == expected.tolist()
    assert capsys.readouterr().err == ""  # the smaller chunks stay


def test_out_of_memory_with_a_single_user_is_one_line(capsys):
    data = data_of([list(range(1, 8))] * 5)
    model = Starved(torch.randn(5, data.item_size), 0, 0, OUT_OF_MEMORY[0])
    with pytest.raises(InputError, match="out of memory even with a single user at a time"):
        Evaluator(data, "test", 10).ranks(model)


def test_another_error_of_a_model_is_not_taken_for_a_lack_of_memory():
    data = data_of([list(range(1, 8))] * 5)
    model = Starved(torch.randn(5, data.item_size), 0, 0, RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes do not match"):
        Evaluator(data, "test", 10).ranks(model)
