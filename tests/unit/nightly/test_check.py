"""The replication check: real runs on a known-answer data set, whole and with deliberate breaks."""

import dataclasses
import json
from pathlib import Path

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
from elcrec.nightly.record import portable
from elcrec.nightly.reference import Cell, measured, with_tolerances
from elcrec.nightly.tolerance import Spread, Tolerance, pooled, tolerance
from tests.workflow.make_tiny import write

MODELS = ["popularity", "sasrec"]
SEEDS = [1, 2, 3]
CLEAN = ("c" * 40, False)


def make_config(folder: Path, reference: Path, **changes: object) -> Path:
    check = {"use": ["tiny"], "models": MODELS, "seeds": SEEDS, "reference": str(reference)}
    training = {"max_epochs": 3, "batch_size": 16, "patience": 0}
    settings = {"parameters": {}, "training": training, "replication": check}
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


def run(command: str, config: Path, *arguments: str) -> int:
    return main(["replication", command, "--config", str(config), *arguments])


def use_only(config: Path, **changes: object) -> None:
    content = yaml.safe_load(config.read_text())
    content["replication"] |= changes
    config.write_text(yaml.safe_dump(content))


def verdict_of(config: Path) -> dict[str, object]:
    return json.loads((config.parent / "results" / "replication_check.json").read_text())


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> Path:
    """Configuration whose runs are finished and recorded as the reference."""
    folder = tmp_path_factory.mktemp("recorded")
    config = make_config(folder, folder / "reference.json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elcrec.jobs.run, "commit", lambda: CLEAN)
        train_all(config)
    assert run("record", config) == 0
    return config


@pytest.fixture
def again(recorded, tmp_path) -> Path:
    """The same configuration with no runs yet: they will be compared with the reference."""
    return make_config(tmp_path, recorded.parent / "reference.json")


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
    assert run("check", again) == 0
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
    assert run("check", again) == 1
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
    assert run("check", again) == 1
    status = {c["metric"]: c["status"] for c in verdict_of(again)["cells"]}
    assert status["HR@5"] == status["HR@20"] == "ok"
    assert status["NDCG@5"] == status["NDCG@20"] == "regression"


def test_a_cell_without_a_reference_is_said_and_not_passed(recorded, tmp_path, capsys):
    reference = tmp_path / "one.json"
    content = json.loads((recorded.parent / "reference.json").read_text())
    content["cells"] = [c for c in content["cells"] if c["model"] == "sasrec"]
    reference.write_text(json.dumps(content))
    output = str(tmp_path / "verdict.json")
    assert run("check", recorded, "--reference", str(reference), "--output", output) == 3
    found = json.loads(Path(output).read_text())
    assert found["verdict"] == "incomplete"
    assert {c["ok"] for c in found["cells"] if c["model"] == "popularity"} == {None}
    assert {c["ok"] for c in found["cells"] if c["model"] == "sasrec"} == {True}
    assert "Popularity, Tiny, HR@5: no reference yet" in capsys.readouterr().out


def test_a_reference_file_that_is_not_there_passes_nothing(recorded, tmp_path):
    arguments = ["--reference", str(tmp_path / "none.json"), "--output", str(tmp_path / "v.json")]
    assert run("check", recorded, *arguments) == 3


def test_other_settings_are_not_compared(again, capsys):
    content = yaml.safe_load(again.read_text())
    content["training"]["max_epochs"] = 1
    again.write_text(yaml.safe_dump(content))
    use_only(again, models=["sasrec"])
    train_all(again, ["sasrec"])
    assert run("check", again) == 3
    said = "the reference was recorded with training.max_epochs 3, now 1"
    assert f"NOT COMPARABLE: SASRec, Tiny, HR@5: {said}" in capsys.readouterr().out


def test_other_seeds_are_not_compared(recorded, tmp_path):
    content = yaml.safe_load(recorded.read_text())
    content["replication"]["seeds"] = [1, 2]
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump(content))
    output = tmp_path / "verdict.json"
    assert run("check", other, "--output", str(output)) == 3
    cells = json.loads(output.read_text())["cells"]
    assert all("seeds [1, 2, 3], now [1, 2]" in cell["reason"] for cell in cells)


