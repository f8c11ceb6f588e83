import csv
import io

import numpy as np
import pytest
import yaml

from elcrec.config.config import load_config
from elcrec.data.histories import InteractionData
from elcrec.data.sequences import format_sequences, parse_sequences
from elcrec.errors import InputError
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.files.rows import rows_of
from elcrec.statistics.tests import holm
from elcrec.tables import activity, table1
from elcrec.tables.layout import GAP, Names
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
    data = histories().digest()
    long = np.array(LENGTHS) >= 6
    some = long & (np.arange(10) != 2)
    all_but_five = long | (np.array(LENGTHS) == 4)
    for model, seeds in {"iclrec": [some, some], "elcrec": [long, all_but_five]}.items():
        for seed, hits in enumerate(seeds, start=1):
            output.run("beauty", model, seed, test=np.where(hits, 0, 50), data=data)
    return output


def build(output, lengths=LENGTHS, **options):
    records, gaps = load_runs(output.path, ["beauty"], MODELS, [1, 2])
    names = Names({"beauty": "Beauty"}, dict.fromkeys(MODELS, ""))
    table = table1.build(records, gaps, names, paper={}, protocol="paper")
    rows, leads = activity.build(table, {"beauty": histories(lengths)}, **options)
    return rows, leads, records, gaps


def by_group(frame, metric="HR@5", model=None):
    """The rows of a metric, group by group."""
    own = frame[(frame["metric"] == metric) & (model is None or frame["model"] == model)]
    return list(own.itertuples())


def test_values_by_hand(toy):
    rows, leads, _, _ = build(toy)
    keys = zip(rows["metric"], rows["group"], rows["model"], strict=True)
    assert list(keys) == [(m, g, i) for m in TABLE_METRICS for g in range(1, 6) for i in MODELS]
    elcrec, iclrec, sasrec = (by_group(rows, model=m) for m in ("elcrec", "iclrec", "sasrec"))
    assert [(r.shortest, r.longest, r.users) for r in elcrec] == [
        (n, n, 2) for n in (4, 5, 6, 7, 8)
    ]
    assert [r.mean for r in elcrec] == [0.5, 0, 1, 1, 1]
    assert elcrec[0].std == pytest.approx(0.5**0.5)
    assert [r.mean for r in iclrec] == [0, 0, 0.5, 1, 1]
    assert sasrec[0].seeds == 0
    lead = by_group(leads)
    third = lead[2]
    assert (third.mean_a, third.mean_b, third.relative_difference_percent) == (1.0, 0.5, 100.0)
    # One of the two users differs, both seeds agree, and hits of no model vary between its seeds:
    # the variance of the difference is that of (0, 1) over two users, on 1 degree of freedom.
    half = 12.7062 * (0.5 / 2) ** 0.5
    ends = (third.difference_low95, third.difference_high95)
    assert ends == pytest.approx((0.5 - half, 0.5 + half))
    assert np.isnan(lead[0].relative_difference_percent)  # nothing to divide by


def test_direction_and_tie(toy):
    _, leads, _, _ = build(toy, reference="iclrec", baseline="elcrec")
    lead = by_group(leads)
    assert lead[2].relative_difference_percent == -50.0
    assert lead[2].difference_low95 == pytest.approx(-0.5 - 12.7062 * 0.5)
    assert (lead[3].relative_difference_percent, lead[3].paired_t_p) == (0.0, 1.0)
    assert leads["paired_t_p_holm"].tolist() == holm(leads["paired_t_p"])
    assert leads["p_holm"].tolist() == holm(leads["p"])


def test_csv(toy):
    rows, leads, _, _ = build(toy)
    parsed, ahead = (
        list(csv.DictReader(io.StringIO(frame.to_csv(index=False)))) for frame in (rows, leads)
    )
    assert (len(parsed), len(ahead)) == (20 * len(MODELS), 20)
    first = parsed[0]
    assert (first["dataset"], first["metric"], first["group"], first["users"]) == (
        *("beauty", "HR@5", "1", "2"),
    )
    third = {row["model"]: row["mean"] for row in parsed[6:9]}
    assert third == {"elcrec": "1.0", "iclrec": "0.5", "sasrec": ""}
    lead = ahead[2]
    assert (lead["model_a"], lead["model_b"]) == ("elcrec", "iclrec")
    assert (lead["difference"], lead["relative_difference_percent"]) == ("0.5", "100.0")
    low, high = (float(lead[f"difference_{end}95"]) for end in ("low", "high"))
    assert (low + high) / 2 == pytest.approx(0.5)
    assert float(lead["p"]) == pytest.approx(0.5)  # t = 1 on 1 degree of freedom


def test_markdown_and_latex(toy, tmp_path):
    data = tmp_path / "data" / "beauty" / "sequences.txt"
    data.parent.mkdir(parents=True)
    data.write_text(
        "".join(f"{u + 1} {' '.join(map(str, range(1, n + 1)))}\n" for u, n in enumerate(LENGTHS))
    )
    own = {"output": str(toy.path), "data": str(tmp_path / "data"), "use": ["beauty"]}
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(own | {"models": MODELS, "seeds": [1, 2]}))
    activity.write(load_config([config]), tmp_path, any_code=True)
    text = (tmp_path / "activity.md").read_text()
    assert "| HR@5    | 1     | 4       |     2 |      – | 0.0000 | 0.5000 |" in text
    assert "+100.0% | [-1170.6%, +1370.6%]" in text
    assert "- Missing: SASRec on Beauty, seeds 1, 2." in text
    assert "random order" in text
    printed = (tmp_path / "activity.tex").read_text()
    assert printed.count(r"\begin{tabular}{lllrrrrrrrr}") == 1
    assert printed.count(r"\midrule") == 4
    assert r"\label{tab:activity-beauty}" in printed


def test_a_data_set_of_fewer_users_than_groups_is_left_out_and_named(toy, tmp_path):
    users = {"beauty": LENGTHS, "toys": [4, 5, 6, 7]}
    for dataset, lengths in users.items():
        path = tmp_path / "data" / dataset / "sequences.txt"
        path.parent.mkdir(parents=True)
        path.write_bytes(format_sequences(histories(lengths)))
    toy.run("toys", "elcrec", 1, test=[0, 1, 2, 3], data=histories(users["toys"]).digest())
    own = {"output": str(toy.path), "data": str(tmp_path / "data"), "use": ["toys", "beauty"]}
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(own | {"models": MODELS, "seeds": [1, 2]}))
    activity.write(load_config([config]), tmp_path, any_code=True)
    rows = list(csv.DictReader((tmp_path / "activity.csv").open()))
    assert {row["dataset"] for row in rows} == {"beauty"}
    text = (tmp_path / "activity.md").read_text()
    assert "- Left out: Toys has 4 users; the groups need at least 5.\n" in text


def test_without_both_models_there_is_no_lead(toy):
    for seed in (1, 2):
        (toy.path / "runs" / "beauty" / "iclrec" / str(seed) / "metrics.json").unlink()
    rows, leads, _, _ = build(toy)
    assert leads.empty
    (table,) = activity.shown(rows_of(rows), rows_of(leads), Names({}, {})).values()
    assert [cell.text for cell in table.rows[0][-4:]] == [GAP] * 4


def test_runs_of_other_histories_are_refused(toy):
    with pytest.raises(InputError, match=r"metrics\.json: data is \w+, but the prepared histories"):
        build(toy, lengths=[*LENGTHS[:-1], 9])


def test_the_digest_is_that_of_the_runs():
    sequences = histories()
    assert sequences.digest() == InteractionData(sequences).digest()
