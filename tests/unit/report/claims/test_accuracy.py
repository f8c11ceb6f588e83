"""Claims about Table 1, for and against, with some or all of the rivals run."""

from collections.abc import Sequence

import pytest

from elcrec.errors import InputError
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.report.claims import accuracy
from elcrec.report.claims.claim import FAILS, HOLDS, NOT_DECIDABLE, PROVISIONAL, Scope
from tests.unit.report.report_output import ReportOutput

ALONE = Scope(["beauty"], 1)
PAPER = Scope(["beauty"], 4)


@pytest.mark.parametrize(
    ("sasrec", "scope", "outcome"),
    [(0.04, ALONE, HOLDS), (0.04, PAPER, PROVISIONAL), (0.06, PAPER, FAILS)],
)
def test_best(output, sasrec, scope, outcome):
    output.scores({"sasrec": sasrec, "iclrec": 0.03, "elcrec": 0.05})
    finding = accuracy.best(output.evidence, scope)
    assert finding.outcome == outcome
    assert "2 of the 12 rivals" in finding.sentence


def test_best_counts_wins_losses_and_what_is_equal_in_the_printed_digits(output):
    output.scores({"iclrec": 0.050049, "sasrec": 0.04, "elcrec": 0.04996})
    finding = accuracy.best(output.evidence, ALONE)
    assert "above the best other method of the paper on 0 of the 4" in finding.sentence
    assert "equal to four digits on 4 and below on 0" in finding.sentence
    assert finding.outcome == HOLDS
    output.scores({"iclrec": 0.0502, "sasrec": 0.04, "elcrec": 0.05})
    finding = accuracy.best(output.evidence, ALONE)
    assert "equal to four digits on 0 and below on 4" in finding.sentence
    assert finding.outcome == FAILS


@pytest.mark.parametrize(("seeds", "outcome"), [(1, PROVISIONAL), (2, FAILS)])
def test_a_cell_is_lost_for_good_once_all_seeds_are_there(output, seeds, outcome):
    output.scores({"sasrec": 0.04, "iclrec": 0.06, "elcrec": 0.05}, seeds=seeds)
    finding = accuracy.best(output.evidence, ALONE)
    assert finding.outcome == outcome
    assert "Beauty HR@5: ICLRec 0.0600, ELCRec 0.0500" in finding.sentence
    assert ("4 of these cells are provisional" in finding.sentence) == (seeds == 1)


def test_a_lead_with_one_seed_does_not_hold_yet(output):
    output.scores({"sasrec": 0.04, "iclrec": 0.04, "elcrec": 0.05}, seeds=1)
    assert accuracy.best(output.evidence, ALONE).outcome == PROVISIONAL


@pytest.mark.parametrize("missing", ["sasrec", "iclrec"])
@pytest.mark.parametrize(("rival", "outcome"), [(0.04, PROVISIONAL), (0.06, FAILS)])
def test_best_cannot_hold_before_every_configured_rival_is_run(output, missing, rival, outcome):
    run = {"sasrec": rival, "iclrec": rival, "elcrec": 0.05}
    del run[missing]
    output.scores(run)
    finding = accuracy.best(output.evidence, ALONE)
    assert finding.outcome == outcome
    assert "1 of the 12 rivals" in finding.sentence


def test_best_cannot_hold_without_iclrec_in_the_configuration(tmp_path):
    output = ReportOutput(tmp_path, models=["sasrec", "elcrec"])
    output.scores({"sasrec": 0.04, "elcrec": 0.05})
    assert accuracy.best(output.evidence, ALONE).outcome == PROVISIONAL


@pytest.mark.parametrize(
    ("worse_on", "printed", "outcome"),
    [(1, {}, HOLDS), (2, {}, FAILS), (2, {("Sports", "HR@5", "ICLRec"): 0.9}, HOLDS)],
)
def test_best_allows_as_many_exceptions_as_the_papers_own_table(
    tmp_path, worse_on, printed, outcome
):
    datasets = ["sports", "beauty", "toys", "yelp"]
    output = ReportOutput(tmp_path, use=datasets)
    cell = {"std": 0.001, "seeds": 2, "paper": 0.05, "relative_difference_percent": 0}
    worse = [(d, m) for d in datasets for m in TABLE_METRICS][:worse_on]
    rows = [
        {"dataset": d, "metric": m, "model": model, "mean": mean, "stopping": "", **cell}
        for d in datasets
        for m in TABLE_METRICS
        for model, mean in (
            ("sasrec", 0.04),
            ("iclrec", 0.06 if (d, m) in worse else 0.04),
            ("elcrec", 0.05),
        )
    ]
    output.table("table1", rows)
    evidence = output.evidence
    vars(evidence)["paper"] = {**evidence.paper, **printed}
    assert accuracy.best(evidence, Scope(datasets, 4)).outcome == outcome


def test_a_row_that_the_paper_lacks_does_not_decide_who_is_best(tmp_path):
    output = ReportOutput(tmp_path, models=["iclrec", "sasrec_ce", "elcrec"])
    output.scores({"iclrec": 0.04, "sasrec_ce": 0.09, "elcrec": 0.05})
    finding = accuracy.best(output.evidence, ALONE)
    assert finding.outcome == HOLDS
    assert "above it on 4" in finding.sentence


