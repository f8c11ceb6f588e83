"""The verdict as a picture: the numbers of verdict.csv, forms, gaps, files that are not right."""

import csv

import pytest

from elcrec.cli.main import main
from elcrec.config.config import load_config
from elcrec.figures import verdict
from elcrec.figures.plan import plan
from elcrec.tables.verdict import NOT_RUN, VERDICTS
from tests.workflow.make_tiny import write


def table(made):
    assert main(["table", "verdict", "--config", str(made.path), "--any-code"]) == 0
    path = made.config.output / "tables" / "verdict.csv"
    with path.open(encoding="utf-8") as file:
        return path, list(csv.DictReader(file))


def test_every_verdict_but_not_run_has_a_form_of_its_own():
    assert set(verdict.MARKS) == {*VERDICTS} - {NOT_RUN}
    forms = [(m["marker"], m.get("markerfacecolor")) for m in verdict.MARKS.values()]
    assert len(set(forms)) == len(forms)


def test_it_shows_the_numbers_of_the_table(printed):
    printed.everything()
    _, rows = table(printed)
    drawn = printed.draw("verdict")
    known = [row for row in rows if row["dataset"] == "Beauty" and row["verdict"] != NOT_RUN]
    assert len(drawn.numbers) == len(known) == 3 * 4  # SASRec, ICLRec, ELCRec on four metrics
    for found, row in zip(drawn.numbers.to_dict("records"), known, strict=True):
        assert [found[key] for key in ("metric", "model", "verdict")] == [
            row[key] for key in ("metric", "model", "verdict")
        ]
        for end, percent in verdict.PERCENT.items():
            ours, paper = float(row[end] or "nan"), float(row["paper"])
            assert found[percent] == pytest.approx(100 * (ours - paper) / paper, nan_ok=True)
    texts = {text.get_text() for text in drawn.figure.legends[0].get_texts()}
    counts = drawn.numbers["verdict"].value_counts()
    assert texts == {f"{name} ({counts.get(name, 0)})" for name in verdict.MARKS}


def test_a_model_that_was_not_run_is_named_and_one_with_few_seeds_says_so(printed):
    printed.run("elcrec", 1)
    table(printed)
    drawn = printed.draw("verdict")
    labels = [label.get_text() for label in drawn.figure.axes[0].get_yticklabels()]
    assert labels == ["ELCRec (1 of 2 seeds)"]
    assert "Not run: SASRec on Beauty; ICLRec on Beauty." in drawn.caption


def test_without_runs_there_is_a_figure_that_says_so(printed):
    table(printed)
    drawn = printed.draw("verdict")
    assert [t.get_text() for axis in drawn.figure.axes for t in axis.texts] == ["not run"]
    assert "Not run: " in drawn.caption
    assert drawn.numbers.empty


def test_what_is_far_away_stands_at_the_edge_with_its_value(printed):
    printed.everything()
    path, _ = table(printed)
    drawn = printed.draw("verdict")
    assert drawn.numbers["ours_percent"].min() > verdict.EDGE  # made-up runs are far too good
    axis = drawn.figure.axes[0]
    value = drawn.numbers["ours_percent"].iloc[0]
    assert f"{value:+.1f}" in {text.get_text() for text in axis.texts}
    assert path.exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("low95", "low", "has no column 'low95'; it has: dataset, "),
        ("Beauty,HR@5,BPR-MF,0.0212", "Beauty,HR@5,BPR-MF,x", "allowed: a number or nothing"),
    ],
)
def test_a_table_that_is_not_right_is_one_line(printed, capsys, old, new, message):
    path, _ = table(printed)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert main(["figure", "verdict", "--config", str(printed.path)]) == 2
    assert message in capsys.readouterr().err


def test_without_the_table_the_command_says_how_to_make_it(printed, capsys):
    assert main(["figure", "verdict", "--config", str(printed.path)]) == 2
    assert "make it with: elcrec table verdict" in capsys.readouterr().err


def test_a_data_set_that_the_paper_does_not_have_has_no_verdict(tmp_path):
    assert "verdict" not in [f.kind for f in plan(load_config([write(tmp_path)]))]
