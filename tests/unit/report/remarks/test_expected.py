"""Where runs are expected to lie, and what is outside."""

import math
import shutil

import pytest

from elcrec import paper
from elcrec.config.config import load_config
from elcrec.errors import InputError
from elcrec.report.evidence import Evidence, read_rows
from elcrec.report.remarks.expected import DEVIATIONS, METRIC, band_texts, expected, placed


def run_all(output, **means):
    output.scores(means)
    for model in means:
        output.run(model)


def test_what_lies_inside_is_said(output):
    run_all(output, sasrec=0.0365, iclrec=0.0500)
    remark = expected(output.evidence)
    assert remark.title == "Every model lies where it is expected"
    assert remark.evidence == "2 of 2 means of HR@5 lie inside."


def test_what_lies_outside_is_named_with_its_distance_in_standard_errors(output):
    run_all(output, sasrec=0.0430, iclrec=0.0500, elcrec=0.0300)
    remark = expected(output.evidence)
    assert remark.title == "Some models lie outside where they are expected"
    error = math.sqrt(0.0400 * (1 - 0.0400) / 22363)  # at the edge of the band
    assert (
        f"SASRec on Beauty 0.0430 (2 seeds), 0.0030 or {0.003 / error:.1f} standard errors above"
        in (remark.evidence)
    )
    assert "Outside: ELCRec on Beauty 0.0300 (2 seeds), 0.0170" in remark.evidence
    assert "below 0.0470–0.0540." in remark.evidence
    assert remark.evidence.startswith("1 of 3 means")
    assert "looked into" not in remark.evidence  # runs of one's own


def test_a_model_that_hits_nothing_is_far_outside(output):
    run_all(output, sasrec=0.0)
    assert "standard errors below 0.0330–0.0400" in expected(output.evidence).evidence


def test_of_a_recorded_run_it_is_said_what_was_found_out(output):
    run_all(output, sasrec=0.0430, elcrec=0.0300)
    record = output.folder.parent / "recorded"
    shutil.copytree(output.folder / "runs", record / "cpu" / "runs")
    (record / DEVIATIONS).write_text("dataset,model,found\nBeauty,SASRec,it is noise\n")
    config = output.evidence.config.replaced(runs="recorded", recorded=record)
    text = expected(Evidence(config)).evidence
    assert "above 0.0330–0.0400; it is noise." in text
    assert "below 0.0470–0.0540; not yet looked into." in text


def test_an_edge_of_the_band_is_inside(output):
    run_all(output, sasrec=0.0400)
    assert placed(output.evidence)[0].outside == 0


def test_without_runs_nothing_is_claimed(output):
    remark = expected(output.evidence)
    assert remark.title == "Whether the models lie where they are expected"
    assert not remark.shown


def test_every_model_and_data_set_of_the_paper_that_is_trained_here_has_a_band():
    texts = band_texts()
    trained = {m for _, _, m in paper.load_accuracy()} - {"improvement", "p_value"}
    trained -= {"DCRec", "MAERec", "IOCRec"}
    datasets = {d for d, _, _ in paper.load_accuracy()}
    own = {("Beauty", "SASRec-CE")}  # no method of the paper
    assert texts.keys() == {(d, m) for d in datasets for m in trained} | own
    assert texts["Beauty", "SASRec"] == "0.0330–0.0400"
    bands = paper.load_expected()
    assert all(bands[(*key, "low")] < bands[(*key, "high")] for key in texts)


def test_no_band_is_narrower_than_two_standard_errors_of_a_run_to_either_side():
    datasets = load_config().datasets.values()
    users = {entry.name: entry.counts.users for entry in datasets if entry.counts}
    bands = paper.load_expected()
    assert bands
    for dataset, model in band_texts():
        low, high = (bands[dataset, model, end] for end in ("low", "high"))
        middle = (low + high) / 2
        error = math.sqrt(middle * (1 - middle) / users[dataset])
        assert (high - low) / 2 >= 2 * error, (dataset, model)


def test_every_band_says_whose_judgement_it_is_and_what_is_known_elsewhere():
    sources = {
        (row.text("dataset"), row.text("model")): row.text("source")
        for row in read_rows(paper.FOLDER / "expected.csv")
    }
    assert sources.keys() == band_texts().keys()
    known = dict.fromkeys(sources, 0)
    for row in read_rows(paper.FOLDER / "elsewhere.csv"):
        if row.text("metric") == METRIC:
            cell = row.text("dataset"), row.text("model")
            assert row.text("value") in sources[cell], cell
            known[cell] += 1
    for cell, source in sources.items():
        assert source.startswith("founders' judgement ")
        assert ("no value of others is named" in source) == (
            not known[cell] and cell != ("Beauty", "SASRec-CE")
        ), cell


def test_a_source_is_no_number_and_not_read_as_one(tmp_path):
    path = tmp_path / "expected.csv"
    path.write_text("dataset,model,low,high,source\nBeauty,SASRec,0.03,0.04,said by x\n")
    read = paper.load_expected(path)
    assert read == {("Beauty", "SASRec", "low"): 0.03, ("Beauty", "SASRec", "high"): 0.04}


def test_a_field_that_is_no_number_is_refused(tmp_path):
    path = tmp_path / "expected.csv"
    path.write_text("dataset,model,low,high\nBeauty,SASRec,x,0.04\n")
    with pytest.raises(InputError, match="Beauty, SASRec, column low"):
        paper.load_expected(path)