@pytest.mark.parametrize(
    ("rival", "p", "counted"),
    [
        (0.04, 0.01, "above on 1 and below on 0"),
        (0.04, 0.2, "above on 0 and below on 0"),
        (0.06, 0.01, "above on 0 and below on 1"),
    ],
)
def test_significance_is_against_the_strongest_rival_and_counts_both_directions(
    output, rival, p, counted
):
    weak = output.comparison("iclrec", 0.01, 1e-9)
    output.table("significance", [weak, output.comparison("sasrec", rival, p)])
    assert counted in accuracy.significance(output.evidence, ALONE).sentence


def _compared(output: ReportOutput, rivals: dict[str, object], **changes: object) -> None:
    lines = [
        output.comparison(m, 0.04 + i / 1000, p) | changes
        for i, (m, p) in enumerate(rivals.items())
    ]
    output.table("significance", [x | {"metric": m} for m in TABLE_METRICS for x in lines])


def _detectable(
    output: ReportOutput, design: float, metrics: Sequence[str] = TABLE_METRICS
) -> None:
    """The paper's lead is 5 % on every cell; the design detects so much."""
    values = {"dataset": "beauty", "design_holm_percent": design, "paper_lead_percent": 5}
    output.table("detectable", [values | {"metric": m} for m in metrics])


@pytest.mark.parametrize(
    ("rivals", "outcome"),
    [
        ({"sasrec": 0.01, "iclrec": 0.01}, HOLDS),
        ({"sasrec": 0.01}, PROVISIONAL),
        ({"iclrec": 0.01}, PROVISIONAL),
        ({"iclrec": 0.2}, FAILS),
    ],
)
def test_significance_cannot_hold_before_every_configured_rival_is_run(output, rivals, outcome):
    _compared(output, rivals)
    finding = accuracy.significance(output.evidence, ALONE)
    assert finding.outcome == outcome
    assert f"{len(rivals)} of the 12 rivals" in finding.sentence


@pytest.mark.parametrize(
    ("p", "design", "outcome"),
    [(0.2, 4.0, FAILS), (0.2, 6.0, NOT_DECIDABLE), (0.01, 6.0, HOLDS)],
)
def test_what_the_design_cannot_detect_is_not_decidable(output, p, design, outcome):
    _compared(output, {"sasrec": p, "iclrec": p})
    _detectable(output, design)
    finding = accuracy.significance(output.evidence, ALONE)
    assert finding.outcome == outcome
    assert ("On 4 of these the lead that the paper prints is below" in finding.sentence) == (
        outcome == NOT_DECIDABLE
    )
    assert ("2 seeds of each model detect with 80 % power" in finding.sentence) == (
        outcome == NOT_DECIDABLE
    )


@pytest.mark.parametrize(
    ("iclrec", "design", "outcome"),
    [
        (0.06, 4.0, FAILS),
        (0.06, 6.0, NOT_DECIDABLE),
        (0.04, 6.0, NOT_DECIDABLE),
        (0.04, 4.0, HOLDS),
    ],
)
def test_who_is_best_is_not_decidable_below_the_detectable_lead(output, iclrec, design, outcome):
    output.scores({"sasrec": 0.04, "iclrec": iclrec, "elcrec": 0.05})
    _detectable(output, design)
    finding = accuracy.best(output.evidence, ALONE)
    assert finding.outcome == outcome
    assert ("who is best there may be chance" in finding.sentence) == (design > 5)


def test_a_loss_counts_against_the_claim_whatever_the_design_can_detect(output):
    lines = [output.comparison(m, 0.06, 0.01) for m in ("sasrec", "iclrec")]
    output.table("significance", [x | {"metric": m} for m in TABLE_METRICS for x in lines])
    _detectable(output, 20.0)
    finding = accuracy.significance(output.evidence, ALONE)
    assert finding.outcome == FAILS
    assert "below on 4 of the 4 cells" in finding.sentence


@pytest.mark.parametrize("p", [0.01, 0.2])
def test_significance_is_open_while_seeds_are_missing(output, p):
    _compared(output, {"sasrec": p, "iclrec": p}, seeds="2+1")
    finding = accuracy.significance(output.evidence, ALONE)
    assert finding.outcome == PROVISIONAL
    assert "4 of these cells are provisional" in finding.sentence


def test_a_count_of_seeds_that_is_none_is_refused(output):
    output.table("significance", [output.comparison("sasrec", 0.04, 0.01) | {"seeds": 4}])
    with pytest.raises(InputError, match=r"significance\.csv: seeds is '4'; allowed: two counts"):
        accuracy.significance(output.evidence, ALONE)


def test_cells_without_a_test_are_named(output):
    _compared(output, {"sasrec": 0.01, "iclrec": ""}, seeds="1+1")
    finding = accuracy.significance(output.evidence, ALONE)
    assert finding.outcome == PROVISIONAL
    assert f"Without a test, as no model has two seeds: Beauty {TABLE_METRICS[0]} (ICLRec)" in (
        finding.sentence
    )
