"""Merging the record of another checkout, on copies of the published one."""

import csv
import hashlib
import json
import shutil

import pandas as pd
import pytest
import yaml

import elcrec.recorded.merge
from elcrec import ROOT
from elcrec.cli.main import main
from elcrec.config.config import load_config
from elcrec.recorded.machine import Machine
from tests.recording import MACHINE, add, edit, files_of

PUBLISHED = ROOT / "results" / "recorded" / "cpu-2-cores"
MISSING = [("elcrec", "1"), ("bprmf", "2"), ("bprmf", "3")]
"""Runs that this checkout's record lacks."""


@pytest.fixture
def ours(tmp_path):
    """The record of this checkout: the published one without some runs."""
    folder = tmp_path / "ours" / PUBLISHED.name
    shutil.copytree(PUBLISHED, folder)
    table = pd.read_csv(folder / "runs.csv", dtype=str, keep_default_na=False)
    there = [key not in MISSING for key in zip(table["model"], table["seed"], strict=True)]
    table[there].to_csv(folder / "runs.csv", index=False)
    for model, seed in MISSING:
        for file in folder.glob(f"*/beauty-{model}-{seed}.*"):
            file.unlink()
    (folder / "released" / "beauty-elcrec.json").unlink()
    return folder


@pytest.fixture
def theirs(tmp_path):
    """The record of another checkout: the published one as it is."""
    folder = tmp_path / "theirs" / PUBLISHED.name
    shutil.copytree(PUBLISHED, folder)
    return folder


def merge(ours, record, *more: str) -> int:
    config = ours.parent.parent / "config.yaml"
    config.write_text(yaml.safe_dump({"recorded": str(ours.parent)}))
    return main(["recorded", "import", str(record), "--config", str(config), *more])


