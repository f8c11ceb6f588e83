"""Whole commands on an output folder one file of which is damaged."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import elcrec.figures.drawn
from elcrec.cli.main import main
from tests.fuzz.folders import Damage, fill
from tests.fuzz.harness import command, fuzz
from tests.unit.figures.conftest import Made

RUNS = "results/runs/tiny/**/*.*"
RECORDED = "record/cpu-test/runs/**/*.*"
RANKED = (RUNS, "data/tiny/sequences.txt")
READ = {
    "table accuracy": (RUNS,),
    "table verdict": (RUNS,),
    "table activity": RANKED,
    "table headline": (RUNS,),
    "table efficiency": (RUNS, "results/efficiency/*/*"),
    "table released": ("results/released/*/*",),
    "table grid": ("results/grid/*/*",),
    "table data-statistics": ("data/ml-1m/statistics.json",),
    "figure verdict": ("results/tables/verdict.csv",),
    "figure convergence": (RUNS,),
    "figure diagnostics": (RUNS,),
    "figure ablation": (RUNS,),
    "figure sensitivity": (RUNS,),
    "figure activity": RANKED,
    "figure case_study": RANKED,
    "figure tsne": (RUNS,),
    "report": ("results/**/*.*", "data/tiny/sequences.txt"),
    "nightly check": (RUNS, RECORDED),
    "recorded add": (RECORDED,),
}
"""Command to the files that it reads, as patterns below the folder."""
ANY_CODE = ("accuracy", "verdict", "activity", "efficiency", "check", "report")
ANY_CODE += ("figure",)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elcrec.figures.drawn, "DPI", 20)
        found = fill(tmp_path_factory.mktemp("whole"))
        for what in ("table accuracy", "table verdict", "table efficiency", "figure convergence"):
            assert main(arguments(found, what, found.folder / "results")) == 0
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("made")


def arguments(made: Made, what: str, output: Path) -> list[str]:
    """The command line of `what`, which writes below `output`."""
    group, _, kind = what.partition(" ")
    words = what.split()
    if kind in ("released", "grid"):
        words += map(str, sorted((made.folder / "results" / kind).glob("*/*.json")))
    if kind == "data-statistics":
        words.append(str(made.folder / "data" / "ml-1m" / "statistics.json"))
    if kind == "add":
        words += ["cpu-other", str(made.folder / "record" / "cpu-test")]
    words += ["--config", str(made.path)]
    if kind in ANY_CODE or group in ANY_CODE:
        words.append("--any-code")
    names = {"report": "index.html", "nightly check": "check.json"}
    target = output / {"table": "tables", "figure": "figures"}.get(group, "") / names.get(what, "")
    return words if kind in ("headline", "add") else [*words, "--output", str(target), "--force"]


@pytest.mark.parametrize("what", [what for what in READ if "figure" not in what])
@fuzz(4)
@given(data=st.data())
def test_command(made: Made, folder: Path, what: str, data: st.DataObject) -> None:
    check(made, folder / what, what, data)


@pytest.mark.parametrize("what", [what for what in READ if "figure" in what])
@fuzz(1)
@given(data=st.data())
def test_figure(made: Made, folder: Path, what: str, data: st.DataObject) -> None:
    check(made, folder / what, what, data)


def check(made: Made, output: Path, what: str, data: st.DataObject) -> None:
    """Run a command with one of its files damaged, and put that back."""
    damage = Damage()
    files = {p for pattern in READ[what] for p in made.folder.glob(pattern) if p.is_file()}
    path = data.draw(st.sampled_from(sorted(files)))
    output.mkdir(exist_ok=True)
    try:
        damage.apply(data, path)
        told = {*files, path.parent}
        command(f"elcrec {what}", told, arguments(made, what, output), output, good=(0, 1, 3))
    finally:
        damage.restore()
        shutil.rmtree(made.folder / "record" / "cpu-other", ignore_errors=True)


def test_every_command_succeeds_before_anything_is_damaged(made: Made, folder: Path) -> None:
    for what in ("nightly check", "recorded add"):
        assert main(arguments(made, what, folder)) == 0
    shutil.rmtree(made.folder / "record" / "cpu-other")
