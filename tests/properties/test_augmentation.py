"""Views of the training input and masks of the cloze models, against what each operation allows."""

from collections import Counter
from itertools import pairwise
from math import floor

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from baselines import bert4rec, s3rec_pretrain
from elcrec.data.augmentation import Augmenter
from elcrec.data.histories import InteractionData
from elcrec.models.interface import Context
from elcrec.usage import Stopwatch
from tests.properties.strategies import SEEDS, cases, data_of, histories, padded

DRAWS = 12
"""Views of each user in a case, about four of each operation."""

SHARES = st.sampled_from([0.0, 0.2, 0.29, 0.5, 0.7, 1.0])
LENGTHS = st.integers(1, 14)


def distinct(counts: list[int]) -> list[list[int]]:
    """Histories of these lengths in which every item is another, so that an id says its place."""
    first = np.cumsum([1, *counts])
    return [list(range(a, b)) for a, b in pairwise(first.tolist())]


ROWS = st.one_of(
    histories(longest=24), st.lists(st.integers(4, 40), min_size=1, max_size=5).map(distinct)
)


def starts(size: int, kept: int) -> range:
    """Where a crop or a shuffled stretch may begin: not so late that it takes the last item."""
    return range(max(1, size - kept))


def is_crop(view: list[int], items: list[int], share: float) -> bool:
    kept = floor(share * len(items))
    crops = (items[start : start + max(1, kept)] for start in starts(len(items), kept))
    return any(view == padded(crop, len(view)) for crop in crops)


def is_mask(view: list[int], items: list[int], share: float, mask_id: int) -> bool:
    shown = min(len(items), len(view))
    pairs = list(zip(view[len(view) - shown :], items[-shown:], strict=True))
    hidden = sum(seen == mask_id for seen, _ in pairs)  # an id of the input is never the mask's
    count = floor(share * len(items))
    return (
        not any(view[: len(view) - shown])
        and all(seen in (mask_id, item) for seen, item in pairs)
        and max(0, count - (len(items) - shown)) <= hidden <= min(count, shown)
    )


def is_reorder(view: list[int], items: list[int], share: float) -> bool:
    shown, count = min(len(items), len(view)), floor(share * len(items))
    if any(view[: len(view) - shown]):
        return False
    cut = len(items) - shown  # items before the window; a stretch may lie there in part
    tail = view[len(view) - shown :]
    for start in starts(len(items), count):
        inside = slice(max(0, start - cut), max(0, start + count - cut))
        kept = [*items[cut:]]
        kept[inside] = tail[inside]
        own, given = Counter(items[start : start + count]), Counter(tail[inside])
        if kept == tail and (given == own if start >= cut else given <= own):
            return True
    return False


@cases(100)
@given(ROWS, LENGTHS, SHARES, SHARES, SHARES, st.booleans(), SEEDS)
def test_every_view_is_a_crop_a_mask_or_a_reorder(rows, length, crop, mask, reorder, token, seed):
    data = data_of(rows)
    mask_id = data.item_size - 1 if token else 0
    augmenter = Augmenter(data, length, crop, mask, reorder, mask_id)
    users = torch.arange(len(rows)).repeat(DRAWS)
    views = augmenter.views(users, torch.Generator().manual_seed(seed))
    assert views.shape == (len(users), length)
    for user, view in zip(users.tolist(), views.tolist(), strict=True):
        items = rows[user][:-3]
        assert (
            is_crop(view, items, crop)
            or is_mask(view, items, mask, mask_id)
            or is_reorder(view, items, reorder)
        ), (items, view)


@cases(40)
@given(st.integers(10, 30), st.integers(14, 40), SEEDS)
def test_each_operation_occurs(size, length, seed):
    """Of ten items or more, crop, mask and reorder are told apart; 60 draws miss none of them."""
    items = list(range(1, size + 1))
    data = data_of([[*items, *range(size + 1, size + 4)]])
    views = Augmenter(data, length).views(
        torch.zeros(60, dtype=torch.long), torch.Generator().manual_seed(seed)
    )
    real = [is_crop(view, items, 0.2) for view in views.tolist()]
    hidden = [is_mask(view, items, 0.7, 0) for view in views.tolist()]
    moved = [is_reorder(view, items, 0.2) for view in views.tolist()]
    assert all(sum(kinds) == 1 for kinds in zip(real, hidden, moved, strict=True))
    assert any(real)
    assert any(hidden)
    assert any(moved)


