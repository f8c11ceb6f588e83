"""Claims on outputs with a known answer, for and against, and without runs."""

import pytest

from elcrec.report import claims_accuracy, claims_efficiency, claims_training
from elcrec.report.claims import FAILS, HOLDS, NOT_RUN, PARTLY, Scope, judge_all, verdict_of
from elcrec.report.page import CLAIMS
from tests.unit.report.report_output import ReportOutput

ALONE = Scope(["beauty"], 1)
PAPER = Scope(["beauty"], 4)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_without_runs_no_claim_is_judged(output, claim):
    finding = claim.judge(output.evidence, PAPER)
    assert finding.outcome == NOT_RUN
    assert finding.sentence.endswith(".")
    assert claim.statement(output.evidence).endswith(".")


@pytest.mark.parametrize(
    ("done", "failed", "needed", "allowed", "outcome"),
    [
        (0, 0, 16, 1, NOT_RUN),
        (4, 0, 16, 1, PARTLY),  # so far
        (16, 1, 16, 1, HOLDS),
        (16, 2, 16, 1, FAILS),
        (4, 2, 16, 1, FAILS),  # what is still to be run cannot mend it
        (4, 1, 4, 0, PARTLY),
        (4, 3, 4, 0, FAILS),
    ],
)
def test_outcome_of_counts(done, failed, needed, allowed, outcome):
    assert verdict_of(done, failed, needed, allowed) == outcome


@pytest.mark.parametrize(
    ("sasrec", "scope", "outcome"),
    [(0.04, ALONE, HOLDS), (0.04, PAPER, PARTLY), (0.06, PAPER, FAILS)],
)
def test_best(output, sasrec, scope, outcome):
    output.scores({"sasrec": sasrec, "elcrec": 0.05})
    assert claims_accuracy.best(output.evidence, scope).outcome == outcome


def test_a_row_that_the_paper_lacks_does_not_decide_who_is_best(tmp_path):
    output = ReportOutput(tmp_path, models=["sasrec", "sasrec_ce", "elcrec"])
    output.scores({"sasrec": 0.04, "sasrec_ce": 0.09, "elcrec": 0.05})
    finding = claims_accuracy.best(output.evidence, ALONE)
    assert finding.outcome == HOLDS
    assert "above it on 4" in finding.sentence


@pytest.mark.parametrize(
    ("rival", "welch", "won"),
    [(0.04, 0.01, "1 of 1"), (0.04, 0.2, "0 of 1"), (0.06, 0.01, "0 of 1")],
)
def test_significance_is_against_the_strongest_rival_and_in_the_right_direction(
    output, rival, welch, won
):
    weak = output.comparison("iclrec", 0.01, 1e-9, 1e-9)
    output.table("significance", [weak, output.comparison("sasrec", rival, welch, 0.001)])
    assert f"on {won} cells" in claims_accuracy.significance(output.evidence, ALONE).sentence


def test_one_seed_gives_no_judgement_of_significance(output):
    output.table("significance", [output.comparison("sasrec", 0.04, "", 0.001)])
    finding = claims_accuracy.significance(output.evidence, ALONE)
    assert finding.outcome == NOT_RUN
    assert "1 of 1 cells" in finding.sentence


def _times(output: ReportOutput, iclrec: object, elcrec: object) -> None:
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
        for model, seconds in (("iclrec", iclrec), ("elcrec", elcrec))
    ]
    output.table("table2", rows)
    output.table("table3", rows)


@pytest.mark.parametrize("judge", [claims_efficiency.time, claims_efficiency.memory])
@pytest.mark.parametrize(
    ("elcrec", "scope", "outcome"),
    [(90, ALONE, HOLDS), (90, PAPER, PARTLY), (110, PAPER, FAILS), ("", PAPER, NOT_RUN)],
)
def test_time_and_memory(output, judge, elcrec, scope, outcome):
    _times(output, 100, elcrec)
    finding = judge(output.evidence, scope)
    assert finding.outcome == outcome
    assert outcome == NOT_RUN or "10.0 %" in finding.sentence


@pytest.mark.parametrize(
    ("sums", "outcome"),
    [
        ((0.1, 0.2, 0.3, 0.4), HOLDS),
        ((0.1, 0.2, 0.4, 0.3), PARTLY),  # the whole is below one part
        ((0.4, 0.3, 0.2, 0.1), FAILS),
        ((0.1, "", "", 0.4), NOT_RUN),  # no step between these two
    ],
)
def test_ablation(output, sums, outcome):
    arms = claims_training.ARMS.values()
    rows = [
        {"dataset": "beauty", "model": model, "mean": value}
        for model, value in zip(arms, sums, strict=True)
    ]
    output.table("ablation", rows, "figures")
    assert claims_training.ablation(output.evidence, ALONE).outcome == outcome


@pytest.mark.parametrize(("worst", "outcome"), [(0.095, HOLDS), (0.05, FAILS), ("", NOT_RUN)])
def test_sensitivity(output, worst, outcome):
    rows = [
        {"dataset": "beauty", "parameter": parameter, "mean": value}
        for parameter in ("alpha", "intents")
        for value in (0.1, 0.1, worst)
    ]
    output.table("sensitivity", rows, "figures")
    assert claims_training.sensitivity(output.evidence, ALONE).outcome == outcome


def test_convergence(output):
    output.run("elcrec")
    assert claims_training.convergence(output.evidence, ALONE).outcome == HOLDS
    output.run("elcrec", seed=2, best_epoch=3)  # cut off at its best epoch
    finding = claims_training.convergence(output.evidence, ALONE)
    assert finding.outcome == PARTLY
    assert "1 went on" in finding.sentence


def test_a_loss_that_rises_is_no_convergence(output):
    rows = [{"epoch": e, "loss_total": e, "HR@5": 0.01 * e} for e in (1, 2, 3)]
    output.run("elcrec", history=rows)
    assert claims_training.convergence(output.evidence, ALONE).outcome == FAILS


@pytest.mark.parametrize(
    ("used", "cosine", "outcome"),
    [(8, 0.1, HOLDS), (8, 0.95, FAILS), (0, 0.1, FAILS), (3, 0.1, PARTLY), (8, 0.7, PARTLY)],
)
def test_intents(output, used, cosine, outcome):
    row = {"intents_in_use": used, "center_cosine": cosine, "user_cosine": 0.5}
    rows = [{"epoch": e, "loss_total": 1, "HR@5": 0.1} | row for e in (1, 2)]
    output.run("elcrec", history=rows)  # 10 centers
    assert claims_training.intents(output.evidence, ALONE).outcome == outcome


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
    output.scores({"sasrec": 0.04, "elcrec": 0.05}, "ml-100k")
    best = judge_all(output.evidence, CLAIMS)[0]
    assert best.finding.outcome == NOT_RUN
    assert best.elsewhere.outcome == HOLDS
