"""The ablation: sums of four metrics, and changes against the first arm with their intervals."""

import numpy as np
import pytest

from elcrec.runs.comparison import compare_runs, training_noise
from elcrec.statistics.noise import Pool


def test_ablation_sums_four_metrics_over_seeds(made):
    made.run("elcrec", 1, rank=0)  # every metric 1
    made.run("elcrec", 2, rank=30)  # every metric 0
    rows = made.draw("ablation").numbers.set_index("arm")
    assert rows.loc["ELCRec", "mean"] == 2.0
    assert rows.loc["ELCRec", "std"] == pytest.approx(8**0.5)
    assert rows.loc["B", "seeds"] == 0
    assert np.isnan(rows.loc["B", "mean"])


def test_a_change_is_in_percent_of_the_base_and_has_the_interval_of_the_primary_test(made):
    for seed in (1, 2):
        made.run("iclrec", seed, rank=9 + seed)  # of the four metrics HR@20 and NDCG@20 count
        made.run("elcrec", seed, rank=seed)
    rows = made.draw("ablation").numbers.set_index("arm")
    means = rows["mean"]
    change = 100 * (means["ELCRec"] / means["B"] - 1)
    assert rows.loc["ELCRec", "change_percent"] == pytest.approx(change)
    low, high = rows.loc["ELCRec", ["low95_percent", "high95_percent"]]
    assert (low + high) / 2 == pytest.approx(change)
    assert low < change < high
    assert np.isnan(rows.loc["B", "change_percent"])  # the base itself
    assert np.isnan(rows.loc["B+ICL", "change_percent"])  # not run


def test_on_one_metric_the_interval_would_be_that_of_the_tables(made, monkeypatch):
    monkeypatch.setattr("elcrec.figures.ablation.TABLE_METRICS", ("NDCG@20",))
    made.everything()
    row = made.draw("ablation").numbers.set_index("arm").loc["ELCRec"]
    found = made.runs.find(["tiny"], ["iclrec", "elcrec"])
    b, a = found.values()
    arms = made.runs.find(["tiny"], made.config.figures.ablation.models)
    noise = Pool(**{**vars(training_noise(arms, "NDCG@20")), "fixed": ()})
    test = compare_runs("", "NDCG@20", a, b, noise)
    scale = 100 / test.mean_b
    assert row["change_percent"] == pytest.approx(scale * test.primary.difference)
    assert row["low95_percent"] == pytest.approx(scale * test.primary.low)
    assert row["high95_percent"] == pytest.approx(scale * test.primary.high)


def test_without_two_seeds_of_any_arm_there_is_no_interval(made):
    made.run("iclrec", 1, rank=2)
    made.run("elcrec", 1, rank=1)
    row = made.draw("ablation").numbers.set_index("arm").loc["ELCRec"]
    assert row["change_percent"] > 0
    assert np.isnan(row["low95_percent"])


def test_the_printed_change_stands_beside_ours(printed):
    printed.everything()
    drawn = printed.draw("ablation")
    rows = drawn.numbers.set_index("arm")
    assert rows.loc["ELCRec", "paper_change_percent"] == pytest.approx(100 * (0.2473 / 0.239 - 1))
    assert "Table 10" in drawn.caption
