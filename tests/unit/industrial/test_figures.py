"""The figures: who is in which cluster."""

from dataclasses import replace

import numpy as np
import pytest

from elcrec.industrial.features import GROUPS
from elcrec.industrial.figures import SHOWN, counts, draw, in_use
from elcrec.industrial.runs import read_evidence


@pytest.fixture(scope="module")
def one(finished):
    return read_evidence(finished)[0]


def with_clusters(one, clusters):
    """The same with these clusters in each run of the two models."""
    runs = {
        model: [replace(run, clusters=clusters) for run in found] if model in SHOWN else found
        for model, found in one.runs.items()
    }
    return replace(one, runs=runs)


def test_users_are_counted_once_and_shares_add_up(one):
    numbers = counts(one, 4)
    for _, rows in numbers.groupby("model"):
        assert rows["users"].sum() == len(one.table.activity)
        by_group = rows.groupby("group")["percent_of_group"].sum()
        assert by_group.to_dict() == pytest.approx(dict.fromkeys(GROUPS, 100.0))
        sizes = rows.groupby("rank")["users"].sum()
        assert sizes.is_monotonic_decreasing
        filled = rows.groupby("rank")["percent_of_cluster"].sum()[sizes > 0]
        assert filled.tolist() == pytest.approx([100.0] * len(filled))


def test_known_clusters_have_the_known_users(one):
    """Cluster 2 has everyone who is purely new, cluster 0 all others."""
    new = one.table.group == 0
    numbers = counts(with_clusters(one, np.where(new, 2, 0).astype(np.int16)), 4)
    rows = numbers[numbers["model"] == "mmoe_elcm"].set_index(["cluster", "group"])
    assert rows.loc[(2, "pure new"), "users"] == new.sum()
    assert rows.loc[(2, "pure new"), "percent_of_group"] == 100
    assert rows.loc[(0, "pure new"), "users"] == 0
    said = in_use(with_clusters(one, np.where(new, 2, 0).astype(np.int16)))
    assert said == "Clusters with at least one user, by seed: B + ELCM 2, 2; B + k-means 2, 2."


def test_both_are_drawn_with_words(one):
    drawings = dict(draw([one], 4))
    assert list(drawings) == ["clusters-mine", "groups-mine"]
    for drawn in drawings.values():
        assert drawn.caption.endswith(".")
        assert "Mine" in drawn.title
    first = drawings["clusters-mine"].figure.axes
    assert len(first) == 2 * len(GROUPS)
    heights = [bar.get_height() for bar in first[0].patches]
    assert sum(heights) == pytest.approx(100)


def test_without_runs_the_panels_say_so(one):
    empty = replace(one, runs={model: [] for model in one.runs})
    for drawn in dict(draw([empty], 4)).values():
        texts = [text.get_text() for axis in drawn.figure.axes for text in axis.texts]
        assert "not run" in texts
