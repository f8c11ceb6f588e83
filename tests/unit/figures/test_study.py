"""The study's figure: the numbers of study.csv, and what is not there."""

import pytest

from elcrec.cli.main import main
from elcrec.config.config import load_config
from elcrec.errors import InputError
from elcrec.figures.plan import plan


def table(made):
    assert main(["table", "study", "--config", str(made.path), "--any-code"]) == 0


def test_it_shows_the_numbers_of_the_table(made):
    made.everything()
    table(made)
    drawn = made.draw("study")
    first, counts, *others = drawn.figure.axes
    labels = [label.get_text() for label in first.get_yticklabels()]
    assert labels == ["SASRec", "ICLRec", "ELCRec"]
    points = next(line for line in counts.lines if line.get_marker() == "o")
    assert points.get_xdata()[2] == 8
    assert len(others) == 3
    assert "ELCRec +0.0 %, 8" in drawn.alt
    assert "Seeds 1 and 2." in drawn.caption


def test_without_runs_there_is_a_figure_that_says_so(made):
    table(made)
    drawn = made.draw("study")
    assert [t.get_text() for axis in drawn.figure.axes for t in axis.texts] == ["not run"]


def test_without_the_table_the_command_is_named(made):
    with pytest.raises(InputError, match=r"is missing; make it with: elcrec table study"):
        made.draw("study")


def test_it_is_drawn_only_where_the_configuration_lists_models(made):
    assert "study-tiny" in {figure.name for figure in plan(made.config)}
    assert not {f.name for f in plan(load_config()) if f.kind == "study"}
