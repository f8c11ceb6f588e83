"""`elcrec data …` from the configuration to the prepared file, without the rest of the program."""

import argparse
import json
from pathlib import Path

import pytest

from elcrec.cli.data import add_commands

LINES = b"1 1 2 3 4 5\n2 2 1 6 2\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Parse and run a command line; the configuration has the data set `own`."""
    (tmp_path / "my.txt").write_bytes(LINES)
    entry = {"name": "Own", "path": str(tmp_path / "my.txt")}
    config = {"use": ["own"], "datasets": {"own": entry}}
    (tmp_path / "a.yaml").write_text(json.dumps(config))
    monkeypatch.chdir(tmp_path)
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())

    def call(*words: str | Path) -> int | None:
        args = parser.parse_args(["data", *map(str, words)])
        return args.run(args)

    return call


def test_fetch_and_prepare(run, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    for command in ("fetch", "prepare"):
        assert not run(command, "--dataset", "own", "--config", "a.yaml", "--output", out)
    record = json.loads((out / "source.json").read_text())
    assert record["format"] == "sequences"
    assert record["file"] == "my.txt"
    assert record["size"] == len(LINES)
    assert (out / "sequences.txt").read_bytes() == LINES
    statistics = json.loads((out / "statistics.json").read_text())
    assert (statistics["name"], statistics["users"]) == ("Own", 2)
    told = capsys.readouterr().out
    assert str(out / "sequences.txt") in told
    assert "0 valid and 1 test targets of 2 users already occur in the user's own history" in told


@pytest.mark.parametrize("command", ["fetch", "prepare"])
def test_unknown_data_set(run, tmp_path: Path, refused, command: str) -> None:
    out = tmp_path / "out"
    words = ("--dataset", "owm", "--config", "a.yaml", "--output", out)
    message = refused(run, command, *words)
    assert "owm" in message
    assert "a.yaml" in message
    assert "own" in message
    assert not out.exists()


def test_prepare_before_fetch(run, tmp_path: Path, refused) -> None:
    out = tmp_path / "out"
    message = refused(run, "prepare", "--dataset", "own", "--config", "a.yaml", "--output", out)
    assert "source.json" in message
    assert "elcrec data fetch" in message
