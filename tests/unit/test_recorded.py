"""Recorded runs: from run folders to the record and back, and what may not be recorded."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

import elcrec.recorded.add
import elcrec.recorded.check
import elcrec.run
import elcrec.run_folder
from elcrec.cli import main, make_parser
from elcrec.config import FROM_RECORDED, load_config
from elcrec.errors import InputError
from elcrec.recorded import readme
from elcrec.recorded.columns import COLUMNS, HEADER
from elcrec.recorded.machine import Machine
from elcrec.recorded.row import from_csv, from_folder, system
from elcrec.recorded.unpack import choose, made_files, unpack
from tests.recording import (
    CLEAN,
    MACHINE,
    MODELS,
    add,
    files_of,
    make_config,
    recorded_config,
    train,
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Configuration whose runs are finished, one of the sensitivity among them."""
    folder = tmp_path_factory.mktemp("trained")
    config = make_config(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elcrec.run, "commit", lambda: CLEAN)
        for step in ("fetch", "prepare"):
            place = ["--config", str(config), "--output", str(folder / "data" / "tiny")]
            assert main(["data", step, "--dataset", "tiny", *place]) == 0
        for model in MODELS:
            train(config, model)
        place = str(folder / "results" / "sensitivity" / "tiny" / "alpha-0.1" / "1")
        train(config, "elcrec", "--set", "alpha=0.1", "--output", place)
    return config


@pytest.fixture
def runs(trained, tmp_path, monkeypatch):
    """The same with copies of the folders, which a test may change; recording looks here."""
    folder = tmp_path / "runs"
    config = make_config(folder, data=str(trained.parent / "data"))
    for name, content in files_of(trained.parent / "results").items():
        path = folder / "results" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    monkeypatch.setattr(elcrec.recorded.add, "load_config", lambda: load_config([config]))
    return config


def run_folder(config: Path, model: str = "elcrec") -> Path:
    return config.parent / "results" / "runs" / "tiny" / model / "1"


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def runs_csv(config: Path) -> Path:
    return config.parent / "recorded" / MACHINE / "runs.csv"


def machine_of(config: Path) -> Machine:
    return Machine(config.parent / "recorded", MACHINE)


def test_tables_of_recorded_runs_are_those_of_the_trained_ones(runs):
    assert add(runs) == 0
    own = recorded_config(runs)
    assert main(["recorded", "unpack", "--config", str(own)]) == 0
    for config in (runs, own):
        for table in ("accuracy", "verdict", "activity"):
            assert main(["table", table, "--config", str(config)]) == 0
    tables = files_of(runs.parent / "results" / "tables")
    again = files_of(runs.parent / "results" / FROM_RECORDED / "tables")
    assert tables == again
    assert len(tables) == 9


def test_records_come_back_as_they_were_but_for_paths(runs):
    assert add(runs) == 0
    unpack(load_config([recorded_config(runs)]))
    below = runs.parent / "results"
    for place in ("runs/tiny/elcrec/1", "runs/tiny/popularity/1", "sensitivity/tiny/alpha-0.1/1"):
        before, after = below / place, below / FROM_RECORDED / place
        metrics = [json.loads((f / "metrics.json").read_text()) for f in (before, after)]
        assert metrics[0] == metrics[1]
        made = [json.loads((f / "environment.json").read_text()) for f in (before, after)]
        accepted = make_parser().parse_args(made[1]["command"][1:])
        assert (accepted.model, accepted.seed) == (metrics[0]["model"], metrics[0]["seed"])
        assert str(runs.parent) not in json.dumps(made[1])
        rest = [{k: v for k, v in e.items() if k not in ("command", "system")} for e in made]
        shared = ("commit", "dirty", "device")  # of metrics.json, which a test has made clean
        assert rest[1] == rest[0] | {key: metrics[0][key] for key in shared}
        settings = [yaml.safe_load((f / "config.yaml").read_text()) for f in (before, after)]
        assert settings[0] == settings[1]
        ranks = [np.load(f / "ranks.npz") for f in (before, after)]
        for split in ("valid", "test"):
            np.testing.assert_array_equal(ranks[0][split], ranks[1][split])
            assert ranks[1][split].dtype == np.int32
    assert (below / FROM_RECORDED / "runs/tiny/elcrec/1/intents.npz").exists()
    assert not (below / FROM_RECORDED / "sensitivity/tiny/alpha-0.1/1/intents.npz").exists()


