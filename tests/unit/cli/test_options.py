"""Values of the command line: one line and exit status 2 for a wrong one, whatever the command."""

import json
from pathlib import Path

import pytest

from elcrec.cli.main import main

RUN = ["--dataset", "tiny", "--model", "popularity"]
COMMANDS = {
    "train": [*RUN, "--output", "{out}"],
    "measure": [*RUN, "--output", "{out}"],
    "try": [*RUN, "--point", "1", "--output", "{out}"],
    "bench": [*RUN[:2]],
    "batch": ["{plan}"],
}


@pytest.fixture
def refused(tiny, tmp_path, capsys, monkeypatch):
    """Run a command line; returns the line that it is refused with. Nothing may be made."""
    (tmp_path / "plan.yaml").write_text("- {models: [popularity]}\n")
    monkeypatch.chdir(tmp_path)

    def call(*words):
        before = sorted(tmp_path.rglob("*"))
        capsys.readouterr()
        places = {"out": "new/place", "plan": "plan.yaml"}
        words = [str(word).format(**places) for word in words]
        assert main([*words, "--config", str(tiny)]) == 2
        said = capsys.readouterr().err
        assert said.startswith("elcrec: ")
        assert said.count("\n") == 1
        assert sorted(tmp_path.rglob("*")) == before
        return said.removeprefix("elcrec: ").rstrip("\n")

    return call


@pytest.mark.parametrize(
    "words",
    [
        ["measure", *RUN, "--output", "there"],
        [
            "verify",
            "released",
            "--dataset",
            "tiny",
            "--model",
            "elcrec",
            "--weights",
            "none.pt",
            "--output",
            "there",
        ],
        ["report", "--output", "there"],
        ["nightly", "check", "--output", "there"],
    ],
)
def test_a_folder_in_the_place_of_a_file_is_refused_before_any_work(refused, tmp_path, words):
    (tmp_path / "there").mkdir()
    assert refused(*words, "--force") == "there: cannot be written: it exists and is not a file"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("value", "shown"),
    [("0", "0"), ("-1", "-1"), ("two", "'two'"), ("99999999999", "99999999999"), ("1.5", "1.5")],
)
def test_threads_are_what_the_configuration_may_say(refused, command, value, shown):
    message = refused(command, *COMMANDS[command], "--threads", value)
    assert message == f"--threads: must be an integer from 1 to 1024, got {shown}"


@pytest.mark.parametrize("command", [*COMMANDS, "verify"])
def test_a_device_that_is_none_is_refused_by_every_command(refused, tmp_path, command, monkeypatch):
    # `try` wants a grid first; popularity has none.
    words = COMMANDS.get(command, ["released", *RUN[:2], "--weights", "none.pt"])
    words = ["sasrec" if word == "popularity" else word for word in words]
    monkeypatch.setattr("elcrec.runs.grid.read_grid", lambda *_: type("G", (), {"points": [{}]}))
    for device in ("mps", "xpu", "nonsense"):
        message = refused(command, *words, "--device", device)
        assert message == f"--device {device}: must be auto, cpu, cuda or cuda:N"


@pytest.mark.parametrize(
    "words",
    [
        ["report", "--output", "~nobody-of-this-name/r.html"],
        ["train", *RUN, "--output", "~nobody-of-this-name"],
        ["batch", "~nobody-of-this-name/plan.yaml"],
        ["train", *RUN, "--start", "~nobody-of-this-name/w.pt"],
        ["bench", "--json", "~nobody-of-this-name/b.json"],
    ],
)
def test_a_home_that_nobody_has_makes_no_folder_of_that_name(refused, words):
    assert "there is no such user" in refused(*words)


