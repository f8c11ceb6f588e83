"""Titles and statements of remarks follow the numbers, in both directions."""

import pytest

from elcrec.report.remarks import findings, oddities
from tests.unit.report.report_output import ReportOutput

CELL = {"dataset": "Beauty", "model": "ELCRec", "metric": "HR@5", "file": "one.pt"}


def prepared(output, *histories, dataset="beauty"):
    folder = output.evidence.config.data / dataset
    folder.mkdir(parents=True)
    lines = [f"{u} {' '.join(map(str, items))}" for u, items in enumerate(histories, 1)]
    (folder / "sequences.txt").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("gap", "title", "statement"),
    [
        (1e-7, "ELCRec's cluster loss cannot separate centers", "does not push"),
        (0.2, "ELCRec's cluster loss differs from its closed form", "do not agree"),
    ],
)
def test_cluster_loss(output, gap, title, statement):
    row = {"epoch": 1, "loss_total": 1, "HR@5": 0, "cluster_direct": 0.5}
    output.run("elcrec", history=[row | {"cluster_identity": 0.5 - gap}], best_epoch=1)
    remark = findings.cluster_identity(output.evidence)
    assert remark.title == title
    assert statement in remark.statement


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
        ("strict", 5, "Some test items can never be hit", "counts as a miss for every model"),
        ("paper", 5, "Some test items are ones that the user had before", "score 0, which beats"),
        ("strict", 8, "No test item is one that the user had before", "score −∞"),
        ("paper", 8, "No test item is one that the user had before", "score 0"),
    ],
)
def test_repeated_targets_by_protocol(tmp_path, protocol, last, title, statement):
    output = ReportOutput(tmp_path, protocol=protocol)
    prepared(output, [5, 6, 7, last], [1, 2, 3, 4])
    remark = findings.repeated_targets(output.evidence)
    assert remark.title == title
    assert statement in remark.statement
    assert ("miss" in remark.statement) == (protocol == "strict")


@pytest.mark.parametrize(
    ("values", "title"),
    [
        ((0.0529, 0.0529), "The ELCRec column is one checkpoint per data set"),
        ((0.0529, 0.0531), "Part of the ELCRec column is a single checkpoint's"),
        ((0.0530, 0.0531), "The ELCRec column is not that of the released checkpoints"),
    ],
)
def test_checkpoints(output, values, title):
    rows = [CELL | {"released_weights": value, "paper": 0.0529} for value in values]
    output.table("released", rows)
    remark = oddities.single_checkpoints(output.evidence)
    assert remark.title == title
    assert ("only by chance" in remark.statement) == (values == (0.0529, 0.0529))


def test_without_numbers_no_title_concludes_anything(output):
    remarks = findings.findings(output.evidence)
    assert not any(r.shown for r in remarks)
    assert all(r.title.split()[0] in ("Whether", "How", "Test") for r in remarks)