def test_a_history_keeps_the_digits_of_single_precision(runs):
    assert add(runs) == 0
    unpack(load_config([recorded_config(runs)]))
    place = "runs/tiny/elcrec/1/history.csv"
    below = runs.parent / "results"
    before, after = (list(csv.DictReader((below / p / place).open())) for p in ("", FROM_RECORDED))
    assert [list(row) for row in before] == [list(row) for row in after]
    for row, other in zip(before, after, strict=True):
        for key, text in row.items():
            if text:
                assert float(other[key]) == pytest.approx(float(text), rel=5e-7)


def test_adding_again_changes_no_file_and_other_runs_stay(runs):
    assert add(runs) == 0
    before = files_of(runs_csv(runs).parent)
    assert add(runs) == 0
    assert files_of(runs_csv(runs).parent) == before
    for file in run_folder(runs).iterdir():
        file.unlink()
    assert add(runs) == 0  # ELCRec's run is no longer there, but is recorded
    assert files_of(runs_csv(runs).parent) == before


def test_the_readme_of_the_machine_names_runs_commands_and_device(runs):
    assert add(runs) == 0
    text = (runs_csv(runs).parent / "README.md").read_text()
    assert "a processor: no GPU was used" in text
    assert "elcrec train --dataset tiny --model elcrec --seed 1 --threads" in text
    assert "--set alpha=0.1 --output results/sensitivity/tiny/alpha-0.1/1" in text
    assert "ELCRec (alpha = 0.1)" in text
    assert "c" * 40 in text
    assert str(runs.parent) not in text


def refused_to_add(config: Path, capsys) -> str:
    """The line of the refusal; nothing is written."""
    capsys.readouterr()
    assert add(config) == 2
    assert not runs_csv(config).parent.exists()
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_uncommitted_changes_are_refused(runs, capsys):
    edit(run_folder(runs) / "metrics.json", dirty=True)
    assert "uncommitted changes; a recorded run needs" in refused_to_add(runs, capsys)


def test_other_code_is_refused(runs, capsys):
    edit(run_folder(runs) / "metrics.json", fingerprint="0" * 16)
    assert "was made by other code than the present" in refused_to_add(runs, capsys)


def test_other_settings_are_refused(runs, capsys):
    edit(run_folder(runs) / "metrics.json", settings="0" * 16)
    line = refused_to_add(runs, capsys)
    assert "settings of workflow/config/config.yaml" in line


def test_another_protocol_is_refused(runs, capsys):
    edit(run_folder(runs) / "metrics.json", protocol="strict")
    assert "protocol is 'strict'; allowed: paper" in refused_to_add(runs, capsys)


def test_a_training_that_stopped_before_its_end_is_refused(runs, capsys):
    folder = run_folder(runs)
    edit(folder / "metrics.json", epochs=1, best_epoch=1)
    lines = (folder / "history.csv").read_text().splitlines()[:2]
    (folder / "history.csv").write_text("\n".join(lines) + "\n")
    line = refused_to_add(runs, capsys)
    assert "stopped after epoch 1" in line
    assert "the protocol ends after 2 epochs" in line


def test_ranks_that_do_not_give_the_metrics_are_refused(runs, capsys):
    path = run_folder(runs) / "ranks.npz"
    ranks = dict(np.load(path))
    ranks["test"] = ranks["test"] + 5
    np.savez_compressed(path, **ranks)
    assert "but ranks.npz gives" in refused_to_add(runs, capsys)


def test_a_record_without_what_recording_needs_is_refused(runs, capsys):
    path = run_folder(runs) / "environment.json"
    content = json.loads(path.read_text())
    del content["python"]
    path.write_text(json.dumps(content))
    assert "environment.json: python is ''; allowed: a text" in refused_to_add(runs, capsys)


@pytest.mark.parametrize("name", ["..", "Mine", "a b", ".hidden", "a/../../b"])
def test_a_name_that_is_none_of_a_machine_is_refused(runs, name, capsys):
    before = files_of(runs.parent)
    assert add(runs, name) == 2
    assert "small letters, digits, dots and dashes" in capsys.readouterr().err
    assert files_of(runs.parent) == before


def test_nothing_to_record_is_said(runs, tmp_path, capsys):
    arguments = ["--config", str(runs), "--runs", str(tmp_path / "nothing")]
    assert main(["recorded", "add", MACHINE, *arguments]) == 2
    assert "has no run, measurement or check of weights to record" in capsys.readouterr().err


