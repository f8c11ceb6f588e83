"""`elcrec batch`: plans, resuming, failures, time limits."""

import json

import numpy as np
import pytest
import yaml

from elcrec.cli.main import main
from elcrec.config.config import load_config
from elcrec.errors import InputError
from elcrec.files.lock import held
from elcrec.jobs import batch
from elcrec.jobs.run import execute
from elcrec.training import deadline
from elcrec.training.turns import Stepwise


def plan_file(folder, entries):
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(entries))
    return path


def carry_out(config, plan, *extra):
    command = ["batch", str(plan), "--config", str(config), "--device", "cpu"]
    return main([*command, "--threads", "1", *extra])


def metrics(tmp_path, model, seed=1):
    path = tmp_path / "results" / "runs" / "tiny" / model / str(seed) / "metrics.json"
    return json.loads(path.read_text())


def test_a_plan_is_a_product_in_order_with_what_runs_start_from_first(tiny, tmp_path):
    config = load_config([tiny])
    entries = [
        {"datasets": ["tiny"], "models": ["s3rec", "sasrec"], "seeds": [2, 1]},
        {"models": ["sasrec"], "seeds": [1, 3]},
    ]
    runs = [(r.model, r.seed) for r in batch.read_plan(plan_file(tmp_path, entries), config)]
    assert runs == [
        ("s3rec_pretrain", 2),
        ("s3rec", 2),
        ("s3rec_pretrain", 1),
        ("s3rec", 1),
        ("sasrec", 2),
        ("sasrec", 1),
        ("sasrec", 3),
    ]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "must be a list"),
        ({"models": ["sasrec"]}, "must be a list"),
        (["sasrec"], r"\[0\]: must be a mapping of keys to values, got 'sasrec'"),
        ([{"model": "sasrec"}], r"\[0\]\.model: unknown key \(did you mean 'models'"),
        ([{"models": "sasrec"}], r"\[0\]\.models: must be a list of .*, got 'sasrec'"),
        ([{"seeds": [True]}], r"\[0\]\.seeds\[0\]: must be an integer from 0 to .*, got true"),
        ([{"seeds": [-1]}], r"\[0\]\.seeds\[0\]: must be an integer from 0 to .*, got -1"),
        ([{"models": ["nobody"]}], r"\[0\]\.models\[0\]: unknown model 'nobody'"),
        ([{"datasets": ["nowhere"]}], r"\[0\]\.datasets\[0\]: unknown data set 'nowhere'"),
    ],
)
def test_a_plan_that_is_not_right_is_refused_in_one_line(tiny, tmp_path, entries, message):
    with pytest.raises(InputError, match=message):
        batch.read_plan(plan_file(tmp_path, entries), load_config([tiny]))


def test_runs_side_by_side_equal_those_of_elcrec_train_and_are_not_repeated(tiny, tmp_path, capsys):
    plan = plan_file(tmp_path, [{"models": ["elcrec", "sasrec"], "seeds": [1, 2]}])
    assert carry_out(tiny, plan, "--at-once", "3") == 0
    assert "4 runs done, 0 already finished, 0 failed, 0 not finished" in capsys.readouterr().out
    assert metrics(tmp_path, "sasrec", 2)["at_once"] == 3
    alone = ["train", "--dataset", "tiny", "--model", "elcrec", "--config", str(tiny)]
    assert main([*alone, "--threads", "1", "--output", str(tmp_path / "alone")]) == 0
    with np.load(tmp_path / "alone" / "ranks.npz") as expected:
        found = np.load(tmp_path / "results" / "runs" / "tiny" / "elcrec" / "1" / "ranks.npz")
        np.testing.assert_array_equal(found["test"], expected["test"])
    capsys.readouterr()
    assert carry_out(tiny, plan) == 0
    assert "0 runs done, 4 already finished" in capsys.readouterr().out


def test_pre_training_comes_before_what_starts_from_it(tiny, tmp_path):
    plan = plan_file(tmp_path, [{"models": ["s3rec"], "seeds": [1]}])
    assert carry_out(tiny, plan, "--at-once", "2") == 0
    assert metrics(tmp_path, "s3rec")["start"]["sha256"]


def test_a_failure_is_named_kept_as_a_gap_and_does_not_stop_the_others(
    tiny, tmp_path, capsys, monkeypatch
):
    @Stepwise
    def failing(run, *arguments, **options):
        if run.settings.model == "s3rec_pretrain":
            raise InputError("training diverged")
        return (yield from execute.in_turns(run, *arguments, **options))

    monkeypatch.setattr("elcrec.jobs.folder.execute", failing)
    plan = plan_file(tmp_path, [{"models": ["s3rec", "sasrec"], "seeds": [1]}])
    assert carry_out(tiny, plan, "--at-once", "2") == 1
    captured = capsys.readouterr()
    assert "1 runs done, 0 already finished, 2 failed, 0 not finished" in captured.out
    assert "tiny s3rec_pretrain seed 1: InputError: training diverged" in captured.err
    runs = tmp_path / "results" / "runs" / "tiny"
    assert (
        runs / "s3rec_pretrain" / "1" / "failed.txt"
    ).read_text() == "elcrec: training diverged\n"
    assert "which failed" in (runs / "s3rec" / "1" / "failed.txt").read_text()
    monkeypatch.undo()
    assert carry_out(tiny, plan) == 0
    assert not list(runs.glob("*/*/failed.txt"))


