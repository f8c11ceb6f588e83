"""Accuracy by activity: each group its own metric."""

import json

import numpy as np
import pytest

from elcrec.evaluation.metrics import summarise
from elcrec.statistics.groups import activity_groups


def test_activity_gives_each_group_its_own_metric(made):
    folder = made.run("elcrec", 1)
    groups = activity_groups(made.runs.lengths("tiny"), 5)
    ranks = np.where(groups == 4, 0, 30).astype(np.int32)
    np.savez_compressed(folder / "ranks.npz", valid=ranks, test=ranks)
    record = json.loads((folder / "metrics.json").read_text())
    record["metrics"] = {split: summarise(ranks) for split in ("valid", "test")}
    (folder / "metrics.json").write_text(json.dumps(record))
    rows = made.draw("activity").numbers
    rows = rows[rows["metric"] == "HR@5"].sort_values("group")
    assert rows["mean"].tolist() == [0, 0, 0, 0, 1]
    assert rows["users"].tolist() == [24] * 5


@pytest.mark.parametrize(
    ("kind", "users", "words"),
    [("activity", 4, "fewer than 5 users"), ("case_study", 2, "fewer than 3 users")],
)
def test_too_few_users_for_groups_are_said_in_the_figure(made, kind, users, words):
    path = made.config.sequences_file("tiny")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:users]))
    folder = made.run("elcrec", 1)
    arrays = made.intents(folder)
    arrays |= {"users": np.arange(users), "all_assigned": arrays["all_assigned"][:users]}
    arrays |= {name: arrays[name][:, :users] for name in ("embeddings", "assigned")}
    np.savez_compressed(folder / "intents.npz", **arrays)
    ranks = np.arange(users)
    np.savez_compressed(folder / "ranks.npz", valid=ranks, test=ranks)
    record = json.loads((folder / "metrics.json").read_text()) | {"users": users}
    record["metrics"] = {split: summarise(ranks) for split in ("valid", "test")}
    (folder / "metrics.json").write_text(json.dumps(record))
    drawn = made.draw(kind)
    assert drawn.numbers.empty
    assert {text.get_text() for axis in drawn.figure.axes for text in axis.texts} == {words}
