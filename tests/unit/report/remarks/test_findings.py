"""Titles and statements of remarks follow the numbers, in both directions."""

import json

import pandas as pd
import pytest

from elcrec.errors import InputError
from elcrec.report.evidence import Evidence
from elcrec.report.remarks import findings, remarks
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
    assert findings.padding(output.evidence).title == title


def test_padding_names_the_data_sets_where_it_is_most(tmp_path):
    output = ReportOutput(tmp_path, use=["beauty", "ml-100k"])
    prepared(output, range(1, 14))
    prepared(output, range(1, 60), dataset="ml-100k")
    assert findings.padding(output.evidence).title == "Most of each input is padding on Beauty"


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
    assert findings.loss_matters(output.evidence).title == title


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
    remark = findings.repeated_targets(output.evidence)
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
    remark = findings.repeated_targets(output.evidence)
    assert remark.title == "Some targets can never be hit by some of the models"
    paper, strict = remark.statement.split(". ")
    assert paper.startswith("Ranked by `paper` (SASRec and ELCRec), items")
    assert strict.startswith("Ranked by `strict` (ICLRec), items")
    assert strict.endswith("it is a miss.")


def test_same_day():
    day = findings.DAY
    frame = pd.DataFrame(
        {
            "user": ["a", "b", "a", "b", "a", "b"],
            "time": [0, 5 * day, 3 * day, 4 * day, 3 * day + 9, 5 * day + 1],
        }
    )
    assert findings.same_day_share(frame) == 1.0
    frame.loc[4, "time"] = 4 * day
    assert findings.same_day_share(frame) == 0.5


def test_raw_data_that_did_not_come_along_is_no_obstacle(output, tmp_path):
    folder = output.evidence.config.data / "beauty"
    folder.mkdir(parents=True)
    record = {"dataset": "beauty", "format": "amazon-reviews", "file": str(tmp_path / "r.json")}
    record |= {"member": None, "origin": "here", "sha256": "0", "size": 1}
    (folder / "source.json").write_text(json.dumps(record))
    assert not findings.order_by_day(output.evidence).shown
    (tmp_path / "r.json").touch()
    with pytest.raises(InputError, match=r"r\.json: has changed since it was fetched"):
        findings.order_by_day(output.evidence)


def test_padding_is_what_is_left_of_the_window(output):
    folder = output.evidence.config.data / "beauty"
    folder.mkdir(parents=True)
    lines = [f"{user} {' '.join(map(str, range(1, n + 1)))}" for user, n in ((1, 13), (2, 203))]
    (folder / "sequences.txt").write_text("\n".join(lines) + "\n")
    # training inputs of 10 and, cut, of 50 items: 60 of 100 positions are filled
    assert "Beauty 40 %" in findings.padding(output.evidence).evidence


def test_without_numbers_no_title_concludes_anything(output):
    found = remarks(output.evidence)
    assert not any(r.shown for r in found)
    assert all(r.title.split()[0] in ("Whether", "How", "Targets") for r in found)
    assert all(r.evidence.startswith("Not computed yet; it needs: ") for r in found)


def test_the_change_of_rule_is_told_of_a_record_alone(output):
    record = output.folder.parent / "recorded"
    record.mkdir()
    header = "dataset,metric,model,paper,mean,old_verdict,new_verdict\n"
    lines = "Beauty,HR@5,Caser,0.0251,0.02643,reproduced,cannot tell\n"
    lines += "Beauty,HR@5,SASRec,0.0374,0.04039,reproduced,differs\n"
    (record / findings.RULES).write_text(header + lines)
    config = output.evidence.config.replaced(recorded=record)
    assert findings.rule_change(Evidence(config)) is None
    text = findings.rule_change(Evidence(config.replaced(runs="recorded"))).evidence
    assert "reproduced, now cannot tell: 1 and reproduced, now differs: 1, of 2." in text
    assert "Beauty Caser HR@5 0.0264 (0.0251 printed): reproduced, cannot tell;" in text
