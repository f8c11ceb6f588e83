"""The nightly check: real runs on a known-answer data set, whole and with deliberate breaks."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
import torch
import yaml

import baselines.popularity
import baselines.sasrec
import elcrec.evaluation.metrics
import elcrec.evaluation.tiles
import elcrec.jobs.run
from elcrec.cli.main import main
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.nightly.tolerance import Spread, Tolerance, pooled, tolerance, tolerances
from elcrec.runs.record import RunRecord, load_run
from tests.recording import edit
from tests.unit.tables.conftest import Output
from tests.workflow.make_tiny import write

MODELS = ["popularity", "sasrec"]
SEEDS = [1, 2, 3]
CLEAN = ("c" * 40, False)


def make_config(folder: Path, record: Path, **changes: object) -> Path:
    check = {"use": ["tiny"], "models": MODELS, "seeds": SEEDS}
    training = {"max_epochs": 3, "batch_size": 16, "patience": 0}
    settings = {"parameters": {}, "training": training, "nightly": check, "recorded": str(record)}
    return write(folder, models=MODELS, seeds=SEEDS, **(settings | changes))


def train_all(config: Path, models: list[str] = MODELS) -> None:
    folder = str(config.parent / "data" / "tiny")
    for step in ("fetch", "prepare"):
        arguments = ["--dataset", "tiny", "--config", str(config), "--output", folder]
        assert main(["data", step, *arguments]) == 0
    for model in models:
        for seed in SEEDS:
            arguments = ["--dataset", "tiny", "--model", model, "--seed", str(seed)]
            assert main(["train", *arguments, "--config", str(config), "--quiet"]) == 0


def check(config: Path, *arguments: str) -> int:
    return main(["nightly", "check", "--config", str(config), *arguments])


def use_only(config: Path, **changes: object) -> None:
    content = yaml.safe_load(config.read_text())
    content["nightly"] |= changes
    config.write_text(yaml.safe_dump(content))


def compared_with(record: Path, config: Path, folder: Path) -> tuple[int, dict[str, Any]]:
    """Exit status and verdict of the check of finished runs against another record."""
    other = folder / "other.yaml"
    other.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | {"recorded": str(record)}))
    output = folder / "verdict.json"
    return check(other, "--output", str(output)), json.loads(output.read_text())


def verdict_of(config: Path) -> dict[str, object]:
    return json.loads((config.parent / "results" / "replication_check.json").read_text())


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> Path:
    """Configuration whose runs are finished and recorded."""
    folder = tmp_path_factory.mktemp("recorded")
    config = make_config(folder, folder / "record")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elcrec.jobs.run, "commit", lambda: CLEAN)
        train_all(config)
    assert main(["recorded", "add", "cpu-test", "--config", str(config)]) == 0
    return config


@pytest.fixture
def again(recorded, tmp_path) -> Path:
    """The same configuration with no runs yet: they will be compared with the record."""
    return make_config(tmp_path, recorded.parent / "record")


@pytest.fixture
def record(recorded, tmp_path) -> Path:
    """A copy of the record, which a test may change."""
    return Path(shutil.copytree(recorded.parent / "record", tmp_path / "record"))


def recommend_padding(patch: pytest.MonkeyPatch) -> None:
    for module in (baselines.popularity, baselines.sasrec):
        whole = module.Model.score_items

        def broken(self, represented, first, last, whole=whole):
            scores = whole(self, represented, first, last).clone()
            if first == 0:
                scores[:, 0] = 1e9
            return scores

        patch.setattr(module.Model, "score_items", broken)


def discount_ndcg_from_rank_one(patch: pytest.MonkeyPatch) -> None:
    hits = elcrec.evaluation.metrics._hits
    broken = {"NDCG": lambda ranks, k: hits(ranks, k) / np.log2(ranks + 3.0)}
    patch.setattr(
        elcrec.evaluation.metrics, "FAMILIES", elcrec.evaluation.metrics.FAMILIES | broken
    )


def recommend_seen_items(patch: pytest.MonkeyPatch) -> None:
    whole = elcrec.evaluation.tiles.Plan.parts

    def without_seen(plan):
        parts = whole(plan)
        nothing = torch.empty(0, dtype=torch.int64)
        return [
            dataclasses.replace(
                part,
                blocks=[
                    dataclasses.replace(b, tiles=[(tile, nothing) for tile, _ in b.tiles])
                    for b in part.blocks
                ],
            )
            for part in parts
        ]

    patch.setattr(elcrec.evaluation.tiles.Plan, "parts", without_seen)


def test_the_same_code_passes_in_every_cell(again, capsys):
    train_all(again)
    assert check(again) == 0
    found = verdict_of(again)
    assert found["verdict"] == "ok"
    assert len(found["cells"]) == len(MODELS) * 4
    assert all(cell["ok"] and cell["difference"] == 0 for cell in found["cells"])  # on one machine
    assert "Replication check: ok" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("broken", "models", "cells"),
    [
        (recommend_padding, MODELS, {("popularity", "NDCG@5"), ("sasrec", "NDCG@5")}),
        (discount_ndcg_from_rank_one, ["popularity"], {("popularity", "NDCG@5")}),
        (recommend_seen_items, ["popularity"], {("popularity", "HR@20")}),
    ],
)
def test_a_deliberate_break_fails_and_is_named(again, monkeypatch, capsys, broken, models, cells):
    broken(monkeypatch)
    use_only(again, models=models)
    train_all(again, models)
    capsys.readouterr()
    assert check(again) == 1
    found = verdict_of(again)
    assert found["verdict"] == "regression"
    named = {(c["model"], c["metric"]) for c in found["cells"] if c["status"] == "regression"}
    assert cells <= named
    printed = capsys.readouterr().out
    names = {"popularity": "Popularity", "sasrec": "SASRec"}
    for model, metric in named:
        assert f"REGRESSION: {names[model]}, Tiny, {metric}: " in printed


def test_a_wrong_ndcg_leaves_the_hit_rates_alone(again, monkeypatch):
    discount_ndcg_from_rank_one(monkeypatch)
    use_only(again, models=["popularity"])
    train_all(again, ["popularity"])
    assert check(again) == 1
    status = {c["metric"]: c["status"] for c in verdict_of(again)["cells"]}
    assert status["HR@5"] == status["HR@20"] == "ok"
    assert status["NDCG@5"] == status["NDCG@20"] == "regression"


def test_a_cell_without_a_reference_is_said_and_not_passed(recorded, record, tmp_path, capsys):
    shutil.rmtree(record / "cpu-test" / "runs" / "tiny" / "popularity")
    status, found = compared_with(record, recorded, tmp_path)
    assert status == 3
    assert found["verdict"] == "incomplete"
    assert {c["ok"] for c in found["cells"] if c["model"] == "popularity"} == {None}
    assert {c["ok"] for c in found["cells"] if c["model"] == "sasrec"} == {True}
    assert "Popularity, Tiny, HR@5: no reference yet" in capsys.readouterr().out


def test_a_record_that_is_not_there_is_refused(recorded, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    values = yaml.safe_load(recorded.read_text()) | {"recorded": "none"}
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(values))
    assert check(tmp_path / "other.yaml") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"none: has no recorded runs (relative to the working directory {tmp_path})" in line


def test_the_record_is_not_compared_with_itself(recorded, tmp_path, capsys):
    values = yaml.safe_load(recorded.read_text()) | {"runs": "recorded"}
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(values))
    assert check(tmp_path / "other.yaml") == 2
    assert "runs: must be trained, got recorded" in capsys.readouterr().err


def test_other_settings_are_not_compared(again, capsys):
    content = yaml.safe_load(again.read_text())
    content["training"]["max_epochs"] = 1
    again.write_text(yaml.safe_dump(content))
    use_only(again, models=["sasrec"])
    train_all(again, ["sasrec"])
    assert check(again) == 3
    said = "the reference was recorded with training.max_epochs 3, now 1"
    assert f"NOT COMPARABLE: SASRec, Tiny, HR@5: {said}" in capsys.readouterr().out


def test_other_seeds_are_not_compared(recorded, record, tmp_path):
    for model in MODELS:
        shutil.rmtree(record / "cpu-test" / "runs" / "tiny" / model / "3")
    status, found = compared_with(record, recorded, tmp_path)
    assert status == 3
    assert all("seeds [1, 2], now [1, 2, 3]" in cell["reason"] for cell in found["cells"])


def test_other_data_or_precision_are_not_compared_but_other_kernels_are(recorded, record, tmp_path):
    folder = record / "cpu-test" / "runs" / "tiny"
    edit(folder / "popularity" / "1" / "metrics.json", kernels="native abc")
    edit(folder / "sasrec" / "1" / "metrics.json", data="0" * 16)
    settings = folder / "sasrec" / "1" / "config.yaml"
    settings.write_text(settings.read_text() + "precision: tf32\n")
    status, found = compared_with(record, recorded, tmp_path)
    assert status == 3
    reasons = {cell["model"]: cell["reason"] for cell in found["cells"]}
    assert "data '0000000000000000', now " in reasons["sasrec"]
    assert "; precision 'tf32', now 'float32'" in reasons["sasrec"]
    assert reasons["popularity"] == ""


def test_the_verdict_says_what_made_the_reference_and_where_each_tolerance_comes_from(
    recorded, tmp_path
):
    status, found = compared_with(recorded.parent / "record", recorded, tmp_path)
    assert status == 0
    assert found["reference"] == "record"
    cells = {(cell["model"], cell["metric"]): cell for cell in found["cells"]}
    cell = cells["sasrec", "HR@5"]
    assert cell["reference_commit"] == [CLEAN[0]]
    assert cell["reference_device"][0].startswith("cpu")
    folders = [recorded.parent / "record/cpu-test/runs/tiny/sasrec" / str(s) for s in SEEDS]
    values = [load_run(folder).metrics["test"]["HR@5"] for folder in folders]
    assert cell["reference"] == pytest.approx(np.mean(values))
    assert {cells["popularity", m]["tolerance_from"] for m in TABLE_METRICS} == {"one user"}
    assert {cells["sasrec", m]["tolerance_from"] for m in TABLE_METRICS} <= {"seeds", "one user"}


def test_the_check_says_which_run_is_missing(again, capsys):
    assert check(again) == 2
    message = capsys.readouterr().err
    assert "tiny/popularity/1: no run yet" in message
    assert message.count("\n") == 1


def test_a_damaged_reference_is_one_line(recorded, record, tmp_path, capsys):
    path = record / "cpu-test" / "runs" / "tiny" / "sasrec" / "2" / "metrics.json"
    edit(path, users=7)
    use_recorded = tmp_path / "other.yaml"
    content = yaml.safe_load(recorded.read_text()) | {"recorded": str(record)}
    use_recorded.write_text(yaml.safe_dump(content))
    assert check(use_recorded) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{path.parent / 'ranks.npz'}: " in line
    assert "for each of the 7 users" in line


def test_an_unknown_key_of_the_section_is_refused(again, capsys):
    use_only(again, modelz="x")
    assert check(again) == 2
    assert "nightly.modelz: unknown key (did you mean 'models" in capsys.readouterr().err


def test_variance_is_pooled_over_groups_with_enough_values():
    spread = pooled([[1.0, 2.0, 3.0], [10.0, 10.0, 10.0, 10.0], [5.0, 50.0]])
    assert spread.freedom == 5  # two values are too few
    assert spread.deviation == pytest.approx(np.sqrt(2 / 5))


def test_tolerances_of_known_spread():
    by_seeds = tolerance(5, Spread(0.01, 12), user_error=1.0, users=1000)
    assert by_seeds.source == "seeds"
    assert by_seeds.value == pytest.approx(4.3178 * 0.01 * np.sqrt(0.4), rel=1e-4)
    assert tolerance(1, Spread(0.01, 12), 0.002, 1000) == Tolerance(1.96 * 0.002, "users")
    assert tolerance(3, Spread(0.0, 0), 0.002, 1000) == Tolerance(1.96 * 0.002, "users")
    assert tolerance(3, None, 0.002, 1000) == Tolerance(0.001, "one user")


@pytest.fixture
def made(tmp_path):
    """A function: runs of a model with these values of every metric, one per seed."""

    def make(model: str, *values: float) -> list[RunRecord]:
        found = []
        for seed, value in enumerate(values, 1):
            ranks = [0, 99] * 50  # every metric is 1 for half of the users, else 0
            run = load_run(Output(tmp_path).run("tiny", model, seed, test=ranks))
            metrics = {"test": dict.fromkeys(TABLE_METRICS, value)}
            found.append(run.replaced(metrics=metrics))
        return found

    return make


def test_a_cell_takes_the_spread_of_all_models(made):
    runs = {"a": made("a", 0.1, 0.2, 0.3), "b": made("b", 0.4, 0.4, 0.4)}
    found = {model: of_model["HR@5"] for model, of_model in tolerances(runs).items()}
    quantile = scipy.stats.t.ppf(0.9995, 2)  # b ignores the seed, so it does not dilute the spread
    assert found["a"].value == pytest.approx(quantile * 0.1 * np.sqrt(2 / 3))
    assert [found[model].source for model in "ab"] == ["seeds", "one user"]
    assert found["b"].value == 1 / 100


def test_with_two_seeds_a_cell_takes_the_standard_error_over_users(made):
    found = tolerances({"c": made("c", 0.4, 0.5)})["c"]["HR@5"]
    error = np.std([0, 1] * 50, ddof=1) / 10
    assert found == Tolerance(pytest.approx(1.96 * error), "users")
