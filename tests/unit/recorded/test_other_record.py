"""Taking over the record of another checkout, on copies of the published one."""

import hashlib
import json
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml

import elcrec.recorded.add
from elcrec import ROOT
from elcrec.cli.main import main
from elcrec.files.weights import WEIGHTS
from elcrec.recorded.folder import run_folders
from elcrec.runs.lists import TOP
from elcrec.tables.use import MEASURED
from tests.recording import add, contents_of, edit, edit_settings, machine_of

PUBLISHED = ROOT / "results" / "recorded" / "cpu-2-cores"
MISSING = ["runs/beauty/elcrec/3", "runs/beauty/bprmf/2", "runs/beauty/bprmf/3"]
"""Runs that this checkout's record lacks."""
ELCREC, BPRMF = MISSING[:2]


@pytest.fixture
def ours(tmp_path, monkeypatch):
    """The record of this checkout: the published one without some runs."""
    folder = tmp_path / "results" / "recorded" / PUBLISHED.name
    shutil.copytree(PUBLISHED, folder)
    for place in MISSING:
        shutil.rmtree(folder / place)
    (folder / "released" / "beauty" / "elcrec.json").unlink()
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def theirs(tmp_path):
    """The record of another checkout: the published one as it is."""
    folder = tmp_path / "theirs" / PUBLISHED.name
    shutil.copytree(PUBLISHED, folder)
    return folder


def merge(record, machine=PUBLISHED.name) -> int:
    return main(["recorded", "add", machine, str(record)])


def test_what_is_missing_comes_and_what_is_there_stays(ours, theirs, capsys):
    assert merge(theirs) == 0
    told = capsys.readouterr().out
    runs, measured = len(run_folders(PUBLISHED)), len(list(PUBLISHED.glob("efficiency/*/*.json")))
    # and one of the checks
    assert f"{runs + measured - len(MISSING) + 1} were recorded already" in told
    assert "beauty-elcrec-3: HR@5 0.0522" in told
    assert f"{runs} runs recorded" in told
    assert contents_of(ours) == contents_of(PUBLISHED)
    assert merge(theirs) == 0
    assert f"{runs + measured + 2} were recorded already" in capsys.readouterr().out
    assert contents_of(ours) == contents_of(PUBLISHED)


def test_hashes_of_settings_from_when_they_named_the_module_are_computed_anew(ours, theirs):
    for folder in run_folders(theirs):
        config = yaml.safe_load((folder / "config.yaml").read_text())
        hashed = {k: config[k] for k in ("model", "module", "parameters", "training")}
        text = json.dumps(hashed | {"name": None}, sort_keys=True)
        old = hashlib.sha256(text.encode()).hexdigest()[:16]
        assert old != json.loads((folder / "metrics.json").read_text())["settings"]
        edit(folder / "metrics.json", settings=old)
    assert merge(theirs) == 0
    assert contents_of(ours) == contents_of(PUBLISHED)


def test_the_hash_that_commit_9cd26ac_recorded_is_read(ours, theirs):
    edit(theirs / ELCREC / "metrics.json", settings="9f8916ba0f979560")
    assert merge(theirs) == 0
    assert contents_of(ours) == contents_of(PUBLISHED)


def test_a_record_without_a_metric_gets_it_from_its_ranks(ours, theirs):
    for folder in run_folders(theirs):
        path = folder / "metrics.json"
        metrics = json.loads(path.read_text())["metrics"]
        del metrics["test"]["HR@10"], metrics["valid"]["NDCG@5"]
        edit(path, metrics=metrics)
    assert merge(theirs) == 0
    assert contents_of(ours) == contents_of(PUBLISHED)


def test_wide_ranks_and_long_histories_are_recorded_as_short_ones(ours, theirs):
    path = theirs / ELCREC / "ranks.npz"
    ranks = {split: array.astype(np.int64) for split, array in np.load(path).items()}
    np.savez(path, **ranks)
    path = theirs / ELCREC / "history.csv"
    path.write_text(path.read_text().replace("\n1,", "\n1.00000000001,", 1))
    (theirs / ELCREC / "weights.pt").write_bytes(b"not recorded")
    path = theirs / "runs/beauty/iclrec/1/ranks.npz"  # and found equal where there is one
    np.savez(path, **{split: array.astype(np.int64) for split, array in np.load(path).items()})
    assert merge(theirs) == 2  # an epoch is no fraction
    path = theirs / ELCREC / "history.csv"
    path.write_text(path.read_text().replace("\n1.00000000001,", "\n1.0,", 1))
    assert merge(theirs) == 0
    assert contents_of(ours) == contents_of(PUBLISHED)


def test_another_machine_may_be_named(ours, theirs):
    assert merge(theirs, "cpu-other") == 0
    kept = {
        name: content
        for name, content in contents_of(PUBLISHED).items()
        if name.rpartition("/")[2] not in (WEIGHTS, TOP, MEASURED)
    }
    assert (
        contents_of(ours.parent / "cpu-other") == kept
    )  # weights and lists come with --weights alone


