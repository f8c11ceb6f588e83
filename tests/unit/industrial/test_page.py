"""The page: both tables, both figures, and what they come to."""

import shutil

import pandas as pd
import pytest

from elcrec.config.config import load_config
from elcrec.industrial import page
from elcrec.industrial.runs import run_folder
from tests.unit.industrial.conftest import command
from tests.unit.industrial.logs import census, configuration
from tests.unit.report.test_page import Page


@pytest.fixture(scope="module")
def written(finished) -> Page:
    return Page(page.write(finished).read_text())


def test_it_has_both_tables_and_both_figures(written):
    assert {"industrial-tasks", "industrial-groups", "industrial-others"} <= set(written.ids)
    assert {"figure-clusters-mine", "figure-groups-mine"} <= set(written.ids)
    assert len(written.images) == 2
    assert all(image["src"].startswith("data:image/png") for image in written.images)
    assert "8 finished, 0 missing" in written.text


def test_it_says_that_the_data_are_others(written):
    assert "other data and other metrics" in written.text
    assert "not whether the paper's numbers are right" in written.text


def test_no_file_of_the_output_names_a_folder_of_the_machine(made, finished, written):
    files = [path for path in finished.output.rglob("*") if path.is_file()]
    assert len(files) > 50
    for path in [*files, *finished.data.rglob("*.json")]:
        assert str(made.parent).encode() not in path.read_bytes(), path


def test_links_have_targets_and_nothing_is_loaded(written):
    inside = [link[1:] for link in written.links if link.startswith("#")]
    assert set(inside) <= set(written.ids)
    assert len(set(written.ids)) == len(written.ids)
    assert all(address.startswith("data:") for address in written.resources)


def test_the_files_beside_it(finished, written):
    folder = finished.output / "industrial"
    frame = pd.read_csv(folder / "tables" / "industrial.csv")
    assert len(frame) == 44
    assert (folder / "tables" / "industrial.tex").read_text().count(r"\begin{table}") == 3
    assert {path.name for path in (folder / "figures").glob("*-mine.*")} == {
        f"{name}-mine.{kind}"
        for name in ("clusters", "groups")
        for kind in ("png", "pdf", "csv", "json")
    }


@pytest.mark.parametrize(
    ("gains", "p", "better", "worse"),
    [([1, -2], [0.01, 0.02], 1, 1), ([1, 2], [0.06, 0.5], 0, 0), ([1, 2], [0.01, 0.01], 2, 0)],
)
def test_the_answer_counts_what_is_significant(gains, p, better, worse):
    rows = {"table": "tasks", "metric": "AUC", "gain_percent": gains, "p": p, "p_holm": p}
    found = page.answer(pd.DataFrame(rows))
    assert (found["compared"], found["better"], found["worse"]) == (2, better, worse)
    assert (found["least"], found["most"]) == (min(gains), max(gains))


def test_missing_runs_are_named(finished, tmp_path):
    shutil.copytree(finished.output, tmp_path / "results")
    config = finished.replaced(output=tmp_path / "results")
    shutil.rmtree(run_folder(config, "mine", "mmoe_kmeans", 2))
    shown = Page(page.write(config).read_text())
    assert "Missing: B + k-means on Mine, seed 2." in shown.text
    assert "7 finished, 1 missing" in shown.text


def test_a_data_set_without_users_has_the_two_plain_models(tmp_path):
    path = configuration(tmp_path, "census-income", census(tmp_path, people=40), seeds=[1, 2])
    assert command("prepare", "--dataset", "mine", config=path) == 0
    for model, seed in ((m, s) for m in ("single", "mmoe") for s in ("1", "2")):
        words = ("--dataset", "mine", "--model", model, "--seed", seed, "--device", "cpu")
        assert command("train", *words, config=path) == 0
    shown = Page(page.write(load_config([path])).read_text())
    assert "4 finished, 0 missing" in shown.text
    assert "users are not identified" in shown.text
    assert "No comparison yet" in shown.text
    assert not shown.images
