"""Claims on outputs with a known answer, for and against, and without runs."""

import numpy as np
import pytest

from elcrec.cli.main import main
from elcrec.errors import InputError
from elcrec.evaluation.metrics import summarise
from elcrec.paper import ARMS
from elcrec.report.claims import CLAIMS, intents
from elcrec.report.claims.claim import Outcome, Scope, judge_all, verdict_of
from elcrec.report.remarks import remarks
from elcrec.tables.tables2_3 import RESIDENT
from tests.recording import edit
from tests.unit.report.report_output import ReportOutput

find = {claim.id: claim.find for claim in CLAIMS}
ALONE = Scope(["beauty"], 1)
PAPER = Scope(["beauty"], 4)
SEEN = {"count": 256, "users": 2000, "in_use": 2, "center_cosine": -0.27, "user_cosine": 0.98}
"""Of published weights."""
RELEASED = {"file": "x.pt", "metrics": {"test": summarise([0, 3, 9, 40])}}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_without_runs_no_claim_is_judged(output, claim):
    finding = claim.find(output.evidence, PAPER)
    assert finding.outcome == Outcome.NOT_RUN
    assert finding.sentence.endswith(".")
    assert claim.text("paper", claim.paper(output.evidence)).endswith(".")


@pytest.mark.parametrize(
    ("done", "failed", "needed", "allowed", "outcome"),
    [
        (0, 0, 16, 1, Outcome.NOT_RUN),
        (4, 0, 16, 1, Outcome.PARTLY),  # so far
        (16, 1, 16, 1, Outcome.HOLDS),
        (16, 2, 16, 1, Outcome.FAILS),
        (4, 2, 16, 1, Outcome.FAILS),  # what is still to be run cannot mend it
        (4, 1, 4, 0, Outcome.PARTLY),
        (4, 3, 4, 0, Outcome.FAILS),
    ],
)
def test_outcome_of_counts(done, failed, needed, allowed, outcome):
    assert verdict_of(done, failed, needed, allowed) == outcome


def _times(output: ReportOutput, iclrec: object, elcrec: object, **of_elcrec: str) -> None:
    rows = [
        {
            "dataset": "beauty",
            "model": model,
            "device": "gpu: test",
            "seconds_per_epoch": seconds,
            "projected_training_seconds": seconds,
            "measured": "CUDA allocated",
            "megabytes": seconds,
        }
        | (of_elcrec if model == "elcrec" else {})
        for model, seconds in (("iclrec", iclrec), ("elcrec", elcrec))
    ]
    output.table("table2", rows)
    output.table("table3", rows)


@pytest.mark.parametrize("claim", ["time", "memory"])
@pytest.mark.parametrize(
    ("elcrec", "scope", "outcome"),
    [
        (90, ALONE, Outcome.HOLDS),
        (110, ALONE, Outcome.FAILS),
        (90, PAPER, Outcome.PARTLY),
        (110, PAPER, Outcome.NOT_SO_FAR),  # the other three may make up for it
        ("", PAPER, Outcome.NOT_RUN),
    ],
)
def test_time_and_memory(output, claim, elcrec, scope, outcome):
    _times(output, 100, elcrec)
    finding = find[claim](output.evidence, scope)
    assert finding.outcome == outcome
    assert outcome == Outcome.NOT_RUN or "10.0 %" in finding.sentence


@pytest.mark.parametrize("claim", ["time", "memory"])
def test_measurements_of_different_devices_are_not_compared(output, claim):
    _times(output, 100, 90, device="cpu: test")
    assert find[claim](output.evidence, ALONE).outcome == Outcome.NOT_RUN


def test_memory_of_different_kinds_is_not_compared(output):
    _times(output, 100, 90, measured=RESIDENT)
    assert find["memory"](output.evidence, ALONE).outcome == Outcome.NOT_RUN


@pytest.mark.parametrize("elcrec", [90, 110])
def test_main_memory_alone_decides_nothing(output, elcrec):
    _times(output, 100, elcrec)
    rows = [
        {"dataset": "beauty", "model": m, "device": "cpu", "measured": RESIDENT, "megabytes": b}
        for m, b in (("iclrec", 100), ("elcrec", elcrec))
    ]
    output.table("table3", rows)
    finding = find["memory"](output.evidence, ALONE)
    assert finding.outcome == Outcome.PARTLY
    assert "main memory" in finding.sentence