def row(config: Path) -> dict[str, str]:
    """A line of the record."""
    assert add(config) == 0
    return next(iter(csv.DictReader(runs_csv(config).open())))


@pytest.mark.parametrize(
    ("column", "text", "words"),
    [
        ("seed", "-1", "seed is '-1'; allowed: a whole number from 0"),
        ("seed", "", "seed is ''"),
        ("epochs", "2.5", "epochs is '2.5'"),
        ("test_HR@5", "nan", "test_HR@5 is 'nan'; allowed: a number from 0"),
        ("seconds_total", "-3", "seconds_total"),
        ("graphs", "yes", "graphs is 'yes'; allowed: true or false"),
        ("versions", "[]", "versions is '[]'; allowed: an object in JSON"),
        ("config", "[]", "config is '[]'; allowed: an object in JSON"),
        ("command", "'", "allowed: a command"),
        ("variant", "../../x", "variant is '../../x'"),
        ("variant", "alpha-../..", "variant is"),
        ("commit", "", "commit is ''; allowed: a text"),
    ],
)
def test_a_field_of_another_kind_is_refused(runs, column, text, words):
    values = row(runs) | {column: text}
    with pytest.raises(InputError) as caught:
        from_csv(values, "runs.csv: row x")
    assert str(caught.value).startswith("runs.csv: row x")
    assert words in str(caught.value)


def test_what_a_processor_has_not_is_null_and_what_a_gpu_has_comes_back(runs):
    values = row(runs)
    assert values["peak_cuda_allocated_bytes"] == values["driver"] == ""
    run = from_csv(values, "x")
    assert run.metrics["peak_memory"]["cuda_reserved_bytes"] is None
    assert run.environment["cuda"] is None
    gpu = values | {"peak_cuda_allocated_bytes": "12", "driver": "580.1", "cuda": "13.0"}
    run = from_csv(gpu, "x")
    assert run.metrics["peak_memory"]["cuda_allocated_bytes"] == 12
    assert run.environment["driver"] == "580.1"
    assert {k: str(v) for k, v in run.as_csv().items() if k in ("driver", "cuda")} == {
        "driver": "580.1",
        "cuda": "13.0",
    }


def test_every_column_has_a_name_of_its_own():
    assert len(set(HEADER)) == len(HEADER) == len(COLUMNS) + 3


def test_a_run_that_stands_twice_is_refused(runs):
    assert add(runs) == 0
    path = runs_csv(runs)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[1]]) + "\n")
    with pytest.raises(InputError, match="stands twice"):
        machine_of(runs).runs()


def test_other_columns_are_refused(runs):
    assert add(runs) == 0
    path = runs_csv(runs)
    path.write_text(path.read_text().replace("best_epoch", "best", 1))
    with pytest.raises(InputError, match="look at best"):
        machine_of(runs).runs()


def test_a_missing_file_of_a_run_is_named(runs, capsys):
    assert add(runs) == 0
    (runs_csv(runs).parent / "history" / "tiny-elcrec-1.csv").unlink()
    assert main(["recorded", "unpack", "--config", str(recorded_config(runs))]) == 2
    assert "history/tiny-elcrec-1.csv: cannot be read" in capsys.readouterr().err


def test_trained_runs_are_not_unpacked_over(runs, capsys):
    assert add(runs) == 0
    assert main(["recorded", "unpack", "--config", str(runs)]) == 2
    assert "to unpack it must be recorded" in capsys.readouterr().err


def test_an_empty_record_is_said(runs, capsys):
    assert main(["recorded", "unpack", "--config", str(recorded_config(runs))]) == 2
    assert "has no recorded runs" in capsys.readouterr().err


def test_runs_that_are_no_longer_recorded_go_and_nothing_else(runs):
    assert add(runs) == 0
    config = load_config([recorded_config(runs)])
    unpack(config)
    foreign = config.output / "runs" / "tiny" / "sasrec" / "1" / "metrics.json"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("{}")
    machine = machine_of(runs)
    machine.write_runs(r for r in machine.runs().values() if r.key[1] == "popularity")
    unpack(config)
    assert not config.run_folder("tiny", "elcrec", 1).exists()
    assert config.run_folder("tiny", "popularity", 1).exists()
    assert foreign.exists()


