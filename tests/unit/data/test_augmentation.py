"""Views of the training input: operations, their parameters and their distributions."""

import numpy as np
import pytest
import torch
from scipy.stats import chisquare, hypergeom

from elcrec.data import augmentation
from elcrec.data.augmentation import Augmenter
from elcrec.data.histories import InteractionData
from elcrec.data.sequences import Sequences

LENGTH = 10


def data_of(*sizes: int) -> InteractionData:
    """Users whose training inputs have these sizes; all items differ."""
    lengths = np.array(sizes) + 3
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    items = np.arange(1, offsets[-1] + 1)
    return InteractionData(Sequences(items, offsets, tuple(map(str, range(len(sizes))))))


def draw(data: InteractionData, user: int, times: int, seed: int = 0, **shares: float):
    generator = torch.Generator().manual_seed(seed)
    users = torch.full((times,), user)
    return Augmenter(data, LENGTH, **shares).views(users, generator).numpy()


def kind(view: np.ndarray, whole: np.ndarray) -> str:
    """Which operation made a view of a sequence that fits the window."""
    real = view[view > 0]
    n = len(whole)
    if (view[len(view) - n :] == 0).sum() == int(0.7 * n) and set(real) < set(whole):
        inside = view[len(view) - n :]
        if all(inside[i] in (0, whole[i]) for i in range(n)):
            return "mask"
    if len(real) == max(1, int(0.2 * n)):
        return "crop"
    assert sorted(real) == sorted(whole)
    return "reorder"


def test_each_operation_is_what_it_says_and_equally_likely():
    data = data_of(9)
    whole = np.arange(1, 10)
    kinds = [kind(view, whole) for view in draw(data, 0, 6000)]
    counts = [kinds.count(k) for k in ("crop", "mask", "reorder")]
    assert sum(counts) == 6000
    assert chisquare(counts).pvalue > 1e-4


def test_a_crop_is_consecutive_and_its_start_uniform_without_the_last_item():
    data = data_of(10)  # floor(0.2 * 10) = 2 items, starts 0 … 7
    views = draw(data, 0, 9000)
    crops = [v[v > 0] for v in views if (v > 0).sum() == 2 and (v[:8] == 0).all()]
    starts = [c[0] for c in crops if c[1] == c[0] + 1]
    assert len(starts) == len(crops)
    counts = np.bincount(starts, minlength=9)[1:9]
    assert chisquare(counts).pvalue > 1e-4
    assert max(starts) == 8  # item 10, the last one, is never in a crop


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_a_crop_of_nothing_is_one_item_drawn_from_all(size):
    data = data_of(size)
    views = draw(data, 0, 4000, mask=0.0, reorder=0.0)
    crops = [v[v > 0][0] for v in views if (v > 0).sum() == 1]
    assert set(crops) == set(range(1, size + 1))
    assert all(v[-1] > 0 for v in views)


def test_masks_hide_the_right_number_of_distinct_items_uniformly():
    data = data_of(8)  # floor(0.7 * 8) = 5
    views = draw(data, 0, 9000)
    masked = [v[-8:] == 0 for v in views if (v[-8:] == 0).sum() == 5]
    assert len(masked) > 2500
    counts = np.sum(masked, axis=0)
    assert chisquare(counts).pvalue > 1e-4


def test_masks_of_an_input_longer_than_the_window_are_hypergeometric():
    data = data_of(30)  # 21 of 30 items are masked, the window shows the last 10
    views = draw(data, 0, 12000, crop=0.5, reorder=0.0)  # crops of 15 items fill the window
    hidden = np.array([view == 0 for view in views if (view == 0).any()])
    assert len(hidden) == pytest.approx(4000, rel=0.1)
    observed = np.bincount(hidden.sum(1), minlength=11)
    expected = hypergeom(30, 21, 10).pmf(np.arange(11)) * len(hidden)
    enough = expected > 5
    rest = [observed[~enough].sum()], [expected[~enough].sum()]
    counts = np.concatenate([observed[enough], rest[0]])
    assert chisquare(counts, np.concatenate([expected[enough], rest[1]])).pvalue > 1e-4
    assert chisquare(hidden.sum(0)).pvalue > 1e-4