@pytest.mark.parametrize(
    ("sums", "seeds", "outcome"),
    [
        ((0.1, 0.2, 0.3, 0.4), 2, Outcome.HOLDS),
        ((0.1, 0.2, 0.3, 0.4), 1, Outcome.PARTLY),  # of two seeds that are asked for
        ((0.1, 0.2, 0.4, 0.3), 2, Outcome.PARTLY),  # the whole is below one part
        ((0.4, 0.3, 0.2, 0.1), 2, Outcome.FAILS),
        ((0.4, 0.3, 0.2, 0.1), 1, Outcome.PARTLY),
        ((0.1, "", "", 0.4), 2, Outcome.NOT_RUN),  # no step between these two
    ],
)
def test_ablation(output, sums, seeds, outcome):
    arms = ARMS.values()
    rows = [
        {"dataset": "beauty", "model": model, "mean": value, "seeds": seeds if value else 0}
        for model, value in zip(arms, sums, strict=True)
    ]
    output.table("ablation", rows, "figures")
    assert find["ablation"](output.evidence, ALONE).outcome == outcome


VALUES = {"alpha": (0.01, 0.1, 1, 10, 100), "intents": (32, 64, 128, 256, 512)}


@pytest.mark.parametrize(
    ("means", "scope", "outcome"),
    [
        ((0.1, 0.1, 0.1, 0.1, 0.095), ALONE, Outcome.HOLDS),
        ((0.1, 0.1, 0.095, "", ""), ALONE, Outcome.PARTLY),  # the others may be worse
        ((0.1, 0.1, 0.1, 0.1, 0.05), ALONE, Outcome.FAILS),
        ((0.1, 0.1, 0.05, "", ""), ALONE, Outcome.FAILS),  # no further value can mend it
        ((0.1, 0.1, 0.1, 0.1, 0.05), PAPER, Outcome.PARTLY),  # two panels of eight
        ((0.1, 0.1, "", "", ""), ALONE, Outcome.NOT_RUN),
    ],
)
def test_sensitivity(output, means, scope, outcome):
    rows = [
        {"dataset": "beauty", "parameter": parameter, "value": value, "mean": score}
        for parameter, values in VALUES.items()
        for value, score in zip(values, means, strict=True)
    ]
    output.table("sensitivity", rows, "figures")
    finding = find["sensitivity"](output.evidence, scope)
    assert finding.outcome == outcome
    run = sum(score != "" for score in means)
    assert outcome == Outcome.NOT_RUN or f"for K on Beauty ({run} of 5 values)" in finding.sentence


def test_other_values_than_the_papers_do_not_complete_a_panel(output):
    rows = [
        {"dataset": "beauty", "parameter": parameter, "value": 3 * value, "mean": 0.1}
        for parameter, values in VALUES.items()
        for value in values
    ]
    output.table("sensitivity", rows, "figures")
    assert find["sensitivity"](output.evidence, ALONE).outcome == Outcome.NOT_RUN


def test_convergence(output):
    output.run("elcrec")
    assert find["convergence"](output.evidence, ALONE).outcome == Outcome.HOLDS
    output.run("elcrec", seed=2, best_epoch=3)  # cut off at its best epoch
    finding = find["convergence"](output.evidence, ALONE)
    assert finding.outcome == Outcome.PARTLY
    assert "1 trained on" in finding.sentence


def test_a_loss_that_rises_is_no_convergence(output):
    rows = [{"epoch": e, "loss_total": e, "HR@5": 0.01 * e} for e in (1, 2, 3)]
    output.run("elcrec", history=rows)
    assert find["convergence"](output.evidence, ALONE).outcome == Outcome.FAILS


@pytest.mark.parametrize(
    ("used", "cosine", "outcome"),
    [
        (8, 0.1, Outcome.HOLDS),
        (8, 0.95, Outcome.FAILS),
        (0, 0.1, Outcome.FAILS),
        (3, 0.1, Outcome.PARTLY),
        (8, 0.7, Outcome.PARTLY),
    ],
)
def test_intents(output, used, cosine, outcome):
    row = {"intents_in_use": used, "center_cosine": cosine, "user_cosine": 0.5}
    rows = [{"epoch": e, "loss_total": 1, "HR@5": 0.1} | row for e in (1, 2)]
    output.run("elcrec", history=rows)  # 10 centers
    assert find["intents"](output.evidence, ALONE).outcome == outcome