def machines_of(config: Path) -> dict[tuple[str, str], str]:
    """Machine that a run is taken from, by model and variant."""
    found = choose(load_config([recorded_config(config)]))
    return {(c.run.key[1], c.run.key[2]): c.machine.folder.name for c in found}


def test_of_two_machines_one_gives_all_seeds_of_a_model(runs):
    assert add(runs, "b-gpu") == 0
    assert add(runs, "a-cpu") == 0
    assert set(machines_of(runs).values()) == {"a-cpu"}
    record = load_config([runs]).recorded
    gpu = Machine(record, "b-gpu")
    changed = [
        replace(run, environment=run.environment | {"cuda": "13.0"}) if run.variant else run
        for run in gpu.runs().values()
    ]
    elcrec = gpu.runs()["tiny", "elcrec", "", 1]
    gpu.write_runs([*changed, replace(elcrec, metrics=elcrec.metrics | {"seed": 2})])
    content = yaml.safe_load(runs.read_text()) | {"seeds": [1, 2]}
    runs.write_text(yaml.safe_dump(content))
    assert machines_of(runs) == {
        ("popularity", ""): "a-cpu",  # as many runs of it: the first by name
        ("elcrec", ""): "b-gpu",  # two seeds
        ("elcrec", "alpha-0.1"): "b-gpu",  # on a GPU
    }


def test_what_is_recorded_does_not_bar_the_way_when_the_code_changes(runs, capsys):
    assert add(runs) == 0
    before = files_of(runs_csv(runs).parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elcrec.recorded.check, "other_than", lambda made, present: "code")
        assert add(runs) == 0
    assert files_of(runs_csv(runs).parent) == before


def test_runs_of_other_histories_are_refused(runs, capsys):
    edit(run_folder(runs) / "metrics.json", data="0" * 16)
    assert "was trained on other histories than" in refused_to_add(runs, capsys)


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("environment.json", {"memory_bytes": "24 GB"}, "memory_bytes is '24 GB'"),
        ("environment.json", {"versions": []}, "versions is '[]'; allowed: an object"),
        ("metrics.json", {"kernels": "fast"}, "kernels is 'fast'"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_is_written(runs, file, change, words, capsys):
    edit(run_folder(runs) / file, **change)
    assert words in refused_to_add(runs, capsys)


def test_a_damaged_record_is_refused_before_anything_is_written(runs, capsys):
    assert add(runs) == 0
    runs_csv(runs).write_text("dataset\n")
    edit(run_folder(runs) / "metrics.json", peak_memory=None)
    before = files_of(runs_csv(runs).parent)
    assert add(runs) == 2
    assert files_of(runs_csv(runs).parent) == before


def extra(config: Path, kind: str, **content: object) -> Path:
    path = config.parent / "results" / kind / "tiny" / "elcrec.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


RELEASED = {"model": "elcrec", "dataset": "tiny", "file": "/x/W.pt", "protocol": "paper"}
RELEASED |= {"metrics": {}, "commit": "c" * 40, "dirty": False, "command": ["/x/elcrec", "verify"]}


def test_a_check_of_released_weights_is_recorded_without_paths(runs):
    extra(runs, "released", **RELEASED)
    assert add(runs) == 0
    content = (runs_csv(runs).parent / "released" / "tiny-elcrec.json").read_text()
    assert "/x" not in content
    make_parser().parse_args(json.loads(content)["command"][1:])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"protocol": "strict"}, "protocol is 'strict'; allowed: 'paper'"),
        ({"dirty": True}, "uncommitted changes"),
        ({"model": "iclrec"}, "is of iclrec on tiny; allowed here: of elcrec"),
    ],
)
def test_another_check_of_released_weights_is_refused(runs, change, words, capsys):
    extra(runs, "released", **(RELEASED | change))
    assert words in refused_to_add(runs, capsys)


@pytest.fixture
def measured(runs):
    """A measurement of ELCRec as the configuration asks for it."""
    place = runs.parent / "results" / "efficiency" / "tiny" / "elcrec.json"
    arguments = ["--dataset", "tiny", "--model", "elcrec", "--config", str(runs)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elcrec.run, "commit", lambda: CLEAN)
        assert main(["measure", *arguments, "--output", str(place)]) == 0
    return place


