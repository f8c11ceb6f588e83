"""The page as HTML: what stands on it, and that it is whole with everything, something, nothing."""

import re
from html.parser import HTMLParser

import pytest

from elcrec import ROOT
from elcrec.cli.main import main
from elcrec.report.page import render
from elcrec.report.tables import deviation
from elcrec.report.verdict import judged_cells, summary
from elcrec.tables import study, tables2_3
from tests.unit.report.report_output import ReportOutput, filled


class Page(HTMLParser):
    """Ids, links, loaded resources and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.resources: list[str] = []
        self.words: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids += [found["id"]] if "id" in found else []
        if tag == "a":
            self.links.append(found["href"])
        elif tag == "img":
            self.images.append(found)
        if tag != "a":
            self.resources += [found[key] for key in ("src", "href") if key in found]

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def page_of(output: ReportOutput) -> Page:
    return Page(render(output.evidence.config))


@pytest.fixture
def page(tmp_path) -> Page:
    return page_of(filled(tmp_path))


def test_nothing_is_loaded_from_elsewhere(page):
    assert page.resources
    assert all(address.startswith("data:") for address in page.resources)


@pytest.mark.parametrize("make", [filled, ReportOutput], ids=["filled", "empty"])
def test_it_names_no_folder_of_the_machine(tmp_path, make):
    page = render(make(tmp_path).evidence.config)
    assert str(tmp_path) not in page
    assert str(ROOT) not in page


@pytest.mark.parametrize("make", [filled, ReportOutput], ids=["filled", "empty"])
def test_every_link_within_the_page_has_its_target_and_ids_are_unique(tmp_path, make):
    page = page_of(make(tmp_path))
    inner = [link[1:] for link in page.links if link.startswith("#")]
    assert inner
    assert set(inner) <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_verdict_counts_and_rule(page):
    assert "Of the 9 values in the paper's Table 1, 8 have been run" in page.text
    for count in ("4 ✓ compatible", "4 ✗ differs", "0 ? cannot tell", "1 ○ not run"):
        assert count in page.text
    assert "95 % prediction interval of one more run on the same users" in page.text
    assert "provisional, because seeds are missing" not in page.text


def test_what_the_design_can_tell_is_shown(tmp_path):
    output = filled(tmp_path)
    near = {"dataset": "Beauty", "model": "ELCRec", "seeds": 3, "not_excluded": "ICLRec, ELCRec"}
    output.table("nearest", [near | {"nearest": "ICLRec", "distance": 0.5, "own_distance": 0.75}])
    values = {f"lead_at_{n}_percent": 20 / n for n in (1, 2, 3, 5, 10)} | {"noise_percent": 4.5}
    values |= {"freedom": 4, "single_run_percent": 18, "design_holm_percent": 15}
    rows = [
        values | {"dataset": "beauty", "metric": metric, "paper_lead_percent": 6.9, **found}
        for metric, found in (
            ("HR@5", {"seeds_needed_least": 9, "seeds_needed": 91}),
            ("HR@20", {"seeds_needed_least": "inf", "seeds_needed": "inf"}),
        )
    ]
    output.table("detectable", [row | {"design_percent": 10} for row in rows])
    text = page_of(output).text
    assert "Can the rule tell the printed columns apart?" in text
    assert "ICLRec, ELCRec ICLRec 0.50 0.75" in " ".join(text.split())
    assert "Beauty HR@5 4.5 4.0 20.0 10.0 6.7 4.0 2.0 15.0 6.9 9 to 91 18.0" in " ".join(
        text.split()
    )
    assert "none suffices" in text


def test_before_the_verdicts_are_made_every_cell_of_the_paper_is_open(output):
    evidence = output.evidence
    found = summary(judged_cells(evidence))
    assert found["total"] == 204
    assert found["run"] == 0


def test_a_cell_shows_ours_the_papers_and_the_deviation_and_leads_to_its_runs(tmp_path):
    html = render(filled(tmp_path).evidence.config)
    cell = re.search(r'<td class="below far"[^>]*title="([^"]*)">(.*?)</td>', html, re.DOTALL)
    assert "differs, final: 2 of 2 seeds; expected of a run: 0.0400 to 0.0600 (± 20.0 %)" in cell[1]
    assert "commit 0123456789; cpu: test; elcrec train --seed 1" in cell[1]
    assert '<a href="#source-run-beauty-sasrec">0.0400</a>' in cell[2]
    assert "✗ paper 0.0374" in cell[2]
    assert "▼▼ −20.0 %" in cell[2]


def test_a_failed_run_is_a_gap_with_its_reason(page):
    assert "failed: out of memory at epoch 3" in page.text


def test_an_empty_output_is_a_page_of_gaps(output):
    text = page_of(output).text
    for gap in ("No figure has been drawn yet", "No measurement yet", "No run yet"):
        assert gap in text


def test_a_data_set_that_the_paper_lacks_has_a_note_and_no_empty_cells_of_it(tmp_path):
    output = ReportOutput(tmp_path, use=["ml-100k"])
    output.scores({"sasrec": 0.04, "iclrec": 0.05, "elcrec": 0.05}, "ml-100k")
    page = page_of(output)
    assert "ML-100K : the paper has no results" in page.text.replace("ML-100K:", "ML-100K :")
    assert "MAERec" not in page.text.split("Table 1: accuracy", 2)[2].split("Significance")[0]


def test_beside_a_data_set_with_runs_those_without_are_closed(tmp_path):
    output = ReportOutput(tmp_path, use=["beauty", "toys"])
    closed = r"<summary>Toys: [^<]*: no run yet"
    assert not re.search(closed, render(output.evidence.config))  # all are without: none is closed
    output.scores({"sasrec": 0.04}, "beauty")
    html = render(output.evidence.config)
    assert re.search(closed, html)
    assert "<summary>Beauty" not in html


def test_figures_are_inside_with_words_and_numbers(page):
    assert page.images[0]["src"].startswith("data:image/png;base64,")
    assert page.images[0]["alt"] == "A chart."
    assert "Title of convergence" in page.text
    assert "101 more lines" in page.text  # of 300 and a header


def test_texts_of_files_are_escaped(output):
    output.figure("ablation", caption="<script>alert(1)</script>")
    row = {"dataset": "beauty", "model": "elcrec", "seeds": 0, "mean": ""}
    output.table("ablation", [row], "figures")
    html = render(output.evidence.config)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


@pytest.mark.parametrize(
    ("percent", "kind", "sign"),
    [
        (0.0, "close", "="),
        (-5.0, "close", "="),
        (5.1, "above near", "▲"),
        (-5.1, "below near", "▼"),
        (15.1, "above far", "▲▲"),
        (-99.0, "below far", "▼▼"),
    ],
)
def test_deviations_differ_by_sign_as_well_as_by_color(percent, kind, sign):
    found = deviation(percent)
    assert (found.kind, found.sign) == (kind, sign)


def test_the_command_writes_the_page(output, tmp_path):
    target = tmp_path / "there" / "page.html"
    arguments = ["report", "--config", str(output.config_file), "--output", str(target)]
    assert main(arguments) == 0
    assert target.read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"mean": "x"}, "mean is 'x'"),
        ({"mean": 1}, "has no column 'std'"),
    ],
)
def test_a_wrong_table_is_one_line(output, capsys, row, message):
    key = {"dataset": "beauty", "metric": "HR@5", "model": "elcrec", "stopping": ""}
    output.table("table1", [key | row])
    assert main(["report", "--config", str(output.config_file)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "table1.csv" in error
    assert message in error


def test_further_tables_are_those_of_their_files(tmp_path):
    output = filled(tmp_path)
    group = {"dataset": "beauty", "metric": "HR@5", "group": 1, "shortest": 4, "longest": 6}
    means = {"elcrec": 0.05, "iclrec": 0.04}
    rows = [group | {"users": 9, "model": m, "mean": v} for m, v in means.items()]
    output.table("activity", rows)
    lead = {"mean_a": 0.05, "mean_b": 0.04, "difference": 0.01, "relative_difference_percent": 25.0}
    lead |= {"difference_low95": -0.01, "difference_high95": 0.03, "cohen_dz": 0.1}
    lead |= dict.fromkeys(("p", "p_holm", "paired_t_p", "paired_t_p_holm"), 0.5)
    output.table("activity_leads", [{k: group[k] for k in ("dataset", "metric", "group")} | lead])
    best = output.comparison("sasrec", 0.04, 0.01) | {"family": "best_against_runner_up"}
    output.table("significance", [best])
    sizes = ("users", "items", "actions", "mean_length", "sparsity_percent")
    row = {f"{whose}{size}": 99 for whose in ("", "paper_") for size in sizes}
    row |= {"repeated_valid": 7, "repeated_test": 8, "origin": "beauty.gz from a mirror"}
    output.table("data_statistics", [{"name": "Beauty"} | row])
    page = page_of(output)
    assert len(page.ids) == len(set(page.ids))
    text = page.text
    assert "Beauty 99 99 99 99 99 99 99.0 99 99.00 99 7 8" in text
    assert "Beauty: beauty.gz from a mirror." in text
    assert "Repeated: validation and test targets that already occur in the user's own" in text
    assert "Beauty HR@5 ELCRec SASRec +25.0% [+0.0%, +50.0%] 0.01 (0.01) 2+2 0.10 (0.20)" in text
    assert "beauty bprmf l2=0.1 yes 0.1235 0.1235 0.1235 0.1235 12 12 12" in text
    assert "HR@5 1 4–6 9 0.0500 0.0400 +25.0% [-25.0%, +75.0%] 0.50 (0.50)" in text


def test_a_study_has_a_section_with_its_table(tmp_path):
    output = ReportOutput(tmp_path, figures={"study": ["iclrec", "elcrec"]})
    page = page_of(output)
    assert "clustering" in page.ids
    assert "No table yet: elcrec table study" in page.text
    row = dict.fromkeys(study.COLUMNS, "") | {"dataset": "beauty", "model": "iclrec", "seeds": 2}
    output.table("study", [row | {"NDCG@20": 0.05, "in_use": 64.0}])
    page = page_of(output)
    assert "study" in page.ids
    assert "Beauty ICLRec 2 – 0.0500 – – – 64.0" in page.text
    for note in ("p: the primary test.", "Holm-corrected over the rows", "Stability: adjusted"):
        assert note in page.text
    assert "clustering" not in page_of(ReportOutput(tmp_path / "other")).ids


def test_tables_without_a_number_say_so(tmp_path):
    output = ReportOutput(tmp_path)
    key = {"dataset": "beauty", "model": "elcrec"}
    for name, columns in {"table2": tables2_3.TIME, "table3": tables2_3.MEMORY}.items():
        output.table(name, [key | dict.fromkeys(columns, "")])
    assert page_of(output).text.count("No measurement yet.") == 2