def test_a_reordered_stretch_is_a_uniform_permutation_in_place():
    data = data_of(10)
    whole = np.arange(1, 11)
    views = draw(data, 0, 6000, reorder=0.3)  # 3 of 10
    moved = [v for v in views if sorted(v) == list(whole) and (v != whole).any()]
    for view in moved:
        changed = np.flatnonzero(view != whole)
        assert changed[-1] - changed[0] < 3
        assert sorted(view[changed]) == sorted(whole[changed])
    # 5 of 6 permutations of three items are not the identity.
    assert len(moved) == pytest.approx(6000 / 3 * 5 / 6, rel=0.1)


@pytest.mark.parametrize("size", [5, 12, 20])
def test_a_long_stretch_is_shuffled_slot_by_slot_with_the_same_distribution(size, monkeypatch):
    """What a window shows of a shuffled stretch: any items of it, all different, equally likely."""
    monkeypatch.setattr(augmentation, "WIDEST_SORT", 0)
    data = data_of(size)
    views = draw(data, 0, 9000, crop=1.0, mask=0.0, reorder=1.0)[:, -min(size, LENGTH) :]
    whole = np.arange(size + 1)[-min(size, LENGTH) :]
    moved = views[(views != whole).any(1)]
    assert len(moved) == pytest.approx(3000, rel=0.1)  # a third; a shuffle rarely changes nothing
    assert all(len(set(view)) == len(view) for view in moved)
    for slot in (0, 1, -1):
        counts = np.bincount(moved[:, slot], minlength=size + 1)[1:]
        assert chisquare(counts).pvalue > 1e-4
    pairs = np.bincount(moved[:, 0] * (size + 1) + moved[:, -1])
    possible = np.array(
        [i * (size + 1) + j for i in range(1, size + 1) for j in range(1, size + 1) if i != j]
    )
    assert chisquare(np.pad(pairs, (0, (size + 1) ** 2 - len(pairs)))[possible]).pvalue > 1e-4


def test_one_long_history_makes_no_long_tables():
    data = data_of(20_000, 6, 6, 9)
    augmenter = Augmenter(data, LENGTH)
    assert augmenter._masked_in_window.shape == (3, LENGTH + 1)  # lengths 6, 9 and 20,000
    users = torch.tensor([0] * 200)
    views = augmenter.views(users, torch.Generator().manual_seed(0)).numpy()
    assert views.max() <= 20_000
    assert views.min() >= 0


def test_long_inputs_are_cut_to_the_window_after_the_operation():
    data = data_of(60)
    views = draw(data, 0, 3000)
    crops = [v for v in views if (v > 0).all() and (np.diff(v) == 1).all() and v[-1] < 60]
    assert {len(v) for v in views} == {LENGTH}
    assert crops  # floor(0.2 * 60) = 12 items: a full window from anywhere in the history
    assert min(v[0] for v in crops) < 20


def test_views_are_left_padded_and_keep_the_data_unchanged():
    data = data_of(4, 7, 25)
    before = data.items.clone()
    generator = torch.Generator().manual_seed(3)
    users = torch.tensor([0, 1, 2] * 200)
    views = Augmenter(data, LENGTH).views(users, generator)
    assert torch.equal(data.items, before)
    for user, view in zip(users.tolist(), views.numpy(), strict=True):
        own = data.training_inputs(torch.tensor([user]), 100)[0].numpy()
        assert set(view[view > 0]) <= set(own[own > 0])


def test_two_views_of_a_batch_are_drawn_independently():
    data = data_of(*[9] * 300)
    generator = torch.Generator().manual_seed(0)
    views = Augmenter(data, LENGTH).views(torch.arange(300).repeat(2), generator).view(2, 300, -1)
    assert (views[0] != views[1]).any(1).float().mean() > 0.8
