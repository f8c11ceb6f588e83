"""README, CONTRIBUTING and docs/: links lead somewhere, commands and files exist, examples run."""

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import snakemake.cli
import yaml

from elcrec import ROOT
from elcrec.cli.main import main, make_parser
from tests.workflow.make_tiny import write

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
IDS = [page.relative_to(ROOT).as_posix() for page in PAGES]
OF_THE_PROJECT = re.compile(
    r"(elcrec|baselines|workflow|tests|docs|examples|results/recorded)/[\w./*-]+"
)
RULES = {
    rule
    for file in (ROOT / "Snakefile", *(ROOT / "workflow" / "rules").glob("*.smk"))
    for rule in re.findall(r"^rule (\w+):", file.read_text(), re.MULTILINE)
}
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def prose(page: Path) -> str:
    """The page without its code blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """What a link to the page may name after `#`."""
    titles = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", title).strip().lower() for title in titles)
    return {re.sub(r"\s+", "-", title) for title in plain}


def commands(page: Path) -> Iterator[tuple[list[str], bool]]:
    """The words of each command, and whether it stands whole, in a block of its own."""
    for line in "".join(blocks(page, "sh")).splitlines():
        words = shlex.split(line, comments=True)
        if words:
            yield words, True
    for code in re.findall(r"`([^`]+)`", prose(page)):
        if re.match(r"(elcrec|snakemake|make) \w", code):
            yield shlex.split(code), False


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_lead_to_files_and_headings(page):
    links = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    for link in (link for link in links if not link.startswith("https://")):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_files_of_the_project_that_are_named_exist(page):
    named = re.findall(r"`([^`\s]+)`", prose(page))
    for name in (name for name in named if OF_THE_PROJECT.fullmatch(name)):
        assert any(ROOT.glob(name.rstrip("/"))), name


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_commands_have_these_names_and_options(page):
    for words, whole in commands(page):
        if words[0] == "elcrec":
            check_elcrec(words[1:], whole)
        elif words[0] == "snakemake":
            check_snakemake(words[1:])
        elif words[0] == "make":
            targets = [word for word in words[1:] if "=" not in word]
            assert set(targets) <= set(TARGETS), words


def test_the_commands_are_found():
    found = [words[0] for page in PAGES for words, _ in commands(page)]
    assert all(found.count(name) >= 10 for name in ("elcrec", "snakemake", "make"))


def check_elcrec(words: list[str], whole: bool) -> None:
    """A whole command is parsed; of a part, the names of commands and options are looked up."""
    parser = make_parser()
    if whole:
        parser.parse_args(words)
    rest = list(words)
    while rest and (kinds := subcommands(parser)):
        assert rest[0] in kinds, words
        parser = kinds[rest.pop(0)]
    options = [word for word in rest if word.startswith("--")]
    assert set(options) <= parser._option_string_actions.keys(), words


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands that a parser chooses from; empty for a command itself."""
    found = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return next((action.choices for action in found), {})


def check_snakemake(words: list[str]) -> None:
    """Known options; targets are rules or results; files of the project are there."""
    arguments = snakemake.cli.get_argument_parser().parse_args(words)
    for target in arguments.targets:
        assert target in RULES or target.startswith("results/"), words
    for file in map(str, arguments.configfile or []):
        assert not OF_THE_PROJECT.fullmatch(file) or (ROOT / file).exists(), words


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_blocks_of_yaml_can_be_read(page):
    for block in blocks(page, "yaml"):
        assert yaml.safe_load(block)


WITH_PYTHON = ("README.md", "docs/library.md", "docs/compare.md")


@pytest.mark.parametrize("page", [ROOT / page for page in WITH_PYTHON], ids=str)
def test_the_examples_in_python_run(page, tmp_path, monkeypatch):
    own = {"use": ["mine"], "datasets": {"mine": {"path": str(tmp_path / "mine.txt")}}}
    results = tmp_path / "results"
    own |= {"output": str(results / "mine"), "data": str(results / "data")}
    config = write(tmp_path, **own, figures={})
    (tmp_path / "tiny.txt").rename(tmp_path / "mine.txt")
    run = ["--dataset", "mine", "--config", str(config)]
    for command in (["data", "fetch"], ["data", "prepare"], ["train", "--model", "elcrec"]):
        assert main([*command, *run]) == 0
    random = np.random.default_rng(0)
    for model, seed in ((model, seed) for model in ("elcrec", "iclrec") for seed in (1, 2, 3)):
        folder = results / "runs" / "beauty" / model / str(seed)
        folder.mkdir(parents=True)
        np.savez(folder / "ranks.npz", test=random.integers(50, size=30))
    assert main(["export-split", *run, "--output", str(tmp_path / "split")]) == 0
    monkeypatch.chdir(tmp_path)
    for block in blocks(page, "python"):
        exec(block, {"__name__": "example"})


def test_every_package_has_a_page_of_its_api():
    packages = {file.parent.name for file in (ROOT / "elcrec").glob("*/__init__.py")}
    pages = {page.stem for page in (ROOT / "docs" / "api").glob("*.md")}
    assert pages == packages | {"baselines", "variants", "index"}
