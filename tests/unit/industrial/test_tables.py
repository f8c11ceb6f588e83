"""The comparisons: by hand, and as tables with the paper's numbers beside them."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.stats

from elcrec.industrial import metrics
from elcrec.industrial.features import GROUPS
from elcrec.industrial.runs import read_evidence
from elcrec.industrial.tables import COLUMNS, build, shown
from elcrec.statistics.crossed import crossed
from elcrec.statistics.noise import Pool
from elcrec.statistics.tests import holm


@pytest.fixture(scope="module")
def evidence(finished):
    return read_evidence(finished)


@pytest.fixture(scope="module")
def frame(evidence):
    return build(evidence)


def row(frame, **keys):
    chosen = frame
    for key, value in keys.items():
        chosen = chosen[chosen[key] == value]
    assert len(chosen) == 1
    return chosen.iloc[0]


def test_every_comparison_is_there(frame):
    assert tuple(frame.columns) == COLUMNS
    assert frame["table"].value_counts().to_dict() == {
        **{"tasks": 2 * 3, "others": 2 * 3 * 3, "groups": 2 * 2 * 5}
    }


def test_auc_is_compared_over_seeds(evidence, frame):
    (one,) = evidence
    found = row(frame, table="tasks", task="loved", metric="AUC")
    ours, others = ([run.record.auc["loved"] for run in one.runs[m]] for m in ("mmoe_elcm", "mmoe"))
    assert found["mean_a"] == pytest.approx(np.mean(ours))
    assert found["mean_b"] == pytest.approx(np.mean(others))
    assert found["gain_percent"] == pytest.approx(100 * (np.mean(ours) / np.mean(others) - 1))
    welch = scipy.stats.ttest_ind(ours, others, equal_var=False)
    assert found["p"] == pytest.approx(welch.pvalue)
    low, high = welch.confidence_interval()
    assert found["low95_percent"] == pytest.approx(100 * low / np.mean(others))
    assert found["high95_percent"] == pytest.approx(100 * high / np.mean(others))
    assert found["seeds"] == "2+2"


def test_per_user_auc_is_compared_by_the_primary_test(evidence, frame):
    (one,) = evidence
    test = one.table.rows("test")
    values = {
        model: np.array(
            [
                metrics.auc_by(
                    one.table.user[test], one.table.labels[test, 0], run.probabilities[:, 0]
                )
                for run in runs
            ]
        )
        for model, runs in one.runs.items()
    }
    pool = Pool.of({("", model): list(matrix.mean(1)) for model, matrix in values.items()})
    noises = [pool.noise(("", model)) for model in ("mmoe_elcm", "mmoe")]
    primary = crossed(values["mmoe_elcm"], values["mmoe"], *noises)
    found = row(frame, table="tasks", task="liked", metric="per-user AUC")
    assert found["p"] == primary.p_value
    assert found["mean_a"] - found["mean_b"] == pytest.approx(primary.difference)
    assert found["low95_percent"] == pytest.approx(100 * primary.low / found["mean_b"])


def test_groups_part_the_test_interactions(evidence, frame):
    (one,) = evidence
    groups = frame[(frame["table"] == "groups") & (frame["task"] == "liked")]
    of_auc = groups[groups["metric"] == "AUC"]
    assert of_auc["group"].tolist() == list(GROUPS)
    assert of_auc["interactions"].sum() == len(one.table.rows("test"))
    assert of_auc["users"].sum() == len(np.unique(one.table.user[one.table.rows("test")]))


def test_a_table_of_a_data_set_is_a_holm_family(frame):
    for _, family in frame.groupby("table"):
        assert family["p_holm"].tolist() == pytest.approx(holm(family["p"]), nan_ok=True)


def test_one_seed_has_no_interval_of_auc(evidence):
    (one,) = evidence
    single = replace(one, runs={model: runs[:1] for model, runs in one.runs.items()})
    frame = build([single])
    found = row(frame, table="tasks", task="liked", metric="AUC")
    assert np.isnan(found["p"])
    assert np.isfinite(found["gain_percent"])


def test_models_without_runs_are_not_compared(evidence):
    (one,) = evidence
    without = replace(one, runs=one.runs | {"mmoe_elcm": []})
    assert set(build([without])["table"]) == {"others"}


def test_the_papers_numbers_stand_beside_ours(frame):
    tasks, groups, others = shown(frame, {"mine": "Mine"})
    printed = {row[0].text + row[1].text: row[-1].text for row in tasks.rows[-4:]}
    assert printed == {
        **{"Paper: LivestreamPVCTR": "2.45", "Paper: LivestreamVV": "2.28"},
        **{"Paper: MerchandisePVCTR": "2.41", "Paper: MerchandiseUVCTR": "1.62"},
    }
    assert {row[-1].text for row in tasks.rows[:-4]} == {"–"}
    beside = {(row[3].text, row[-2].text, row[-1].text) for row in groups.rows}
    assert beside == {
        *{("pure new", "6.96", "6.81"), ("new", "1.67", "1.50"), ("low activity", "1.98", "1.50")},
        *{("medium activity", "0.35", "0.04"), ("high activity", "19.02", "16.90")},
    }
    assert "other data" in tasks.caption
    assert "other data" in groups.caption
    assert [cell.text for cell in others.rows[0][:5]] == [
        *("Mine", "liked", "AUC", "B + k-means", "B (MMoE)")
    ]