def test_a_path_may_begin_with_the_home_folder(tiny, tmp_path, monkeypatch):
    """A shell leaves `--output=~/x` and `"~/x"` as they are."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    config = f"~/{tiny.relative_to(tmp_path)}"
    (tmp_path / "m.yaml").write_text("module: ~/m.py\n")
    (tmp_path / "m.py").write_text("from baselines.popularity import Hyperparameters, Model\n")
    train = ["train", "--dataset", "tiny", "--model", "~/m.yaml", "--output=~/run", "--config"]
    assert main([*train, config]) == 0
    assert (tmp_path / "run" / "metrics.json").exists()
    assert main(["report", "--output=~/r.html", "--config", config]) == 0
    assert (tmp_path / "r.html").exists()
    assert not (tmp_path / "~").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["measure", *RUN, "--output"],
        ["try", "--dataset", "tiny", "--model", "bert4rec", "--point", "1", "--output"],
        ["bench", "--dataset", "tiny", "--json"],
        ["report", "--output"],
        ["nightly", "check", "--output"],
        ["table", "data-statistics", "{statistics}", "--output"],
        ["data", "fetch", "--dataset", "tiny", "--output"],
    ],
    ids=lambda words: words[0],
)
def test_a_place_that_cannot_be_written_to_is_refused_before_the_work(refused, tmp_path, words):
    (tmp_path / "file").touch()
    statistics = tmp_path / "data" / "tiny" / "statistics.json"
    words = [statistics if word == "{statistics}" else word for word in words]
    assert "cannot be written: a file or a broken link is where a folder must be" in refused(
        *words, "file/a/b"
    )


def test_files_outside_the_configured_folders_are_replaced_by_force_only(
    refused, tiny, tmp_path, capsys
):
    statistics = str(tmp_path / "data" / "tiny" / "statistics.json")
    commands = {
        "page.html": ["report"],
        "data_statistics.csv": ["table", "data-statistics", statistics],
    }
    for name, words in commands.items():
        (tmp_path / name).write_text("mine")
        output = ["--output", name if words == ["report"] else "."]
        assert f"{name}: already exists; choose another path" in refused(*words, *output)
        assert (tmp_path / name).read_text() == "mine"
        assert main([*words, *output, "--force", "--config", str(tiny)]) == 0
        assert (tmp_path / name).read_text() != "mine"
        for _ in range(2):  # its own place may be written to again and again
            assert main([*words, "--config", str(tiny)]) == 0


def test_a_data_set_is_not_fetched_over_files_of_the_users_own(refused, tiny, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    fetch = ["data", "fetch", "--dataset", "tiny", "--output", str(own)]
    for name in ("sequences.txt", "source.json"):
        (own / name).write_text("mine")
        assert f"own/{name}: already exists" in refused(*fetch)
        assert [path.name for path in own.iterdir()] == [name]
        (own / name).unlink()
    for step in ("fetch", "prepare"):
        for _ in range(2):  # what it made there itself it may make again
            assert main(["data", step, *fetch[2:], "--config", str(tiny)]) == 0
    assert json.loads((own / "statistics.json").read_text())["users"] == 120


def test_what_argparse_refuses_is_one_line(capsys):
    assert main(["train", "--nothing"]) == 2
    said = capsys.readouterr().err
    assert said == "elcrec: the following arguments are required: --dataset, --model\n"
    assert main(["nothing"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_working_directory_that_is_gone_is_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert main(["report"]) == 2
    assert capsys.readouterr().err == (
        "elcrec: the working directory has been removed; go to another one\n"
    )


def test_a_file_that_the_system_refuses_is_one_line(refused, monkeypatch):
    def denied(*paths):
        raise PermissionError(13, "Permission denied", "somewhere")

    monkeypatch.setattr("elcrec.config.config.load_config", denied)
    assert refused("report") == "somewhere: Permission denied"


def test_an_error_of_the_system_without_a_file_is_not_hidden(monkeypatch):
    def broken(*paths):
        raise OSError("a fault of the program")

    monkeypatch.setattr("elcrec.config.config.load_config", broken)
    with pytest.raises(OSError, match="a fault of the program"):
        main(["report"])


def test_no_command_makes_a_path_of_an_option_by_itself():
    sources = (Path(__file__).parents[3] / "elcrec" / "cli").glob("*.py")
    assert not [path.name for path in sources if "type=Path" in path.read_text()]
