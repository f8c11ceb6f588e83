"""Figures of synthetic runs: the numbers behind them, gaps, the same bytes again."""

import importlib
import json

import numpy as np
import pandas as pd
import pytest

from elcrec.cli.figure import ABOUT
from elcrec.cli.main import main
from elcrec.errors import InputError
from elcrec.figures import case_study, curves, diagnostics, tsne
from elcrec.figures.plan import OF_ALL, OF_ONE
from elcrec.runs.plan import sensitivity_points
from elcrec.runs.reading import Runs


def draw(made, kind):
    function = importlib.import_module(f"elcrec.figures.{kind}").draw
    return function(made.runs, "tiny") if kind in OF_ONE else function(made.runs)


def everything(made):
    for model in ("iclrec", "iclrec_icl", "elcrec_elcm", "elcrec", "sasrec"):
        for seed in (1, 2):
            folder = made.run(model, seed, rank=seed)
            if model == "elcrec":
                made.intents(folder)


def test_every_kind_has_a_command():
    assert set(ABOUT) == {*OF_ALL, *OF_ONE}


@pytest.mark.parametrize("kind", ABOUT)
def test_without_runs_there_is_a_figure_that_says_so(made, kind):
    drawn = draw(made, kind)
    texts = {t.get_text() for axis in drawn.figure.axes for t in axis.texts}
    assert any("not run" in text for text in texts)
    assert "not run" in drawn.caption.lower()


@pytest.mark.parametrize("kind", ABOUT)
def test_the_same_runs_give_the_same_files(made, kind):
    everything(made)
    written = []
    for number in (1, 2):
        folder = made.folder / f"figures{number}"
        options = ["--config", str(made.path), "--output", str(folder), "--any-code"]
        assert main(["figure", kind, *options]) == 0
        written.append({p.name: p.read_bytes() for p in sorted(folder.iterdir())})
    name = f"{kind}-tiny" if kind in OF_ONE else kind
    assert set(written[0]) == {f"{name}.{end}" for end in ("png", "pdf", "csv", "json")}
    assert written[0] == written[1]
    words = json.loads(written[0][f"{name}.json"])
    assert set(words) == {"title", "caption", "alt"}
    assert all(words.values())


def test_ablation_sums_four_metrics_over_seeds(made):
    made.run("elcrec", 1, rank=0)  # every metric 1
    made.run("elcrec", 2, rank=30)  # every metric 0
    rows = draw(made, "ablation").numbers.set_index("arm")
    assert rows.loc["ELCRec", "mean"] == 2.0
    assert rows.loc["ELCRec", "std"] == pytest.approx(8**0.5)
    assert rows.loc["B", "seeds"] == 0
    assert np.isnan(rows.loc["B", "mean"])


def test_sensitivity_shows_the_point_that_is_there(made):
    made.run("elcrec", 1, rank=0)
    point = next(p for p in sensitivity_points(made.config) if p.value == 0.1)
    folder = made.run("elcrec", 1, rank=9, base=made.folder / "elsewhere")
    point.folder.parent.mkdir(parents=True)
    folder.rename(point.folder)
    drawn = draw(made, "sensitivity")
    values = drawn.numbers.set_index(["parameter", "value"])["mean"]
    assert values["alpha", 1] == values["intents", 8] == 1.0
    assert values["alpha", 0.1] == 0.0
    assert np.isnan(values["intents", 4])
    assert "Not run: Tiny intents 4." in drawn.caption


def test_a_curve_is_the_mean_of_the_seeds_as_far_as_all_reach():
    histories = [
        pd.DataFrame({"epoch": [1, 2, 3], "a": [1.0, 2.0, 3.0]}),
        pd.DataFrame({"epoch": [1, 2], "a": [3.0, 6.0]}),
    ]
    curve = curves.curve(histories, "a")
    assert curve.epochs.tolist() == [1, 2]
    assert curve.mean.tolist() == [2.0, 4.0]
    assert curve.std.tolist() == pytest.approx([2**0.5, 8**0.5])
    assert curves.curve(histories, "absent") is None


def test_diagnostics_state_the_largest_gap_of_the_identity(made):
    made.run("elcrec", 1)
    assert diagnostics.largest_gap(made.history(6)) == pytest.approx(1e-7)
    assert "shown and seeds is 1.0e-07" in draw(made, "diagnostics").caption


def test_columns_that_are_absent_or_empty_are_gaps(made):
    folder = made.run("elcrec", 1)
    history = made.history(6).drop(columns=["center_cosine", "cluster_direct"])
    history["user_cosine"] = np.nan
    history.to_csv(folder / "history.csv", index=False)
    drawn = draw(made, "diagnostics")
    assert set(drawn.numbers["quantity"]) == {"intents_in_use"}
    assert "not recorded in these runs" in drawn.caption


def test_tsne_has_a_panel_per_epoch_and_says_which_is_missing(made):
    arrays = made.intents(made.run("elcrec", 1), epochs=(0, 4))
    drawn = draw(made, "tsne")
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


def test_shares_of_groups_per_intent():
    assigned = np.array([4, 4, 4, 2, 2, 4])
    groups = np.array([0, 0, 1, 1, 2, 2])
    found = case_study.shares(assigned, groups)
    assert found.intents.tolist() == [4, 2]
    assert found.counts.tolist() == [[2, 1, 1], [0, 1, 1]]
    assert found.of_group.tolist() == [[1.0, 0.5, 0.5], [0.0, 0.5, 0.5]]
    assert found.lift[:, 0] == pytest.approx([1 / 3, -1 / 3])


def test_the_case_study_counts_every_user_once(made):
    made.intents(made.run("elcrec", 1))
    rows = draw(made, "case_study").numbers
    assert rows["users"].sum() == 120
    assert rows.groupby("group")["share_of_group"].sum().tolist() == pytest.approx([1.0] * 3)
    assert rows.groupby("intent")["mix_of_intent"].sum().tolist() == pytest.approx([1.0] * 8)


def test_activity_gives_each_group_its_own_metric(made):
    folder = made.run("elcrec", 1)
    from elcrec.evaluation.metrics import summarise
    from elcrec.statistics.groups import activity_groups

    groups = activity_groups(made.runs.lengths("tiny"), 5)
    ranks = np.where(groups == 4, 0, 30).astype(np.int32)
    np.savez_compressed(folder / "ranks.npz", valid=ranks, test=ranks)
    record = json.loads((folder / "metrics.json").read_text())
    record["metrics"] = {split: summarise(ranks) for split in ("valid", "test")}
    (folder / "metrics.json").write_text(json.dumps(record))
    rows = draw(made, "activity").numbers
    rows = rows[rows["metric"] == "HR@5"].sort_values("group")
    assert rows["mean"].tolist() == [0, 0, 0, 0, 1]
    assert rows["users"].tolist() == [24] * 5


def test_runs_of_other_code_are_refused(made):
    made.run("elcrec", 1)
    with pytest.raises(InputError, match="that other code made than the present"):
        Runs(made.config).run("tiny", "elcrec", 1)


def test_intents_that_do_not_fit_the_run_are_refused(made):
    folder = made.run("elcrec", 1)
    arrays = made.intents(folder)
    np.savez_compressed(folder / "intents.npz", **arrays | {"all_assigned": np.zeros(3)})
    with pytest.raises(InputError, match=r"intents\.npz: all_assigned has shape"):
        draw(made, "tsne")


def test_a_figure_that_is_not_asked_for_is_one_line(made, capsys):
    assert main(["figure", "tsne", "--dataset", "beauty", "--config", str(made.path)]) == 2
    assert "this configuration asks for: ablation" in capsys.readouterr().err