def test_a_measurement_is_recorded_and_comes_back(runs, measured):
    assert add(runs) == 0
    unpack(load_config([recorded_config(runs)]))
    before = json.loads(measured.read_text())
    place = runs.parent / "results" / FROM_RECORDED / "efficiency" / "tiny" / "elcrec.json"
    after = json.loads(place.read_text())
    make_parser().parse_args(after["command"][1:])
    assert before | {"command": 0} == after | {"command": 0}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 7}, "seed is 7; allowed: 1"),
        ({"epochs_measured": 3}, "epochs_measured is 3; allowed: 1"),
        ({"dirty": True}, "uncommitted changes"),
        ({"settings": "0" * 16}, "other code or settings"),
    ],
)
def test_another_measurement_is_refused(runs, measured, change, words, capsys):
    edit(measured, **change)
    assert words in refused_to_add(runs, capsys)


@pytest.mark.parametrize("command", ["train", "measure", "try"])
def test_nothing_is_trained_with_a_configuration_of_recorded_runs(runs, command, capsys):
    arguments = ["--dataset", "tiny", "--model", "elcrec", "--config", str(recorded_config(runs))]
    arguments += {"measure": ["--output", "x"], "try": ["--output", "x", "--point", "1"]}.get(
        command, []
    )
    assert main([command, *arguments]) == 2
    assert "runs: is recorded; to train it must be trained" in capsys.readouterr().err


def test_weights_that_a_run_starts_from_are_recorded_without_their_folder(runs):
    folder = run_folder(runs)
    start = {"file": "/x/results/weights.pt", "sha256": "a" * 64}
    edit(folder / "metrics.json", start=start)
    run = from_folder(folder)
    assert run.metrics["start"] == run.config["start"] == start | {"file": "weights.pt"}


def test_the_files_that_the_workflow_expects_are_those_that_are_written(runs):
    assert add(runs) == 0
    config = load_config([recorded_config(runs)])
    unpack(config)
    written = {p for p in config.output.rglob("*") if p.is_file()}
    extra = {"intents.npz", "unpacked.txt"}
    assert {p for p in written if p.name not in extra} == set(made_files(config))


def test_recorded_runs_of_older_code_are_shown_and_of_other_settings_refused(runs, capsys):
    edit(run_folder(runs) / "metrics.json", fingerprint="0" * 16)
    own = recorded_config(runs)
    with pytest.MonkeyPatch.context() as patch:  # as if that code had been the present one
        patch.setattr(elcrec.recorded.check, "other_than", lambda made, present: None)
        assert add(runs) == 0
    unpack(load_config([own]))
    assert main(["table", "verdict", "--config", str(own)]) == 0
    path = load_config([own]).run_folder("tiny", "elcrec", 1) / "metrics.json"
    edit(path, settings="0" * 16)
    assert main(["table", "verdict", "--config", str(own)]) == 2
    assert "other settings made" in capsys.readouterr().err


def test_the_section_of_the_readme_has_every_recorded_model_and_claim(runs):
    assert add(runs) == 0
    text = readme.section(load_config([runs]))
    assert "**Popularity**, trained here" in text
    assert "**ELCRec**, trained here" in text
    assert "ELCRec is best on almost all cells" in text
    assert "2 of the 2 runs of `snakemake all`" in text
    value = machine_of(runs).runs()["tiny", "elcrec", "", 1]
    assert f"{value.metrics['metrics']['test']['NDCG@20']:.4f}" in text
    assert max(map(len, (x for x in text.splitlines() if "|" not in x))) <= 120


def test_the_section_goes_between_its_marks():
    text = f"a\n{readme.BEGIN}\nold\n{readme.END}\nb\n"
    assert readme.put("new\n", text, Path("R")) == f"a\n{readme.BEGIN}\nnew\n{readme.END}\nb\n"
    for wrong in ("a", f"{readme.END}{readme.BEGIN}", readme.BEGIN):
        with pytest.raises(InputError, match="R: needs the lines"):
            readme.put("new", wrong, Path("R"))


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("Linux-6.8.0-31-generic-x86_64-with-glibc2.39", "Linux-x86_64-with-glibc2.39"),
        ("Linux-5.15.0-1040-x-aarch64-with-glibc2.35", "Linux-aarch64-with-glibc2.35"),
        ("macOS-15.1-arm64-arm-64bit", "macOS-arm64-arm-64bit"),
        ("else", "else"),
    ],
)
def test_a_system_is_recorded_without_its_kernel(platform, expected):
    assert system(platform) == expected
