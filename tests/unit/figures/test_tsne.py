"""t-SNE of users: panels, clusters, intents that do not fit."""

import numpy as np
import pytest

from elcrec.errors import InputError
from elcrec.figures import tsne


def test_tsne_has_a_panel_per_epoch_and_says_which_is_missing(made):
    arrays = made.intents(made.run("elcrec", 1), epochs=(0, 4))
    drawn = made.draw("tsne")
    assert set(drawn.numbers["epoch"]) == {0, 4}  # 1 is asked for too, but was not recorded
    assert len(drawn.numbers) == 2 * len(arrays["users"])
    titles = [axis.get_title() for axis in drawn.figure.axes if axis.get_visible()]
    assert titles == ["epoch 0", "epoch 1", "tested epoch (4)"]


def test_users_at_one_point_are_not_projected():
    assert not tsne.project(np.ones((50, 4)), seed=1).any()


def test_tsne_keeps_clusters_together():
    random = np.random.default_rng(0)
    vectors = np.repeat([[0.0, 0.0, 9.0], [9.0, 0.0, 0.0]], 40, axis=0)
    points = tsne.project(vectors + 0.1 * random.normal(size=vectors.shape), seed=1)
    centers = points[:40].mean(0), points[40:].mean(0)
    spread = max(np.linalg.norm(points[:40] - centers[0], axis=1))
    assert np.linalg.norm(centers[0] - centers[1]) > spread


def test_the_largest_intents_come_first():
    assigned = np.array([[3, 3, 5], [3, 5, 7]])
    assert tsne.largest_intents(assigned).tolist() == [3, 5, 7]


def test_intents_that_do_not_fit_the_run_are_refused(made):
    folder = made.run("elcrec", 1)
    arrays = made.intents(folder)
    np.savez_compressed(folder / "intents.npz", **arrays | {"all_assigned": np.zeros(3)})
    with pytest.raises(InputError, match=r"intents\.npz: all_assigned has shape"):
        made.draw("tsne")
