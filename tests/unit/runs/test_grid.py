"""Grids: declared alike for all, blind to the test split; the recorded outcome is in use."""

import json

import pandas as pd
import pytest
import yaml

from elcrec import ROOT
from elcrec.cli.main import main
from elcrec.config.config import MODEL_FOLDER, load_config
from elcrec.errors import InputError
from elcrec.evaluation import ranking
from elcrec.runs import grid
from elcrec.tables.grid import frame
from tests.workflow.make_tiny import write

RECORDED = sorted((ROOT / "results" / "recorded" / "grid").glob("*.csv"))
POINTS = [{"l2": 0.1}, {"l2": 0.0}, {"l2": 0.01}]


def own_model(folder, **changes):
    """BPR-MF as a user's own model; returns its YAML file."""
    content = {"base": "bprmf", "name": "Mine", "grid": POINTS} | changes
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize("path", sorted(MODEL_FOLDER.glob("*.yaml")), ids=lambda p: p.stem)
@pytest.mark.parametrize("dataset", ["beauty", "ml-100k"])
def test_declared_grids_hold_the_values_in_use(path, dataset):
    read = grid.read_grid(load_config(), path.stem, dataset)
    assert not read.points or sum(map(read.in_use, read.points)) == 1


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ({"l2": [1, 2]}, "grid: must be a list of points"),
        ([{}], "grid: must be a list of points"),
        ([{"l2": n / 10} for n in range(7)], "grid: has 7 points; allowed: at most 6"),
        ([{"l2": 0.1}, {"l2": 0.1}], "grid: names a point twice"),
        ([{"l2": 0.1}, {"dimension": 8}], "grid: all points must name the same settings"),
        ([{"l2": "much"}], "grid: l2: must be a number, got 'much'"),
        ([{"l3": 0.1}], "grid: l3: unknown key; allowed: "),
    ],
)
def test_wrong_grids_are_refused(tmp_path, points, message):
    config = load_config([write(tmp_path, models=[str(own_model(tmp_path, grid=points))])])
    with pytest.raises(InputError, match=message) as caught:
        grid.read_grid(config, "mine", "tiny")
    assert "\n" not in str(caught.value)


def test_a_grid_needs_a_validation_metric(tmp_path):
    path = own_model(tmp_path, training={"select_by": "last"})
    config = load_config([write(tmp_path, models=[str(path)])])
    with pytest.raises(InputError, match="needs a validation metric"):
        grid.read_grid(config, "mine", "tiny")


def test_a_data_set_may_have_its_own_grid(tmp_path):
    path = own_model(tmp_path, datasets={"tiny": {"grid": POINTS[:1]}})
    config = load_config([write(tmp_path, models=[str(path)])])
    assert grid.read_grid(config, "mine", "tiny").points == POINTS[:1]
    assert grid.read_grid(config, "mine", "beauty").points == POINTS


def run_points(config, model, folder):
    files = []
    for number in range(1, len(POINTS) + 1):
        files.append(folder / f"{number}.json")
        arguments = ["try", "--dataset", "tiny", "--model", str(model), "--device", "cpu"]
        arguments += ["--config", str(config), "--point", str(number), "--output", str(files[-1])]
        assert main(arguments) == 0
    return files


def test_points_are_tried_and_tabled_without_the_test_split(tiny, tmp_path, monkeypatch):
    original = ranking.Evaluator.__init__

    def blind(self, data, split, *rest):
        assert split == "valid"
        original(self, data, split, *rest)

    monkeypatch.setattr(ranking.Evaluator, "__init__", blind)
    model = own_model(tmp_path)
    with pytest.raises(AssertionError):  # the guard works: a run does rank the test split
        main(["train", "--dataset", "tiny", "--model", str(model), "--config", str(tiny)])
    files = run_points(tiny, model, tmp_path / "points")
    found = frame(files, lambda model, dataset, point: point == {"l2": 0.01})
    assert found["point"].tolist() == ["l2=0.1", "l2=0.0", "l2=0.01"]
    assert found["in_use"].tolist() == [False, False, True]
    scores = [json.loads(f.read_text())["valid"]["NDCG@20"] for f in files]
    assert found["score"].tolist() == scores
    assert found["best"].tolist().index(True) == scores.index(max(scores))
    assert found["best"].sum() == 1
    assert (found["epochs"] == 2).all()


def test_the_first_of_equal_points_is_best(tmp_path):
    record = json.loads(json.dumps(RECORD))
    for name, score in (("a", 0.1), ("b", 0.2), ("c", 0.2)):
        record["point"] = {"l2": score}
        record["valid"] = dict.fromkeys(record["valid"], score)
        (tmp_path / f"{name}.json").write_text(json.dumps(record))
    found = frame(sorted(tmp_path.glob("*.json")), lambda *_: False)
    assert found["best"].tolist() == [False, True, False]


RECORD = {
    "dataset": "tiny",
    "model": "mine",
    "point": {},
    "select_by": "NDCG@20",
    "valid": {"HR@5": 0, "HR@20": 0, "NDCG@5": 0, "NDCG@20": 0},
    "best_epoch": 1,
    "epochs": 2,
    "seconds": 1.0,
    "seed": 1,
    "device": "cpu",
    "commit": None,
    "dirty": True,
}


def test_a_point_that_is_not_there(tiny, tmp_path, capsys):
    arguments = ["try", "--dataset", "tiny", "--model", str(own_model(tmp_path)), "--point", "4"]
    assert main([*arguments, "--config", str(tiny), "--output", str(tmp_path / "x.json")]) == 2
    assert "--point 4: mine has 3 points in its grid" in capsys.readouterr().err


@pytest.mark.parametrize("path", RECORDED, ids=lambda p: p.stem)
def test_what_validation_decided_is_in_use(path):
    config = load_config()
    table = pd.read_csv(path)
    assert table.groupby(["dataset", "model"]).best.sum().eq(1).all()
    for _, group in table.groupby(["dataset", "model"]):
        assert group.score.idxmax() == group.index[group.best][0]
    for row in table[table.best].itertuples():
        read = grid.read_grid(config, row.model, row.dataset)
        points = [" ".join(f"{k}={v}" for k, v in p.items()) for p in read.points]
        tried = table[(table.dataset == row.dataset) & (table.model == row.model)].point
        assert points == list(tried), f"{row.model}: the grid is not the recorded one"
        assert read.in_use(read.points[points.index(row.point)]), f"{row.model}: not in use"