def test_the_reference_says_what_made_it_and_where_each_tolerance_comes_from(recorded):
    content = json.loads((recorded.parent / "reference.json").read_text())
    cells = {cell["model"]: cell for cell in content["cells"]}
    cell = cells["sasrec"]
    assert cell["commit"] == CLEAN[0]
    assert cell["device"][0].startswith("cpu")
    assert "torch" in cell["versions"]
    assert cell["commands"]
    assert cell["training"]["max_epochs"] == 3
    values = cell["metrics"]["HR@5"]["values"]
    assert cell["metrics"]["HR@5"]["mean"] == pytest.approx(np.mean(values))
    assert {m["tolerance_from"] for m in cells["popularity"]["metrics"].values()} == {"one user"}
    assert "one user: 1 / users" in content["about"]


def test_recording_one_model_keeps_the_other_cells(recorded, tmp_path):
    content = yaml.safe_load(recorded.read_text())
    whole = (recorded.parent / "reference.json").read_text()
    reference = tmp_path / "reference.json"
    reference.write_text(whole)
    content["replication"] |= {"models": ["popularity", "iclrec"], "reference": str(reference)}
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(content))
    assert run("record", config) == 0
    models = [cell["model"] for cell in json.loads(reference.read_text())["cells"]]
    assert models == ["popularity", "sasrec"]  # iclrec has no runs


def test_runs_of_uncommitted_changes_are_no_reference(again, monkeypatch, capsys):
    monkeypatch.setattr(elcrec.jobs.run, "commit", lambda: (CLEAN[0], True))
    use_only(again, reference=str(again.parent / "new.json"))
    train_all(again, ["popularity"])
    assert run("record", again) == 2
    assert "uncommitted changes" in capsys.readouterr().err
    assert not (again.parent / "new.json").exists()


def test_the_check_says_which_run_is_missing(again, capsys):
    assert run("check", again) == 2
    message = capsys.readouterr().err
    assert "tiny/popularity/1: no run yet" in message
    assert message.count("\n") == 1


def test_a_damaged_reference_is_one_line(recorded, tmp_path, capsys):
    reference = tmp_path / "reference.json"
    content = json.loads((recorded.parent / "reference.json").read_text())
    content["cells"][1]["metrics"]["HR@5"]["values"].pop()
    reference.write_text(json.dumps(content))
    assert run("check", recorded, "--reference", str(reference)) == 2
    assert "cells.1.metrics.HR@5.values has 2 numbers for 3 seeds" in capsys.readouterr().err


def test_an_unknown_key_of_the_section_is_refused(again, capsys):
    use_only(again, reverence="x")
    assert run("check", again) == 2
    assert "replication.reverence: unknown key (did you mean 'ref" in capsys.readouterr().err


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


def cell(model: str, *values: float) -> Cell:
    """A cell with these values of every metric, one per seed."""
    metrics = {name: measured(values, [0.01] * len(values)) for name in TABLE_METRICS}
    seeds = list(range(1, len(values) + 1))
    text = dict.fromkeys(("protocol", "data", "kernels", "commit", "python", "recorded_by"), "x")
    return Cell(
        "tiny", model, seeds, users=1000, parameters={}, training={}, device=["x"], versions={},
        commands=["x"], metrics=metrics, precision="float32", **text,
    )  # fmt: skip


def test_a_cell_takes_the_spread_of_all_models_with_the_same_seeds():
    cells = [cell("a", 0.1, 0.2, 0.3), cell("b", 0.4, 0.4, 0.4), cell("c", 0.4, 0.5)]
    found = {c.model: c.metrics["HR@5"] for c in with_tolerances(cells)}
    quantile = scipy.stats.t.ppf(0.9995, 2)  # b ignores the seed, so it does not dilute the spread
    assert found["a"].tolerance == pytest.approx(quantile * 0.1 * np.sqrt(2 / 3))
    assert [found[m].tolerance_from for m in "abc"] == ["seeds", "one user", "users"]
    assert found["c"].tolerance == pytest.approx(0.0196)


def test_recorded_commands_have_no_paths_of_the_machine():
    command = [
        "/x/elcrec/__main__.py",
        "train",
        "--config",
        "/x/a.yaml",
        "/x/b.yaml",
        "--seed",
        "1",
    ]
    assert portable([*command, "--output", "/x"], ("--config", "--output")) == (
        "elcrec train --seed 1"
    )
