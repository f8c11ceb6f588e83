"""Claims about Table 1, for and against, with some or all of the rivals run."""

import pytest

from elcrec.errors import InputError
from elcrec.metrics import TABLE_METRICS
from elcrec.report import claims_accuracy
from elcrec.report.claims import FAILS, HOLDS, NOT_RUN, PARTLY, Scope
from tests.unit.report.report_output import ReportOutput

ALONE = Scope(["beauty"], 1)
PAPER = Scope(["beauty"], 4)


@pytest.mark.parametrize(
    ("sasrec", "scope", "outcome"),
    [(0.04, ALONE, HOLDS), (0.04, PAPER, PARTLY), (0.06, PAPER, FAILS)],
)
def test_best(output, sasrec, scope, outcome):
    output.scores({"sasrec": sasrec, "iclrec": 0.03, "elcrec": 0.05})
    finding = claims_accuracy.best(output.evidence, scope)
    assert finding.outcome == outcome
    assert "2 of the 12 rivals" in finding.sentence


@pytest.mark.parametrize(("seeds", "outcome"), [(1, PARTLY), (2, FAILS)])
def test_a_cell_is_lost_for_good_once_all_seeds_are_there(output, seeds, outcome):
    output.scores({"sasrec": 0.04, "iclrec": 0.06, "elcrec": 0.05}, seeds=seeds)
    finding = claims_accuracy.best(output.evidence, ALONE)
    assert finding.outcome == outcome
    assert "Beauty HR@5 (ICLRec 0.0600, ELCRec 0.0500)" in finding.sentence
    assert ("4 of these cells" in finding.sentence) == (seeds == 1)


def test_a_lead_with_one_seed_does_not_hold_yet(output):
    output.scores({"sasrec": 0.04, "iclrec": 0.04, "elcrec": 0.05}, seeds=1)
    assert claims_accuracy.best(output.evidence, ALONE).outcome == PARTLY


@pytest.mark.parametrize("missing", ["sasrec", "iclrec"])
@pytest.mark.parametrize(("rival", "outcome"), [(0.04, PARTLY), (0.06, FAILS)])
def test_best_cannot_hold_before_every_configured_rival_is_run(output, missing, rival, outcome):
    run = {"sasrec": rival, "iclrec": rival, "elcrec": 0.05}
    del run[missing]
    output.scores(run)
    finding = claims_accuracy.best(output.evidence, ALONE)
    assert finding.outcome == outcome
    assert "1 of the 12 rivals" in finding.sentence


def test_best_cannot_hold_without_iclrec_in_the_configuration(tmp_path):
    output = ReportOutput(tmp_path, models=["sasrec", "elcrec"])
    output.scores({"sasrec": 0.04, "elcrec": 0.05})
    assert claims_accuracy.best(output.evidence, ALONE).outcome == PARTLY


@pytest.mark.parametrize(
    ("worse_on", "printed", "outcome"),
    [(1, {}, HOLDS), (2, {}, FAILS), (2, {("Sports", "HR@5", "ICLRec"): 0.9}, HOLDS)],
)
def test_best_allows_as_many_exceptions_as_the_papers_own_table(
    tmp_path, worse_on, printed, outcome
):
    datasets = ["sports", "beauty", "toys", "yelp"]
    output = ReportOutput(tmp_path, use=datasets)
    rows = [
        {"dataset": d, "metric": m}
        | {
            f"{model}_{key}": value
            for model, mean in (("sasrec", 0.04), ("iclrec", 0.04), ("elcrec", 0.05))
            for key, value in (("mean", mean), ("std", 0.001), ("seeds", 2), ("paper", 0.05))
        }
        | {f"{x}_relative_difference_percent": 0 for x in ("sasrec", "iclrec", "elcrec")}
        for d in datasets
        for m in TABLE_METRICS
    ]
    for row in rows[:worse_on]:
        row["iclrec_mean"] = 0.06
    output.table("table1", rows)
    evidence = output.evidence
    vars(evidence)["paper"] = {**evidence.paper, **printed}
    assert claims_accuracy.best(evidence, Scope(datasets, 4)).outcome == outcome


def test_a_row_that_the_paper_lacks_does_not_decide_who_is_best(tmp_path):
    output = ReportOutput(tmp_path, models=["iclrec", "sasrec_ce", "elcrec"])
    output.scores({"iclrec": 0.04, "sasrec_ce": 0.09, "elcrec": 0.05})
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


def _compared(output: ReportOutput, rivals: dict[str, object]) -> None:
    lines = [
        output.comparison(m, 0.04 + i / 1000, p, 0.001) for i, (m, p) in enumerate(rivals.items())
    ]
    output.table("significance", [x | {"metric": m} for m in TABLE_METRICS for x in lines])


@pytest.mark.parametrize(
    ("rivals", "outcome"),
    [
        ({"sasrec": 0.01, "iclrec": 0.01}, HOLDS),
        ({"sasrec": 0.01}, PARTLY),
        ({"iclrec": 0.01}, PARTLY),
        ({"iclrec": 0.2}, FAILS),
    ],
)
def test_significance_cannot_hold_before_every_configured_rival_is_run(output, rivals, outcome):
    _compared(output, rivals)
    finding = claims_accuracy.significance(output.evidence, ALONE)
    assert finding.outcome == outcome
    assert f"{len(rivals)} of the 12 rivals" in finding.sentence


@pytest.mark.parametrize("p", [0.01, 0.2])
def test_significance_is_open_while_seeds_are_missing(output, p):
    lines = [output.comparison(m, 0.04, p, 0.001) for m in ("sasrec", "iclrec")]
    rows = [x | {"metric": m, "welch_n": "2+1"} for m in TABLE_METRICS for x in lines]
    output.table("significance", rows)
    assert claims_accuracy.significance(output.evidence, ALONE).outcome == PARTLY


def test_a_count_of_seeds_that_is_none_is_refused(output):
    output.table("significance", [output.comparison("sasrec", 0.04, 0.01, 0.001) | {"welch_n": 4}])
    with pytest.raises(InputError, match=r"significance\.csv: welch_n is '4'; allowed: two counts"):
        claims_accuracy.significance(output.evidence, ALONE)


def test_cells_whose_strongest_rival_has_one_seed_are_named(output):
    lines = [output.comparison("sasrec", 0.03, 0.01, 0.001) | {"metric": m} for m in TABLE_METRICS]
    strong = output.comparison("iclrec", 0.04, 0.01, 0.001)
    tested = [strong | {"metric": m} for m in TABLE_METRICS[1:]]
    untested = strong | {"metric": TABLE_METRICS[0], "welch_p_holm": ""}
    output.table("significance", [*lines, untested, *tested])
    finding = claims_accuracy.significance(output.evidence, ALONE)
    assert finding.outcome == PARTLY
    assert "1 of 4 cells cannot be tested" in finding.sentence
    assert f"Beauty {TABLE_METRICS[0]} (ICLRec)" in finding.sentence


def test_one_seed_gives_no_judgement_of_significance(output):
    output.table("significance", [output.comparison("sasrec", 0.04, "", 0.001)])
    finding = claims_accuracy.significance(output.evidence, ALONE)
    assert finding.outcome == NOT_RUN
    assert "1 of 1 cells" in finding.sentence
