"""Oddities of the published tables, and findings, on known answers."""

import numpy as np
import pandas as pd
import pytest

from elcrec import paper
from elcrec.data.sequences import parse_sequences
from elcrec.report.remarks import findings, oddities

CELL = {"dataset": "Beauty", "metric": "HR@5", "file": "one.pt"}


@pytest.mark.parametrize(("value", "equal"), [(0.05294, "1 of 1"), (0.0531, "0 of 1")])
def test_a_checkpoint_equals_the_column_to_four_digits_or_not(output, value, equal):
    row = CELL | {"model": "ELCRec", "released_weights": value, "paper": 0.0529}
    output.table("released", [row])
    remark = oddities.single_checkpoints(output.evidence)
    assert remark.shown
    assert f"{equal} printed values" in remark.evidence


def test_without_the_released_weights_it_says_how_to_get_them(output):
    remark = oddities.single_checkpoints(output.evidence)
    assert not remark.shown
    assert "snakemake released_weights" in remark.evidence


def test_what_the_published_numbers_show(output):
    shown = {r.title: r.evidence for r in oddities.oddities(output.evidence) if r.shown}
    text = " ".join(shown.values())
    assert "Caser, BERT4Rec and S3-Rec with the same four digits on all 36 cells" in text
    assert "above ELCRec's on 9" in text
    assert "within 1 % of B on 3 of 4 data sets" in text
    assert "4 of 51 columns break it: Beauty GRU4Rec" in text
    assert "4.7 times the printed 0.0293" in text
    assert "follows from 1,594 (2,328.25), not from 1,574 (2,323.25)" in text
    assert "3 of 16: Sports HR@20 4.35e-06 to 2.29e-04" in text


def test_only_columns_with_evidence_are_called_copied(output):
    remark = oddities.copied_columns(output.evidence)
    assert remark.shown
    assert "columns of Caser, BERT4Rec and S3-Rec stand digit by digit" in remark.statement
    assert "those of GRU4Rec and SASRec in part" in remark.statement
    assert "Of the other baselines' columns there is no evidence here." in remark.statement
    assert "ICLRec" not in remark.statement
    assert "; GRU4Rec on 8 of 12, SASRec on 5 of 12 and CL4SRec on none of 12." in remark.evidence
    unknown = "BPR-MF, DSSRec, DCRec, MAERec, IOCRec and ICLRec"
    assert remark.evidence.endswith(f" No earlier table is here of {unknown}.")


def test_the_columns_are_counted_from_the_files(output, monkeypatch):
    lines = [
        *("Beauty,HR@5,Caser,MCLRec paper,0.0251", "Beauty,HR@20,Caser,MCLRec paper,0.0643"),
        *("Beauty,HR@5,DSSRec,MCLRec paper,0.0410", "Beauty,HR@20,DSSRec,MCLRec paper,0.0999"),
        *("Beauty,HR@5,SASRec,MCLRec paper,0.0999", "Beauty,HR@5,BERT4Rec,another,0.0360"),
    ]
    folder = output.folder.parent / "paper"
    folder.mkdir()
    (folder / "elsewhere.csv").write_text(
        "\n".join(["dataset,metric,model,source,value", *lines]) + "\n"
    )
    monkeypatch.setattr(paper, "FOLDER", folder)
    remark = oddities.copied_columns(output.evidence)
    assert "Caser with the same four digits on all 2 cells" in remark.evidence
    assert "; DSSRec on 1 of 2 and SASRec on none of 1." in remark.evidence
    assert "No earlier table is here of BPR-MF, GRU4Rec, BERT4Rec, S3-Rec," in remark.evidence


def test_repeated_targets():
    #                          repeated     new        repeated, with another one between
    sequences = parse_sequences(b"1 5 6 7 5\n2 5 6 7 8\n3 9 1 1 9\n4 1 2 3 4\n", "x")
    assert findings.repeated_share(sequences) == 0.5


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


def test_padding_is_what_is_left_of_the_window(output):
    folder = output.evidence.config.data / "beauty"
    folder.mkdir(parents=True)
    lines = [f"{user} {' '.join(map(str, range(1, n + 1)))}" for user, n in ((1, 13), (2, 203))]
    (folder / "sequences.txt").write_text("\n".join(lines) + "\n")
    # training inputs of 10 and, cut, of 50 items: 60 of 100 positions are filled
    assert "Beauty 40 %" in findings.padding(output.evidence).evidence


def test_cluster_loss_and_its_closed_form(output):
    direct = np.array([0.5, 0.25])
    rows = [
        {"epoch": i + 1, "loss_total": 1, "HR@5": 0, "cluster_direct": d, "cluster_identity": d - e}
        for i, (d, e) in enumerate(zip(direct, (0, 0.125), strict=True))
    ]
    output.run("elcrec", history=rows)
    remark = findings.cluster_identity(output.evidence)
    assert "2 recorded epochs" in remark.evidence
    assert "1.2e-01 at most" in remark.evidence