@cases(40)
@given(ROWS, LENGTHS, SEEDS)
def test_the_seed_alone_decides_a_view(rows, length, seed):
    data = data_of(rows)
    before = data.items.clone()
    users = torch.arange(len(rows)).repeat(3)

    def drawn(seed: int) -> torch.Tensor:
        return Augmenter(data, length).views(users, torch.Generator().manual_seed(seed))

    first = drawn(seed)
    torch.rand(1)  # PyTorch's own numbers do not matter
    assert torch.equal(drawn(seed), first)
    assert torch.equal(data.items, before)


def test_other_seeds_give_other_views():
    data = data_of(distinct([30] * 20))
    views = [
        Augmenter(data, 30).views(torch.arange(20), torch.Generator().manual_seed(seed))
        for seed in range(10)
    ]
    assert all(not torch.equal(a, b) for a, b in pairwise(views))


def context_of(data: InteractionData, seed: int) -> Context:
    generator = torch.Generator().manual_seed(seed)
    return Context(data, generator, seed, Stopwatch(data.device))


@cases(60)
@given(ROWS, LENGTHS, st.sampled_from([0.01, 0.2, 0.5, 1.0]), SEEDS, st.booleans())
def test_bert4rec_masks_the_stated_number_and_asks_for_what_it_hides(
    rows, length, ratio, seed, last_only
):
    data = data_of(rows)
    model = bert4rec.Model(
        bert4rec.Hyperparameters(
            max_length=length, mask_ratio=ratio, last_only=float(last_only), dimension=2
        ),
        data.n_users,
        data.item_size,
    )
    samples = torch.arange(2 * len(rows))
    batch = model.batch(samples, context_of(data, seed))
    for sample, inputs, targets in zip(
        samples.tolist(), batch.inputs.tolist(), batch.targets.tolist(), strict=True
    ):
        items = rows[sample % len(rows)][:-2]
        window = padded(items, length)
        hidden = [place for place, target in enumerate(targets) if target]
        assert inputs == [model.mask_id if n in hidden else i for n, i in enumerate(window)]
        assert targets == [i if n in hidden else 0 for n, i in enumerate(window)]
        if last_only:
            assert hidden == [length - 1]
        else:
            shown = min(len(items), length)
            assert len(hidden) == max(1, round(np.float32(shown * np.float32(ratio))))


@cases(60)
@given(ROWS, LENGTHS, st.sampled_from([0.0, 0.2, 1.0]), SEEDS)
def test_s3rec_hides_items_and_segments_of_a_prefix(rows, length, ratio, seed):
    data = data_of(rows)
    settings = s3rec_pretrain.Hyperparameters(max_length=length, mask_ratio=ratio, dimension=2)
    model = s3rec_pretrain.Model(settings, data.n_users, data.item_size)
    context = context_of(data, seed)
    model.start_training(context)
    samples = torch.arange(model.n_samples(data))
    batch = model.batch(samples, context)
    # The last L training items of each user, and every prefix of them, the longest first.
    prefixes = [
        padded(row[:-2][-length:][:size], length)
        for row in rows
        for size in range(min(len(row) - 2, length), 0, -1)
    ]
    known = [item for row in rows for item in row[:-2]]
    columns = (batch.masked, batch.targets, batch.context, batch.segment, batch.other)
    for window, *cells in zip(prefixes, *(column.tolist() for column in columns), strict=True):
        masked, targets, around, segment, other = cells
        size = length - window.count(0)
        hidden = [place for place, target in enumerate(targets) if target]
        assert length - 1 in hidden
        assert len(hidden) == {0.0: 1, 1.0: size}.get(ratio, len(hidden))
        assert masked == [model.mask_id if n in hidden else i for n, i in enumerate(window)]
        assert targets == [i if n in hidden else 0 for n, i in enumerate(window)]
        inside = [n for n, item in enumerate(around) if item == model.mask_id]
        assert inside == list(range(inside[0], inside[0] + len(inside)))
        assert 1 <= len(inside) <= max(1, size // 2)
        assert around == [model.mask_id if n in inside else i for n, i in enumerate(window)]
        outside = [model.mask_id if i else 0 for i in window]
        assert segment == [window[n] if n in inside else i for n, i in enumerate(outside)]
        assert [i for n, i in enumerate(other) if n not in inside] == [
            i for n, i in enumerate(outside) if n not in inside
        ]
        false = [other[n] for n in inside]
        assert any(known[n : n + len(false)] == false for n in range(len(known)))
