"""The case study: users counted by intent and activity."""

import numpy as np
import pytest

from elcrec.figures import case_study


def test_shares_of_groups_per_intent():
    assigned = np.array([4, 4, 4, 2, 2, 4])
    groups = np.array([0, 0, 1, 1, 2, 2])
    counts = case_study.users(assigned, groups)
    assert counts.index.tolist() == [4, 2]
    assert counts.to_numpy().tolist() == [[2, 1, 1], [0, 1, 1]]
    assert case_study.of_group(counts).to_numpy().tolist() == [[1.0, 0.5, 0.5], [0.0, 0.5, 0.5]]
    assert case_study.lift(counts)["low"].tolist() == pytest.approx([1 / 3, -1 / 3])


def test_the_case_study_counts_every_user_once(made):
    made.intents(made.run("elcrec", 1))
    rows = made.draw("case_study").numbers
    assert rows["users"].sum() == 120
    assert rows.groupby("group")["share_of_group"].sum().tolist() == pytest.approx([1.0] * 3)
    assert rows.groupby("intent")["mix_of_intent"].sum().tolist() == pytest.approx([1.0] * 8)
