"""Figures of synthetic runs: one for every kind, gaps, the same bytes again."""

import json
import os
import subprocess
import sys

import pytest

from elcrec import ROOT
from elcrec.cli.main import main
from elcrec.config.figures import KINDS
from elcrec.errors import InputError
from elcrec.runs.reading import Runs

OF_TABLES = ("verdict", "study")
"""Kinds made from a table: see test_verdict.py and test_study.py."""
OF_RUNS = [kind for kind in KINDS if kind not in OF_TABLES]


@pytest.mark.parametrize("kind", OF_RUNS)
def test_without_runs_there_is_a_figure_that_says_so(made, kind):
    drawn = made.draw(kind)
    texts = {t.get_text() for axis in drawn.figure.axes for t in axis.texts}
    assert any("not run" in text for text in texts)
    assert "not run" in drawn.caption.lower()


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_runs_give_the_same_files(printed, kind):
    printed.everything()
    config = ["--config", str(printed.path), "--any-code"]
    for table in OF_TABLES:
        assert main(["table", table, *config]) == 0
    written = []
    for number in (1, 2):
        folder = printed.folder / f"figures{number}"
        assert main(["figure", kind, *config, "--output", str(folder)]) == 0
        written.append({p.name: p.read_bytes() for p in sorted(folder.iterdir())})
    name = f"{kind}-tiny" if KINDS[kind].each else kind
    assert set(written[0]) == {f"{name}.{end}" for end in ("png", "pdf", "csv", "json")}
    assert written[0] == written[1]
    words = json.loads(written[0][f"{name}.json"])
    assert set(words) == {"title", "caption", "alt"}
    assert all(words.values())


def test_the_backend_of_a_notebook_is_not_needed(made):
    command = [sys.executable, "-m", "elcrec", "figure", "convergence", "--config", str(made.path)]
    environment = os.environ | {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (made.config.output / "figures" / "convergence.png").stat().st_size > 0


def test_runs_of_other_code_are_refused(made):
    made.run("elcrec", 1)
    with pytest.raises(InputError, match="not made with the current code"):
        Runs(made.config).run("tiny", "elcrec", 1)


def test_a_figure_that_is_not_asked_for_is_one_line(made, capsys):
    assert main(["figure", "tsne", "--dataset", "beauty", "--config", str(made.path)]) == 2
    assert "is not in this configuration, which has: ablation" in capsys.readouterr().err
