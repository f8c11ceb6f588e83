"""Facts that stand in two files: hooks of pre-commit and `make lint`, targets and `make help`."""

import re
import subprocess

import yaml

from elcrec import ROOT, __version__

MAKEFILE = (ROOT / "Makefile").read_text()


def test_pre_commit_runs_what_make_lint_runs():
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert recipe
    lint = [line.removeprefix("\t$(BIN)/") for line in recipe[1].splitlines()]
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    entries = [hook["entry"] for hook in local["hooks"]]
    assert len(entries) == len(lint)
    for entry, command in zip(entries, lint, strict=True):
        assert command.startswith(entry)
    assert {hook["language"] for hook in local["hooks"]} == {"system"}


def test_make_help_has_every_target():
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.findall(r"^make (\S+)", done.stdout, re.MULTILINE) == phony[1].split()


def test_the_changelog_begins_with_the_present_version():
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == __version__
