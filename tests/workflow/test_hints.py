"""Every command that a message names works as it is printed, with blanks and from elsewhere."""

import html
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import elcrec.jobs.run
from elcrec import ROOT
from elcrec.cli.main import main
from elcrec.config.config import load_config
from tests.workflow.make_tiny import write

MEASURED = ["--dataset", "tiny", "--model", "popularity"]


@pytest.fixture(params=["at the root", "from elsewhere"])
def config(request, tmp_path, monkeypatch) -> Path:
    """A configuration in a folder with a blank; its data set is called like a printed one."""
    folder = tmp_path / "my 'own' folder"
    path = write(folder, models=["popularity"], seeds=[1], parameters={}, figures={})
    content = yaml.safe_load(path.read_text())
    content["datasets"]["tiny"]["name"] = "Beauty"
    content |= {"nightly": {"use": ["tiny"], "models": ["popularity"]}}
    content["figures"] = {"verdict": ["popularity"]}
    path.write_text(yaml.safe_dump(content))
    monkeypatch.chdir(ROOT if request.param == "at the root" else tmp_path)
    return path


@pytest.fixture
def prepared(config) -> Path:
    for step in ("fetch", "prepare"):
        place = ["--output", str(config.parent / "data" / "tiny"), "--config", str(config)]
        assert main(["data", step, "--dataset", "tiny", *place]) == 0
    return config


def hint(capsys, config: Path, *words: str) -> list[str]:
    """The command that is named in the line which a command is refused with."""
    capsys.readouterr()
    assert main([*words, "--config", str(config)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return shlex.split(said.partition(" with: ")[2])


def follow(words: list[str]) -> None:
    """Do what is said, perhaps by two commands: of Snakemake a dry run."""
    if "&&" in words:
        follow(words[: (end := words.index("&&"))])
        follow(words[end + 1 :])
        return
    program, *arguments = words
    if program == "elcrec":
        assert main(arguments) == 0
        return
    assert program == "snakemake"
    command = [sys.executable, "-m", "snakemake", *arguments, "--dry-run", "--quiet", "all"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr


def test_a_data_set_that_is_not_prepared(config, capsys):
    own = ["--set", "batch_size=8", "--output", str(config.parent / "out")]
    said = [
        hint(capsys, config, "train", *MEASURED),
        hint(capsys, config, "train", *MEASURED[:2], "--model", "sasrec", *own),
        hint(capsys, config, "measure", *MEASURED, "--output", str(config.parent / "m.json")),
        hint(capsys, config, "bench", *MEASURED),
    ]
    assert all(words == said[0] for words in said)
    follow(said[0])
    assert (config.parent / "data" / "tiny" / "sequences.txt").exists()


def test_a_data_set_that_was_copied_in_part(prepared, capsys):
    path = prepared.parent / "data" / "tiny" / "sequences.txt"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:60]))
    follow(hint(capsys, prepared, "train", *MEASURED))


def test_a_run_that_another_starts_from(prepared, tmp_path, capsys):
    small = tmp_path / "small.yaml"
    sizes = {"dimension": 16, "blocks": 1}
    small.write_text(yaml.safe_dump({"parameters": {"s3rec_pretrain": sizes, "s3rec": sizes}}))
    words = ["train", "--dataset", "tiny", "--model", "s3rec", "--config", str(prepared)]
    command = hint(capsys, small, *words)
    follow(command)
    assert main([*words, "--config", str(small)]) == 0


def test_a_fetched_file_that_is_not_there(config, tmp_path, capsys):
    words = ["data", "prepare", "--dataset", "tiny", "--output", str(tmp_path / "a place")]
    follow(hint(capsys, config, *words))
    own = Path(load_config([config]).datasets["tiny"].path)
    own.write_text(own.read_text() + "one 1 2 3 4\n")
    follow(hint(capsys, config, *words))  # it has changed since
    assert main([*words, "--config", str(config)]) == 0


def test_runs_that_a_check_needs(prepared, capsys, monkeypatch):
    content = yaml.safe_load(prepared.read_text()) | {"recorded": str(prepared.parent / "record")}
    prepared.write_text(yaml.safe_dump(content))
    monkeypatch.setattr(elcrec.jobs.run, "commit", lambda: ("c" * 40, False))
    assert main(["train", *MEASURED, "--config", str(prepared)]) == 0
    assert main(["recorded", "add", "cpu-test", "--config", str(prepared)]) == 0
    shutil.rmtree(prepared.parent / "results" / "runs")
    follow(hint(capsys, prepared, "nightly", "check"))


def test_a_check_that_nothing_can_be_compared_with_trains_nothing(config, capsys):
    command = ["replication_check", "--configfile", str(config), "--cores", "1", "--dry-run"]
    snakefile = ["--snakefile", str(ROOT / "Snakefile")]
    words = [sys.executable, "-m", "snakemake", *command, *snakefile]
    done = subprocess.run(words, capture_output=True, text=True, timeout=200)
    said = "has no run of popularity on tiny, so there is nothing to compare with; add some with: "
    assert done.returncode != 0
    assert said in done.stderr
    assert main(["nightly", "check", "--config", str(config)]) == 2
    assert said in capsys.readouterr().err


def test_runs_of_other_settings(prepared, capsys):
    train = ["train", *MEASURED, "--config", str(prepared)]
    assert main(train) == 0
    metrics = prepared.parent / "results" / "runs" / "tiny" / "popularity" / "1" / "metrics.json"
    metrics.write_text(json.dumps(json.loads(metrics.read_text()) | {"settings": "other"}))
    follow(hint(capsys, prepared, "table", "accuracy"))


def test_a_table_that_a_figure_shows(prepared, capsys):
    figure = ["figure", "verdict", "--config", str(prepared)]
    follow(hint(capsys, prepared, "figure", "verdict"))
    assert main(figure) == 0


def test_a_record_without_runs(config, tmp_path, capsys):
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump({"runs": "recorded", "recorded": str(tmp_path / "record")}))
    words = hint(capsys, other, "table", "accuracy", "--config", str(config))
    folder = str(config.parent)
    words = [{"MACHINE": "cpu-1", "FOLDER": folder}.get(word, word) for word in words]
    assert main(words[1:]) == 2
    assert f"{folder}: " in capsys.readouterr().err  # there is nothing to record: it was looked for


@pytest.mark.parametrize("config", ["from elsewhere"], indirect=True)
def test_a_check_that_the_report_misses(config, tmp_path):
    """A page names no folder: its paths are seen from where it was made, or in the project."""
    assert main(["report", "--config", str(config)]) == 0
    page = (config.parent / "results" / "report" / "index.html").read_text()
    (said,) = re.findall(r"Not tested yet: (.*?)<", page)
    command = shlex.split(html.unescape(said))
    assert str(tmp_path) not in page
    command[command.index("Snakefile")] = str(ROOT / "Snakefile")
    follow(command)