def change(folder, model: str, number: str, **fields: str) -> None:
    """Set fields of a row; `config` is a mapping of keys that are merged into its own."""
    with (folder / "runs.csv").open(newline="") as file:
        header, *rows = list(csv.reader(file))
    for row in rows:
        values = dict(zip(header, row, strict=True))
        if (values["model"], values["seed"]) == (model, number):
            if "config" in fields:
                fields["config"] = json.dumps(json.loads(values["config"]) | fields["config"])
            row[:] = (values | fields).values()
    with (folder / "runs.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def test_what_is_missing_comes_and_what_is_there_stays(ours, theirs, capsys):
    assert merge(ours, theirs) == 0
    told = capsys.readouterr().out
    runs = len(Machine(PUBLISHED.parent, ours.name).runs())
    assert f"{runs - len(MISSING)} of its runs are recorded already" in told
    assert "beauty-elcrec-1: HR@5 0.0513" in told
    assert f"{runs} runs recorded" in told
    assert files_of(ours) == files_of(PUBLISHED)
    assert merge(ours, theirs) == 0
    assert f"{runs} of its runs are recorded already" in capsys.readouterr().out
    assert files_of(ours) == files_of(PUBLISHED)


def test_hashes_of_settings_from_when_they_named_the_module_are_computed_anew(ours, theirs):
    with (theirs / "runs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        config = json.loads(row["config"])
        hashed = {k: config[k] for k in ("model", "module", "parameters", "training")}
        text = json.dumps(hashed | {"name": None}, sort_keys=True)
        old = hashlib.sha256(text.encode()).hexdigest()[:16]
        assert old != row["settings"]
        change(theirs, row["model"], row["seed"], settings=old)
    assert merge(ours, theirs) == 0
    assert files_of(ours) == files_of(PUBLISHED)


def test_the_hash_that_commit_9cd26ac_recorded_is_read(ours, theirs):
    change(theirs, "elcrec", "1", settings="9f8916ba0f979560")
    assert merge(ours, theirs) == 0
    assert files_of(ours) == files_of(PUBLISHED)


def test_a_record_without_a_metric_gets_it_from_its_ranks(ours, theirs):
    table = pd.read_csv(theirs / "runs.csv", dtype=str, keep_default_na=False)
    table.drop(columns=["test_HR@10", "valid_NDCG@5"]).to_csv(theirs / "runs.csv", index=False)
    assert merge(ours, theirs) == 0
    assert Machine(ours.parent, ours.name).runs() == Machine(PUBLISHED.parent, ours.name).runs()


def test_another_machine_may_be_named(ours, theirs):
    assert merge(ours, theirs, "--machine", "cpu-other") == 0
    assert files_of(ours.parent / "cpu-other") == files_of(PUBLISHED)


def test_runs_of_the_sensitivity_and_measurements_come_too(runs, measured, monkeypatch, capsys):
    assert add(runs) == 0
    folder = runs.parent / "recorded" / MACHINE
    monkeypatch.setattr(elcrec.recorded.merge, "load_config", lambda: load_config([runs]))
    arguments = ["recorded", "import", str(folder), "--config", str(runs), "--machine", "other"]
    assert main(arguments) == 0
    other = folder.with_name("other")
    assert files_of(other) == files_of(folder)
    assert (other / "efficiency" / "tiny-elcrec.json").exists()
    assert "tiny-elcrec-alpha-0.1-1: " in capsys.readouterr().out
    edit(other / "efficiency" / "tiny-elcrec.json", settings="0" * 16)
    assert main([*arguments[:2], str(other), *arguments[3:5]]) == 2
    assert "was measured with other settings" in capsys.readouterr().err


def short(folder) -> None:
    history = folder / "history" / "beauty-elcrec-1.csv"
    history.write_text("\n".join(history.read_text().splitlines()[:21]) + "\n")
    change(folder, "elcrec", "1", epochs="20", best_epoch="9")


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        # a run that is missing here
        (lambda f: change(f, "elcrec", "1", **{"test_HR@5": "0.1"}), "but ranks.npz gives"),
        (lambda f: (f / "ranks/beauty-elcrec-1.npz").write_bytes(b"x"), "is not a whole .npz"),
        (lambda f: (f / "ranks/beauty-elcrec-1.npz").unlink(), "no such file"),
        (lambda f: (f / "history/beauty-bprmf-2.csv").unlink(), "bprmf-2.csv: cannot be read"),
        (lambda f: (f / "intents/beauty-elcrec-1.npz").write_bytes(b"x"), "is not a whole .npz"),
        (lambda f: change(f, "elcrec", "1", users="22362"), "for each of the 22362 users"),
        (lambda f: change(f, "elcrec", "1", commit="unknown"), "commit is no hash of a commit"),
        (lambda f: change(f, "elcrec", "1", data="0" * 16), "was trained on other histories"),
        (lambda f: change(f, "elcrec", "1", protocol="strict"), "protocol is not that of its"),
        (
            lambda f: change(f, "elcrec", "1", kernels="fast"),
            "kernels: must be plain, or native",
        ),
        (lambda f: change(f, "elcrec", "1", users="many"), "users is 'many'; allowed: a whole"),
        (lambda f: change(f, "elcrec", "1", config={"parameters": {}}), "with the settings of"),
        (lambda f: change(f, "elcrec", "1", config={"precision": "tf32"}), "the settings of"),
        (lambda f: change(f, "bprmf", "2", seed="9", config={"seed": 9}), "is no run of workflow"),
        (short, "stopped after epoch 20"),
        # a run that is here
        (lambda f: change(f, "iclrec", "1", seconds_total="1.0"), "with another seconds_total"),
        (lambda f: change(f, "sasrec", "1", fingerprint="0" * 16), "with another fingerprint"),
        (
            lambda f: (f / "history/beauty-sasrec-1.csv").write_text(
                (f / "history/beauty-sasrec-1.csv").read_text().replace("\n1,", "\n1.0,", 1)
            ),
            "row beauty/sasrec/1: is recorded in {ours} with another history",
        ),
        (lambda f: edit(f / "released/beauty-iclrec.json", device="x"), "with other content"),
        # the record
        (lambda f: edit(f / "released/beauty-elcrec.json", dirty=True), "uncommitted changes"),
        (lambda f: edit(f / "released/beauty-elcrec.json", model="x"), "is of x on beauty"),
        (lambda f: (f / "runs.csv").unlink(), "has no runs.csv; allowed: the folder of a machine"),
        (lambda f: (f / "runs.csv").write_text("format\n2\n"), "look at format"),
        (lambda f: (f / "runs.csv").write_bytes(b"\xff\x00"), "runs.csv"),
    ],
)
def test_what_is_not_whole_or_not_the_same_is_one_line_and_nothing_is_written(
    ours, theirs, capsys, harm, words
):
    before = files_of(ours)
    harm(theirs)
    assert merge(ours, theirs) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words.format(ours=ours) in line
    assert str(theirs) in line or "other histories" in line
    assert files_of(ours) == before


def test_a_record_that_would_be_too_large_is_refused_before_it_is_written(
    ours, theirs, monkeypatch, capsys
):
    before = files_of(ours)
    monkeypatch.setattr(elcrec.recorded.merge, "MOST_BYTES", 1000)
    assert merge(ours, theirs) == 2
    assert "allowed in git: 1,000" in capsys.readouterr().err
    assert files_of(ours) == before