def test_runs_of_the_sensitivity_and_measurements_come_too(runs, measured, capsys):
    assert add(runs) == 0
    folder = machine_of(runs)
    assert add(runs, "other", str(folder)) == 0
    other = folder.with_name("other")
    assert contents_of(other) == contents_of(folder)
    assert (other / "efficiency" / "tiny" / "elcrec.json").exists()
    assert "tiny-elcrec-alpha-0.1-1: " in capsys.readouterr().out
    edit(other / "efficiency" / "tiny" / "elcrec.json", settings="0" * 16)
    assert add(runs, folder.name, str(other)) == 2
    assert "settings is '0000000000000000'; allowed here: '" in capsys.readouterr().err


def short(folder) -> None:
    history = folder / ELCREC / "history.csv"
    history.write_text("\n".join(history.read_text().splitlines()[:21]) + "\n")
    edit(folder / ELCREC / "metrics.json", epochs=20, best_epoch=9)


def wrong_metric(folder) -> None:
    metrics = json.loads((folder / ELCREC / "metrics.json").read_text())["metrics"]
    metrics["test"]["HR@5"] = 0.1
    edit(folder / ELCREC / "metrics.json", metrics=metrics)


def change(place: str, **changes: object):
    return lambda folder: edit(folder / place / "metrics.json", **changes)


def settings(place: str, **changes: object):
    return lambda folder: edit_settings(folder / place / "config.yaml", **changes)


def other_size(folder) -> None:
    edit(folder / "runs/beauty/iclrec/1/metrics.json", parameters=1)


def other_loss(folder) -> None:
    path = folder / "runs/beauty/sasrec/1/history.csv"
    table = pd.read_csv(path)
    table.loc[3, "loss_total"] += 1
    table.to_csv(path, index=False)


def another_seed(folder) -> None:
    change(BPRMF, seed=9)(folder)
    settings(BPRMF, seed=9)(folder)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        # a run that is missing here
        (wrong_metric, "but ranks.npz gives"),
        (lambda f: (f / ELCREC / "ranks.npz").write_bytes(b"x"), "is not a complete .npz"),
        (lambda f: (f / ELCREC / "ranks.npz").unlink(), "ranks.npz: is missing or empty"),
        (lambda f: (f / BPRMF / "history.csv").unlink(), "history.csv: is missing or empty"),
        (lambda f: (f / ELCREC / "intents.npz").write_bytes(b"x"), "is not a complete .npz"),
        (change(ELCREC, users=22362), "for each of the 22362 users"),
        (change(ELCREC, commit="unknown"), "was made from commit 'unknown'"),
        (change(ELCREC, data="0" * 16), "was trained on other histories"),
        (change(ELCREC, protocol="strict"), "protocol is 'strict'; allowed: paper"),
        (
            change(ELCREC, kernels="fast"),
            "kernels: must be plain, or native and a hash, got 'fast'",
        ),
        (change(ELCREC, users="many"), "users: must be an integer, 1 or more, got 'many'"),
        (settings(ELCREC, parameters={"alpha": 7}), "with the settings of"),
        (settings(ELCREC, precision="tf32"), "the settings of"),
        (settings(ELCREC, training=5), "the settings of"),
        (another_seed, "is not a run of workflow"),
        (short, "stopped after epoch 20"),
        # a run that is here
        (other_size, "with another metrics.json"),
        (change("runs/beauty/sasrec/1", fingerprint="0" * 16), "with another metrics.json"),
        (
            other_loss,
            "sasrec/1: is recorded in {ours}/runs/beauty/sasrec/1 with another history.csv",
        ),
        (lambda f: edit(f / "released/beauty/iclrec.json", device="x"), "another iclrec.json"),
        # the record
        (lambda f: edit(f / "released/beauty/elcrec.json", dirty=True), "uncommitted changes"),
        (
            lambda f: edit(f / "released/beauty/elcrec.json", model="x"),
            "model is 'x'; allowed here: 'elcrec'",
        ),
        (
            lambda f: [shutil.rmtree(f / name) for name in ("runs", "released", "efficiency")],
            "has no run, measurement or check",
        ),
        (lambda f: (f / ELCREC / "metrics.json").write_text("[1]"), "must be a JSON object"),
        (lambda f: (f / ELCREC / "config.yaml").write_bytes(b"\xff\x00"), "config.yaml"),
    ],
)
def test_what_is_not_whole_or_not_the_same_is_one_line_and_nothing_is_written(
    ours, theirs, capsys, harm, words
):
    before = contents_of(ours)
    harm(theirs)
    assert merge(theirs) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words.format(ours=ours.relative_to(ours.parents[2])) in line
    assert str(theirs) in line or "other histories" in line
    assert contents_of(ours) == before


def test_a_record_that_would_be_too_large_is_refused_before_it_is_written(
    ours, theirs, monkeypatch, capsys
):
    before = contents_of(ours)
    monkeypatch.setattr(elcrec.recorded.add, "MOST_BYTES", 1000)
    assert merge(theirs) == 2
    assert "allowed in git: 1,000" in capsys.readouterr().err
    assert contents_of(ours) == before
