import csv
import io

import numpy as np
import pytest

from elcrec.data.histories import InteractionData
from elcrec.data.sequences import parse_sequences
from elcrec.errors import InputError
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.files.csvfile import csv_text
from elcrec.statistics.tests import holm
from elcrec.tables import activity, activity_files
from tests.unit.tables.conftest import load_runs

MODELS = ["sasrec", "iclrec", "elcrec"]
LENGTHS = [8, 4, 6, 5, 7, 4, 8, 5, 6, 7]  # groups of two: lengths 4, 5, 6, 7, 8


def histories(lengths=LENGTHS):
    lines = [f"u{u} {' '.join(str(i + 1) for i in range(n))}\n" for u, n in enumerate(lengths)]
    return parse_sequences("".join(lines).encode(), "toy")


@pytest.fixture
def toy(output):
    """Users with six items or more are hit at rank 1 by ELCRec; ICLRec hits all but one of them.

    Seed 2 of ELCRec hits the two users with four items as well.
    """
    data = activity.digest(histories())
    long = np.array(LENGTHS) >= 6
    some = long & (np.arange(10) != 2)
    all_but_five = long | (np.array(LENGTHS) == 4)
    for model, seeds in {"iclrec": [some, some], "elcrec": [long, all_but_five]}.items():
        for seed, hits in enumerate(seeds, start=1):
            output.run("beauty", model, seed, test=np.where(hits, 0, 50), data=data)
    return output


def build(output, lengths=LENGTHS, **options):
    records, gaps = load_runs(output.path, ["beauty"], MODELS, [1, 2])
    rows = activity.build(records, {"beauty": histories(lengths)}, MODELS, **options)
    return rows, records, gaps


def test_values_by_hand(toy):
    rows, _, _ = build(toy)
    assert [(r.metric, r.group) for r in rows] == [
        (m, g) for m in TABLE_METRICS for g in range(1, 6)
    ]
    hr5 = rows[:5]
    assert [(r.shortest, r.longest, r.users) for r in hr5] == [(n, n, 2) for n in (4, 5, 6, 7, 8)]
    assert [r.cells["elcrec"].mean for r in hr5] == [0.5, 0, 1, 1, 1]
    assert hr5[0].cells["elcrec"].std == pytest.approx(0.5**0.5)
    assert [r.cells["iclrec"].mean for r in hr5] == [0, 0, 0.5, 1, 1]
    assert hr5[0].cells["sasrec"].seeds == 0
    third = hr5[2].lead
    assert (third.mean_a, third.mean_b, third.improvement) == (1.0, 0.5, 100.0)
    # One of the two users differs, both seeds agree, and hits of no model vary between its seeds:
    # the variance of the difference is that of (0, 1) over two users, on 1 degree of freedom.
    half = 12.7062 * (0.5 / 2) ** 0.5
    assert (third.primary.low, third.primary.high) == pytest.approx((0.5 - half, 0.5 + half))
    assert third.paired.n == (2,)
    assert np.isnan(hr5[0].lead.improvement)  # nothing to divide by


def test_direction_and_tie(toy):
    rows, _, _ = build(toy, reference="iclrec", baseline="elcrec")
    assert rows[2].lead.improvement == -50.0
    assert rows[2].lead.primary.low == pytest.approx(-0.5 - 12.7062 * 0.5)
    assert (rows[3].lead.improvement, rows[3].lead.paired.p_value) == (0.0, 1.0)
    assert [r.lead.paired_holm for r in rows] == holm(r.lead.paired.p_value for r in rows)
    assert [r.lead.primary_holm for r in rows] == holm(r.lead.primary.p_value for r in rows)


def test_csv(toy):
    rows, _, _ = build(toy)
    text = csv_text([activity.csv_row(r) for r in rows], activity.csv_header(MODELS))
    parsed = list(csv.DictReader(io.StringIO(text)))
    assert len(parsed) == 20
    first, third = parsed[0], parsed[2]
    assert (first["dataset"], first["metric"], first["group"], first["users"]) == (
        *("beauty", "HR@5", "1", "2"),
    )
    assert (third["elcrec_mean"], third["iclrec_mean"], third["sasrec_mean"]) == ("1.0", "0.5", "")
    assert (third["difference"], third["improvement_percent"]) == ("0.5", "100.0")
    low, high = (float(third[f"difference_{end}95"]) for end in ("low", "high"))
    assert (low + high) / 2 == pytest.approx(0.5)
    assert float(third["p"]) == pytest.approx(0.5)  # t = 1 on 1 degree of freedom


def test_markdown_and_latex(toy):
    rows, records, gaps = build(toy)
    names = {"datasets": {"beauty": "Beauty"}, "models": dict(zip(MODELS, "ABC", strict=True))}
    notes = activity_files.notes(records, gaps, **names)
    text = activity_files.markdown(rows, notes, **names)
    assert "| HR@5    | 1     | 4       |     2 |   – | 0.0000 | 0.5000 |" in text
    assert "+100.0% | [-1170.6%, +1370.6%]" in text
    assert "- Missing: A on Beauty, seeds 1, 2." in text
    assert "random order" in text
    printed = activity_files.latex(rows, notes, **names)
    assert printed.count(r"\begin{tabular}{lllrrrrrrrr}") == 1
    assert printed.count(r"\midrule") == 4


def test_without_both_models_there_is_no_lead(toy):
    for seed in (1, 2):
        (toy.path / "runs" / "beauty" / "iclrec" / str(seed) / "metrics.json").unlink()
    rows, _, _ = build(toy)
    assert all(row.lead is None for row in rows)
    assert activity.csv_row(rows[0]).get("difference") is None


def test_runs_of_other_histories_are_refused(toy):
    with pytest.raises(InputError, match=r"metrics\.json: data is \w+, but the prepared histories"):
        build(toy, lengths=[*LENGTHS[:-1], 9])
    with pytest.raises(
        InputError, match=r"beauty/sequences\.txt: has 3 users; 5 groups need as many"
    ):
        build(toy, lengths=[4, 5, 6])


def test_the_digest_is_that_of_the_runs():
    sequences = histories()
    assert activity.digest(sequences) == InteractionData(sequences).digest()