@pytest.mark.parametrize("command", ["train", "batch"])
def test_a_time_limit_stops_at_a_checkpoint_and_the_same_command_goes_on(
    tiny, tmp_path, capsys, monkeypatch, command
):
    """Bit for bit: the epochs before and after the stop are those of a run without one."""

    answers = []

    class AfterOneEpoch(deadline.Deadline):
        def comes_within(self, seconds):
            return seconds > 0 and answers.pop(0)  # 0: whether anything may begin

    longer = tiny.parent / "longer.yaml"
    longer.write_text("training: {max_epochs: 4}\n")
    plan = plan_file(tmp_path, [{"models": ["elcrec"], "seeds": [1]}])
    options = ["--config", str(tiny), str(longer), "--device", "cpu", "--threads", "1"]
    what = {
        "train": ["train", "--dataset", "tiny", "--model", "elcrec"],
        "batch": ["batch", str(plan)],
    }[command]
    assert main([*what, *options]) == 0
    whole = metrics(tmp_path, "elcrec")
    for path in (tmp_path / "results" / "runs").glob("*/*/*/*"):
        path.unlink()

    with monkeypatch.context() as patch:
        patch.setattr(deadline, "Deadline", AfterOneEpoch)
        for process in ([True], [False, True], [False, True], [True]):
            answers[:] = process
            assert main([*what, *options, "--time-limit", "5"]) == 75
            assert "stopped at a checkpoint after epoch" in capsys.readouterr().err
        folder = tmp_path / "results" / "runs" / "tiny" / "elcrec" / "1"
        assert not (folder / "metrics.json").exists()
        assert not (folder / "failed.txt").exists()
    assert main([*what, *options, "--time-limit", "5"]) == 0
    resumed = metrics(tmp_path, "elcrec")
    assert resumed["resumed_after"] == [1, 2, 3]
    assert resumed["metrics"] == whole["metrics"]


def test_options_that_make_no_sense_are_refused(tiny, tmp_path, capsys):
    plan = plan_file(tmp_path, [{"models": ["sasrec"]}])
    for extra, message in (
        (["--at-once", "0"], "--at-once 0: must be 1 or more"),
        (["--time-limit", "0"], "--time-limit 0: must be above 0 (minutes)"),
    ):
        assert carry_out(tiny, plan, *extra) == 2
        assert message in capsys.readouterr().err
    assert carry_out(tiny, tmp_path / "absent.yaml") == 2
    assert "absent.yaml: no such file" in capsys.readouterr().err


def test_a_run_that_another_process_trains_is_left_to_it(tiny, tmp_path, capsys):
    plan = plan_file(tmp_path, [{"models": ["popularity", "sasrec"], "seeds": [1]}])
    folder = tmp_path / "results" / "runs" / "tiny" / "sasrec" / "1"
    with held(folder):
        assert carry_out(tiny, plan) == deadline.EXIT_STATUS
    assert f"left out: {folder}: another process trains it" in capsys.readouterr().err
    assert not (folder / "failed.txt").exists()
    assert metrics(tmp_path, "popularity")
    assert carry_out(tiny, plan) == 0


def test_a_run_of_other_settings_is_replaced_by_force_only(tiny, tmp_path, capsys):
    plan = plan_file(tmp_path, [{"models": ["popularity", "sasrec"], "seeds": [1]}])
    assert carry_out(tiny, plan) == 0
    before = metrics(tmp_path, "sasrec")
    longer = tmp_path / "longer.yaml"
    longer.write_text("training: {max_epochs: 3}\n")
    capsys.readouterr()
    assert carry_out(tiny, plan, "--config", str(longer)) == 1
    captured = capsys.readouterr()
    assert "0 runs done, 1 already finished, 1 failed, 0 not finished" in captured.out
    assert "sasrec/1: holds a finished run with other settings, data or code" in captured.err
    assert metrics(tmp_path, "sasrec") == before
    assert not list(tmp_path.rglob("failed.txt"))
    assert carry_out(tiny, plan, "--config", str(longer), "--force") == 0
    assert "1 runs done, 1 already finished, 0 failed" in capsys.readouterr().out
    assert metrics(tmp_path, "sasrec")["epochs"] == 3