@pytest.mark.parametrize(
    ("cosines", "expected", "outcome"),
    [
        ((0.1, 0.1), 2, Outcome.HOLDS),
        ((0.1, 0.95), 2, Outcome.FAILS),  # their mean would be neither
        ((0.1, 0.95), 4, Outcome.NOT_SO_FAR),  # not all are run
        ((0.1, 0.7), 4, Outcome.PARTLY),
        ((0.1, 0.7), 2, Outcome.PARTLY),
    ],
)
def test_intents_are_judged_data_set_by_data_set(tmp_path, cosines, expected, outcome):
    datasets = ["beauty", "toys"]
    output = ReportOutput(tmp_path, use=datasets)
    for dataset, cosine in zip(datasets, cosines, strict=True):
        row = {"intents_in_use": 8, "center_cosine": cosine, "user_cosine": 0.5}
        rows = [{"epoch": e, "loss_total": 1, "HR@5": 0.1} | row for e in (1, 2)]
        output.run("elcrec", history=rows, dataset=dataset)
    finding = find["intents"](output.evidence, Scope(datasets, expected))
    assert finding.outcome == outcome
    assert (
        outcome == Outcome.HOLDS or "worst on Toys: in the tested weights 80 %" in finding.sentence
    )


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"dataset": "beauty", "model": "elcrec", "intents": SEEN}, True),
        ({"dataset": "beauty", "model": "elcrec"}, False),  # of before intents were looked at
        ({"dataset": "beauty", "model": "iclrec", "intents": None}, False),
        ({"dataset": "toys", "model": "elcrec", "intents": SEEN}, False),  # out of the scope
    ],
)
def test_centers_of_published_weights_stand_beside_ours(output, record, told):
    row = {"intents_in_use": 8, "center_cosine": 0.1, "user_cosine": 0.5}
    output.run("elcrec", history=[{"epoch": e, "loss_total": 1} | row for e in (1, 2)])
    output.record(f"released/{record['dataset']}/{record['model']}.json", RELEASED | record)
    sentence = find["intents"](output.evidence, ALONE).sentence
    words = "weights: 2 of 256 centers in use on Beauty, mean cosines -0.27 and 0.98."
    assert sentence.endswith(words) == told
    assert ("published" in sentence) == told


def test_published_weights_with_more_centers_in_use_than_there_are(output):
    record = RELEASED | {"dataset": "beauty", "model": "elcrec"}
    record |= {"intents": SEEN | {"in_use": 257}}
    output.record("released/beauty/elcrec.json", record)
    with pytest.raises(InputError, match=r"in_use.*257.*allowed: at most 256"):
        intents.published(output.evidence, ALONE)


def test_the_papers_own_claims_are_counted_in_its_tables(output):
    told = {claim.id: claim.statement for claim in judge_all(output.evidence, CLAIMS)}
    assert "15 of 16 cells of Table 1 (not Toys HR@5)" in told["best"]
    assert "15 of 16" in told["significance"]
    assert "7.2 % less" in told["time"]
    assert "3 of 4" in told["time"]
    assert "9.6 % less" in told["memory"]
    assert "ELCRec is below B+ELCM on Toys" in told["ablation"]


def test_other_data_sets_are_shown_and_decide_nothing(tmp_path):
    output = ReportOutput(tmp_path, use=["ml-100k"])
    output.scores({"sasrec": 0.04, "iclrec": 0.04, "elcrec": 0.05}, "ml-100k")
    best = judge_all(output.evidence, CLAIMS)[0]
    assert best.finding.outcome == Outcome.NOT_RUN
    assert best.elsewhere.outcome == Outcome.HOLDS


def test_claims_and_remarks_stay_in_the_paper_s_metrics(tmp_path):
    """Whatever metrics the tables and figures show."""
    models = ["sasrec", "iclrec", "elcrec"]
    said = []
    for n, changes in enumerate(({}, {"metrics": ["HR@1", "NDCG@10"]})):
        output = ReportOutput(tmp_path / str(n), **changes)
        for place, model in enumerate(dict.fromkeys([*models, *ARMS.values()])):
            for seed in (1, 2):
                folder = output.run(model, seed)
                ranks = np.arange(22363) // (3 * place + seed + 1)
                metrics = {split: summarise(ranks) for split in ("valid", "test")}
                np.savez_compressed(folder / "ranks.npz", valid=ranks, test=ranks)
                edit(folder / "metrics.json", metrics=metrics)
        config = ["--config", str(output.config_file)]
        for words in (["table", "accuracy"], ["table", "verdict"], ["figure", "ablation"]):
            assert main([*words, *config]) == 0
        judged = [(j.id, j.finding) for j in judge_all(output.evidence, CLAIMS)]
        said.append((judged, [remark.evidence for remark in remarks(output.evidence)]))
    outcomes = {id: finding.outcome for id, finding in said[0][0]}
    assert outcomes["best"] != Outcome.NOT_RUN
    assert outcomes["ablation"] != Outcome.NOT_RUN
    assert said[0] == said[1]
