"""Titles and statements of remarks follow the numbers, in both directions; what lies outside."""

import json
import math
import shutil

import pandas as pd
import pytest

from elcrec import paper
from elcrec.config.config import load_config
from elcrec.errors import InputError
from elcrec.files.rows import read_rows
from elcrec.report import remarks
from elcrec.report.evidence import Evidence
from tests.unit.report.report_output import ReportOutput


def prepared(output, *histories, dataset="beauty"):
    folder = output.evidence.config.data / dataset
    folder.mkdir(parents=True)
    lines = [f"{u} {' '.join(map(str, items))}" for u, items in enumerate(histories, 1)]
    (folder / "sequences.txt").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("length", "title"),
    [
        (13, "Most of each input is padding"),  # 10 of 50 positions are filled
        (43, "Less than half of each input is padding"),
    ],
)
def test_padding(output, length, title):
    prepared(output, range(1, length + 1))
    assert remarks.padding(output.evidence).title == title


def test_padding_names_the_data_sets_where_it_is_most(tmp_path):
    output = ReportOutput(tmp_path, use=["beauty", "ml-100k"])
    prepared(output, range(1, 14))
    prepared(output, range(1, 60), dataset="ml-100k")
    assert remarks.padding(output.evidence).title == "Most of each input is padding on Beauty"


@pytest.mark.parametrize(
    ("binary", "softmax", "elcrec", "title"),
    [
        (0.03, 0.05, 0.055, "The loss explains more than the model"),
        (0.03, 0.05, 0.04, "The loss explains more than the model"),
        (0.03, 0.035, 0.055, "The loss does not explain more than the model"),
        (0.03, 0.02, 0.02, "The loss does not explain more than the model"),
    ],
)
def test_loss_against_model(output, binary, softmax, elcrec, title):
    output.scores({"sasrec": binary, "sasrec_ce": softmax, "elcrec": elcrec})
    assert remarks.loss_matters(output.evidence).title == title


@pytest.mark.parametrize(
    ("protocol", "last", "title", "statement"),
    [
        ("strict", 5, "Some targets can never be hit", "are never recommended"),
        ("paper", 5, "Some targets are ones that the user had before", "0 beats every negative"),
        ("repeats", 5, "Some targets are ones that the user had before", "compete like all others"),
        ("strict", 8, "No target is one that the user had before", "are never recommended"),
        ("paper", 8, "No target is one that the user had before", "score 0"),
    ],
)
def test_repeated_targets_by_protocol(tmp_path, protocol, last, title, statement):
    output = ReportOutput(tmp_path, protocol=protocol)
    prepared(output, [5, 6, 7, last], [1, 2, 3, 4])
    remark = remarks.repeated_targets(output.evidence)
    assert remark.title == title
    assert statement in remark.statement
    assert ("it is a miss" in remark.statement) == (protocol == "strict")
    assert f"Beauty 0 and {int(last == 5)} of 2." in remark.evidence


def test_a_model_with_a_protocol_of_its_own_is_told_apart(output):
    """Under `paper` SASRec-CE, ranked `strict`, cannot hit what the others can."""
    prepared(output, [5, 6, 7, 5], [1, 2, 3, 4])
    for model, by in (("sasrec", "paper"), ("elcrec", "paper"), ("iclrec", "strict")):
        path = output.run(model) / "metrics.json"
        path.write_text(path.read_text().replace('"ranked_by": "paper"', f'"ranked_by": "{by}"'))
    remark = remarks.repeated_targets(output.evidence)
    assert remark.title == "Some targets can never be hit by some of the models"
    paper, strict = remark.statement.split(". ")
    assert paper.startswith("Ranked by `paper` (SASRec and ELCRec), items")
    assert strict.startswith("Ranked by `strict` (ICLRec), items")
    assert strict.endswith("it is a miss.")


def test_same_day():
    day = remarks.DAY
    frame = pd.DataFrame(
        {
            "user": ["a", "b", "a", "b", "a", "b"],
            "time": [0, 5 * day, 3 * day, 4 * day, 3 * day + 9, 5 * day + 1],
        }
    )
    assert remarks.same_day_share(frame) == 1.0
    frame.loc[4, "time"] = 4 * day
    assert remarks.same_day_share(frame) == 0.5


def test_raw_data_that_did_not_come_along_is_no_obstacle(output, tmp_path):
    folder = output.evidence.config.data / "beauty"
    folder.mkdir(parents=True)
    record = {"dataset": "beauty", "format": "amazon-reviews", "file": str(tmp_path / "r.json")}
    record |= {"member": None, "origin": "here", "sha256": "0", "size": 1}
    (folder / "source.json").write_text(json.dumps(record))
    assert not remarks.order_by_day(output.evidence).shown
    (tmp_path / "r.json").touch()
    with pytest.raises(InputError, match=r"r\.json: has changed since it was fetched"):
        remarks.order_by_day(output.evidence)


