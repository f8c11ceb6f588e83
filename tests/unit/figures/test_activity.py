"""Accuracy by activity: each group its own metric."""

import json

import numpy as np

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