def test_padding_is_what_is_left_of_the_window(output):
    folder = output.evidence.config.data / "beauty"
    folder.mkdir(parents=True)
    lines = [f"{user} {' '.join(map(str, range(1, n + 1)))}" for user, n in ((1, 13), (2, 203))]
    (folder / "sequences.txt").write_text("\n".join(lines) + "\n")
    # training inputs of 10 and, cut, of 50 items: 60 of 100 positions are filled
    assert "Beauty 40 %" in remarks.padding(output.evidence).evidence


def test_without_numbers_no_title_concludes_anything(output):
    found = remarks.remarks(output.evidence)
    assert not any(r.shown for r in found)
    assert all(r.title.split()[0] in ("Whether", "How", "Targets") for r in found)
    assert all(r.evidence.startswith("Not computed yet; it needs: ") for r in found)


def test_the_change_of_rule_is_told_of_a_record_alone(output):
    record = output.folder.parent / "recorded"
    record.mkdir()
    header = "dataset,metric,model,paper,mean,old_verdict,new_verdict\n"
    lines = "Beauty,HR@5,Caser,0.0251,0.02643,reproduced,cannot tell\n"
    lines += "Beauty,HR@5,SASRec,0.0374,0.04039,reproduced,differs\n"
    (record / remarks.RULES).write_text(header + lines)
    config = output.evidence.config.replaced(recorded=record)
    assert remarks.rule_change(Evidence(config)) is None
    text = remarks.rule_change(Evidence(config.replaced(runs="recorded"))).evidence
    assert "reproduced, now cannot tell: 1 and reproduced, now differs: 1, of 2." in text
    assert "Beauty Caser HR@5 0.0264 (0.0251 printed): reproduced, cannot tell;" in text


def run_all(output, **means):
    output.scores(means)
    for model in means:
        output.run(model)


def test_what_lies_inside_is_said(output):
    run_all(output, sasrec=0.0365, iclrec=0.0500)
    remark = remarks.expected(output.evidence)
    assert remark.title == "Every model is within its expected band"
    assert remark.evidence == "2 of 2 means of HR@5 lie inside."


def test_what_lies_outside_is_named_with_its_distance_in_standard_errors(output):
    run_all(output, sasrec=0.0430, iclrec=0.0500, elcrec=0.0300)
    remark = remarks.expected(output.evidence)
    assert remark.title == "Some models are outside their expected bands"
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
    assert "standard errors below 0.0330–0.0400" in remarks.expected(output.evidence).evidence


def test_of_a_recorded_run_it_is_said_what_was_found_out(output):
    run_all(output, sasrec=0.0430, elcrec=0.0300)
    record = output.folder.parent / "recorded"
    shutil.copytree(output.folder / "runs", record / "cpu" / "runs")
    (record / remarks.DEVIATIONS).write_text("dataset,model,found\nBeauty,SASRec,it is noise\n")
    config = output.evidence.config.replaced(runs="recorded", recorded=record)
    text = remarks.expected(Evidence(config)).evidence
    assert "above 0.0330–0.0400; it is noise." in text
    assert "below 0.0470–0.0540; not yet looked into." in text


def test_an_edge_of_the_band_is_inside(output):
    run_all(output, sasrec=0.0400)
    assert remarks.placed(output.evidence)["outside"].tolist() == [0]


def test_without_runs_nothing_is_claimed(output):
    remark = remarks.expected(output.evidence)
    assert remark.title == "Whether the models are within their expected bands"
    assert not remark.shown


def banded() -> set[tuple[str, str]]:
    """The data sets and models, as printed, that have a band."""
    return {(dataset, model) for dataset, model, _ in paper.load_expected()}


def test_every_model_and_data_set_of_the_paper_that_is_trained_here_has_a_band():
    trained = {m for _, _, m in paper.load_accuracy()} - {"improvement", "p_value"}
    trained -= {"DCRec", "MAERec", "IOCRec"}
    datasets = {d for d, _, _ in paper.load_accuracy()}
    own = {("Beauty", "SASRec-CE")}  # no method of the paper
    assert banded() == {(d, m) for d in datasets for m in trained} | own
    bands = paper.load_expected()
    assert [bands["Beauty", "SASRec", end] for end in ("low", "high")] == [0.0330, 0.0400]
    assert all(bands[(*key, "low")] < bands[(*key, "high")] for key in banded())


def test_no_band_is_narrower_than_two_standard_errors_of_a_run_to_either_side():
    datasets = load_config().datasets.values()
    users = {entry.name: entry.counts.users for entry in datasets if entry.counts}
    bands = paper.load_expected()
    assert bands
    for dataset, model in banded():
        low, high = (bands[dataset, model, end] for end in ("low", "high"))
        middle = (low + high) / 2
        error = math.sqrt(middle * (1 - middle) / users[dataset])
        assert (high - low) / 2 >= 2 * error, (dataset, model)


def test_every_band_says_whose_judgement_it_is_and_what_is_known_elsewhere():
    sources = {
        (row.text("dataset"), row.text("model")): row.text("source")
        for row in read_rows(paper.FOLDER / "expected.csv")
    }
    assert sources.keys() == banded()
    known = dict.fromkeys(sources, 0)
    for row in read_rows(paper.FOLDER / "elsewhere.csv"):
        if row.text("metric") == remarks.METRIC:
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
