import csv
import io
import re
import tempfile
from math import isnan, nan
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from elcrec.errors import InputError
from elcrec.evaluation.metrics import TABLE_METRICS, per_user
from elcrec.paper import load_accuracy
from elcrec.statistics.comparison import COLUMNS
from elcrec.statistics.tests import holm
from elcrec.tables import table1, table1_files
from elcrec.tables.layout import Names
from elcrec.tables.table1_files import headline
from tests.unit.tables.conftest import load_runs

DATASETS = {"beauty": "Beauty", "toys": "Toys"}
MODELS = {"popularity": "Popularity", "sasrec": "SASRec", "iclrec": "ICLRec", "elcrec": "ELCRec"}
STRENGTH = {"popularity": 0.3, "sasrec": 0.6, "iclrec": 0.7, "elcrec": 0.75}
SEEDS = [1, 2, 3]


def build(output, datasets=DATASETS, models=MODELS, seeds=SEEDS, **changes):
    records, gaps = load_runs(output.path, datasets, models, seeds)
    options = {"paper": load_accuracy(), "protocol": "paper"} | changes
    return table1.build(records, gaps, Names(datasets, models), **options)


def lines(frame):
    return list(csv.DictReader(io.StringIO(frame.to_csv(index=False))))


def written(table, suffix="md"):
    """What is written of a table: `table1.md`, or `table1.tex`."""
    with tempfile.TemporaryDirectory() as folder:
        table1_files.write_files(table, Path(folder))
        return (Path(folder) / f"table1.{suffix}").read_text()


@pytest.fixture
def full(output, ranks):
    """All runs of both data sets."""
    for number, dataset in enumerate(DATASETS):
        for model, strength in STRENGTH.items():
            for seed in SEEDS:
                changed = ranks(1000 * number + 10 * seed, strength + 0.02 * seed)
                output.run(dataset, model, seed, test=changed, valid=[0] * 400)
    return output


def test_rows_and_columns_of_the_csv(full):
    table = build(full)
    rows = lines(table.frame())
    assert [(r["dataset"], r["metric"], r["model"]) for r in rows] == [
        (d, m, i) for d in DATASETS for m in TABLE_METRICS for i in MODELS
    ]
    assert list(rows[0]) == [
        *["dataset", "metric", "model", "mean", "std", "low95", "high95", "seeds", "paper"],
        *["relative_difference_percent", "stopping"],
    ]
    columns = list(lines(table.significance())[0])
    first = ["family", "dataset", "metric", "model_a", "model_b", "mean_a", "mean_b"]
    first += ["difference", "relative_difference_percent", "difference_low95", "difference_high95"]
    first += ["t", "freedom", "p", "p_holm", "users_share_percent", "seeds"]
    first += ["welch_t", "welch_p", "welch_p_holm", "hedges_g"]
    first += ["paired_t", "paired_t_p", "paired_t_p_holm", "paired_n", "cohen_dz"]
    assert columns[: len(first)] == first  # further tests have theirs behind these
    assert columns[-2:] == ["sidedness", "note"]


def test_values_by_hand(output):
    # HR@5: ELCRec 0.5 and 0.75 and 1, SASRec 0.25 thrice.
    for seed, test in enumerate(([0, 1, 9, 9], [0, 1, 2, 9], [0, 1, 2, 3]), start=1):
        output.run("beauty", "elcrec", seed, test=test)
        output.run("beauty", "sasrec", seed, test=[0, 9, 9, 9])
    table = build(output, {"beauty": "Beauty"}, {"sasrec": "SASRec", "elcrec": "ELCRec"})
    cell, sasrec = (table.cells["beauty", "HR@5", model] for model in ("elcrec", "sasrec"))
    # SASRec's seeds agree in every rank, so ELCRec's own three are all that is known of the noise:
    half = 4.302653 * 0.25 / 3**0.5  # of Student's interval with 2 degrees of freedom
    assert (cell.mean, cell.std, cell.seeds, cell.paper) == (0.75, 0.25, 3, 0.0529)
    assert (cell.low95, cell.high95) == pytest.approx((0.75 - half, 0.75 + half))
    where = ("beauty", "HR@5", "sasrec")
    difference = 100 * (0.25 - 0.0374) / 0.0374
    assert sasrec == table1.Cell(*where, 0.25, 0.0, 0.25, 0.25, 3, 0.0374, difference, "")
    assert cell.relative_difference_percent == pytest.approx(100 * (0.75 / 0.0529 - 1))
    assert table.ranked["beauty", "HR@5"] == ["elcrec", "sasrec"]
    assert "+6.9% |   3.2e-06 |" in written(table)  # the paper's improvement of 6.87 %


def test_best_and_runner_up_are_by_mean(full):
    table = build(full)
    for (dataset, metric), ranked in table.ranked.items():
        order = sorted(MODELS, key=lambda model: -table.cells[dataset, metric, model].mean)
        top = table.tops[dataset, metric]
        assert (ranked[0], top.model_a, top.model_b) == (order[0], *order[:2])


def test_p_values_equal_those_of_scipy(full):
    table = build(full)
    records, _ = load_runs(full.path, DATASETS, MODELS, SEEDS)
    compared = [*table.against_each, *table.tops.values()]
    assert len(compared) == 8 * 3 + 8
    for c in compared:
        a, b = (
            [r for r in records if (r.dataset, r.model) == (c.dataset, model)]
            for model in (c.model_a, c.model_b)
        )
        over_seeds = scipy.stats.ttest_ind(
            *([r.metrics["test"][c.metric] for r in runs] for runs in (a, b)), equal_var=False
        )
        users = [
            sum(per_user(c.metric, r.ranks["test"]) for r in runs) / len(runs) for runs in (a, b)
        ]
        over_users = scipy.stats.ttest_rel(*users)
        assert c.tests["Welch"].p_value == pytest.approx(over_seeds.pvalue)
        assert c.tests["Welch"].n == (3, 3)
        assert c.tests["paired"].p_value == pytest.approx(over_users.pvalue)
        assert c.tests["paired"].statistic == pytest.approx(over_users.statistic)
        assert c.tests["paired"].n == (400,)
        assert c.tests["paired"].difference == pytest.approx(c.mean_a - c.mean_b)


def test_the_primary_test_adds_training_noise_to_that_of_users(full):
    for c in build(full).against_each:
        of_users = (
            c.tests["paired"].difference / c.tests["paired"].statistic
        ) ** 2  # with these weights
        assert 0 <= c.primary.users_variance <= of_users * (1 + 1e-9)
        whole = c.primary.users_variance + c.primary.training_variance
        assert c.primary.statistic == pytest.approx(c.primary.difference / whole**0.5)
        assert c.primary.difference == pytest.approx(c.mean_a - c.mean_b)
        middle = (c.primary.low + c.primary.high) / 2
        assert middle == pytest.approx(c.primary.difference)
        assert 0 <= c.users_share < 1
        assert c.primary.freedom < 399


def test_direction_of_the_tests(full):
    for c in build(full).against_each:
        assert c.model_a == "elcrec"
        if c.model_b == "popularity":
            assert c.tests["Welch"].statistic > 0 < c.tests["paired"].statistic
            assert c.tests["Welch"].effect > 0 < c.tests["paired"].effect
            assert c.tests["paired"].p_value < 1e-6
            assert c.primary.p_value < 0.05
            assert 0 < c.primary.low < c.tests["paired"].difference < c.primary.high
    for c in build(full, reference="popularity").against_each:
        if c.model_b == "elcrec":
            assert c.tests["paired"].statistic < 0 > c.primary.statistic
            assert c.primary.high < 0


def test_holm_families(full):
    table = build(full)
    each = table.against_each
    assert [c.tests["paired"].p_holm for c in each] == holm(c.tests["paired"].p_value for c in each)
    assert [c.tests["Welch"].p_holm for c in each] == holm(c.tests["Welch"].p_value for c in each)
    assert [c.primary_holm for c in each] == holm(c.primary.p_value for c in each)
    tops = list(table.tops.values())
    assert [c.tests["paired"].p_holm for c in tops] == holm(c.tests["paired"].p_value for c in tops)
    rows = lines(table.significance())
    assert [r["family"] for r in rows] == [table1.EACH] * 24 + [table1.BEST] * 8
    assert [float(r["welch_p_holm"]) for r in rows[:24]] == [c.tests["Welch"].p_holm for c in each]
    assert {(r["seeds"], r["paired_n"], r["sidedness"]) for r in rows} == {
        ("3+3", "400", "two-sided")
    }
    assert tuple(rows[0]) == COLUMNS


def test_csv_and_table_agree(full):
    table = build(full)
    for line, cell in zip(lines(table.frame()), table.cells.values(), strict=True):
        assert float(line["mean"]) == cell.mean
        if line["model"] == "popularity":
            assert line["paper"] == line["relative_difference_percent"] == ""
    best = [line for line in lines(table.significance()) if line["family"] == table1.BEST]
    for line, top in zip(best, table.tops.values(), strict=True):
        assert (line["model_a"], line["model_b"]) == (top.model_a, top.model_b)
        assert float(line["paired_t_p_holm"]) == top.tests["paired"].p_holm
        assert float(line["p_holm"]) == top.primary_holm


def test_a_gap_is_shown_and_listed(full):
    for dataset, model, seed in [("toys", "sasrec", s) for s in SEEDS] + [("beauty", "iclrec", 2)]:
        (full.path / "runs" / dataset / model / str(seed) / "metrics.json").unlink()
    table = build(full)
    toys = table.cells["toys", "HR@5", "sasrec"]
    assert isnan(toys.mean)
    assert toys.seeds == 0
    assert table.cells["beauty", "HR@5", "iclrec"].seeds == 2
    assert len(table.against_each) == 8 * 3 - 4
    line = lines(table.frame())[4 * len(MODELS) + 1]
    assert (line["dataset"], line["model"]) == ("toys", "sasrec")
    assert (line["mean"], line["seeds"], line["paper"]) == ("", "0", "0.0463")
    text = written(table)
    assert "- Missing: SASRec on Toys, seeds 1, 2, 3.\n" in text
    assert "- Missing: ICLRec on Beauty, seed 2.\n" in text
    assert "(n = 2)" in text
    assert headline(table).endswith("Missing: SASRec on Toys, seeds 1, 2, 3.\n")
    assert cells(text, "HR@5", "ours", nth=1)[2] == "–"


def test_no_run_at_all(output):
    table = build(output)
    assert not table.tops
    assert not any(table.ranked.values())
    assert lines(table.frame())[0]["mean"] == ""
    assert lines(table.significance()) == []
    assert "Missing: ELCRec on Toys" in written(table)
    assert "–" in headline(table)


def test_one_seed(output, ranks):
    for model, strength in STRENGTH.items():
        output.run("beauty", model, 1, test=ranks(1, strength))
    table = build(output, {"beauty": "Beauty"}, seeds=[1])
    cell, top = table.cells["beauty", "HR@5", "elcrec"], table.tops["beauty", "HR@5"]
    assert isnan(cell.std)
    assert isnan(top.tests["Welch"].p_value)
    assert isnan(top.tests["Welch"].p_holm)
    assert isnan(top.primary.p_value)
    assert isnan(cell.low95)
    assert top.tests["paired"].p_value < 1
    assert "fewer than two" in lines(table.significance())[0]["note"]
    text = written(table)
    assert " ± " not in text.split("## Notes")[0]
    assert "| 95 %  |" not in text.split("## Best model")[0]
    assert "– (–)" not in text


def test_one_seed_has_the_noise_of_the_others(output, ranks):
    for model, strength in STRENGTH.items():
        for seed in (1,) if model == "elcrec" else SEEDS:
            output.run("beauty", model, seed, test=ranks(10 * seed, strength + 0.02 * seed))
    table = build(output, {"beauty": "Beauty"})
    own, other = (table.cells["beauty", "HR@5", model] for model in ("elcrec", "iclrec"))
    assert isnan(own.std)
    assert (own.high95 - own.low95) / own.mean > (other.high95 - other.low95) / other.mean > 0
    assert all(0 < c.primary.p_value <= 1 for c in table.against_each)
    assert all(isnan(c.tests["Welch"].p_value) for c in table.against_each)
    assert re.search(r"Training noise, .*HR@5 \d+\.\d % \(\d\.\d\)", written(table))


def test_runs_at_the_limit_and_runs_that_stopped_early_are_marked(output):
    for seed in SEEDS:
        for model in ("sasrec", "elcrec"):
            output.run("beauty", model, seed)
    models = {"sasrec": "SASRec", "elcrec": "ELCRec"}
    records, gaps = load_runs(output.path, ["beauty"], models, SEEDS)
    epochs = {
        "sasrec": [(218, 258), (53, 93), (98, 138)],
        "elcrec": [(297, 300)] + [(297, 330)] * 2,
    }
    trained = [
        r.replaced(best_epoch=best, epochs=count)
        for r in records
        for best, count in [epochs[r.model][r.seed - 1]]
    ]
    names = Names({"beauty": "Beauty"}, models)
    table = table1.build(trained, gaps, names, paper={}, protocol="paper")
    assert table.cells["beauty", "HR@5", "sasrec"].stopping == "‡ seed 2 (53 of 93)"
    assert table.cells["beauty", "HR@5", "elcrec"].stopping == "† seed 1 (297 of 300)"
    text = written(table)
    assert "0.7500 ± 0.0000 ‡" in text
    assert "- SASRec on Beauty: ‡ seed 2 (53 of 93).\n" in text
    assert "†: the best epoch of a run is the last one allowed" in text


def test_one_model_has_no_runner_up(output):
    output.run("beauty", "elcrec", 1)
    table = build(output, {"beauty": "Beauty"}, {"elcrec": "ELCRec"}, [1])
    assert table.ranked["beauty", "HR@5"] == ["elcrec"]
    assert not table.tops
    assert "**0.5000**" in written(table)
    assert "| ELCRec | –         |" in written(table)  # the best, and no runner-up


def test_a_tie_goes_to_the_first_model_and_has_p_one(output):
    for model in ("sasrec", "elcrec"):
        for seed in (1, 2):
            output.run("beauty", model, seed)
    table = build(output, {"beauty": "Beauty"}, {"sasrec": "S", "elcrec": "E"}, [1, 2])
    top = table.tops["beauty", "HR@5"]
    assert (top.model_a, top.model_b) == ("sasrec", "elcrec")
    welch, paired = top.tests["Welch"], top.tests["paired"]
    assert welch.p_value == paired.p_value == welch.p_holm == 1.0
    assert top.primary.p_value == 1.0
    assert welch.effect == paired.effect == 0.0
    assert (top.primary.low, top.primary.high) == (0.0, 0.0)


def cells(text, metric, kind, nth=0):
    """Cells of a line of the first table."""
    pattern = rf"\| \w* +\| {metric} +\| {kind} .*"
    return [cell.strip() for cell in re.findall(pattern, text)[nth].strip("|").split("|")][2:]


def test_markdown_marks_the_best_and_the_runner_up(full):
    table = build(full)
    text = written(table)
    for nth, dataset in enumerate(DATASETS):
        for metric in TABLE_METRICS:
            best, second = table.ranked[dataset, metric][:2]
            shown = dict(zip(MODELS, cells(text, metric, "ours", nth)[1:], strict=True))
            for model in MODELS:
                cell = table.cells[dataset, metric, model]
                plain = f"{cell.mean:.4f} ± {cell.std:.4f}"
                marks = {best: f"**{plain}**", second: f"<u>{plain}</u>"}
                assert shown[model] == marks.get(model, plain)


def test_markdown_shows_the_papers_values_and_our_distance(full):
    text = written(build(full))
    interval, paper = text.splitlines()[5:7]
    assert re.search(r"\| 95 % +\| \[0\.\d{4}, 0\.\d{4}\] \|", interval)
    assert re.search(r"\| paper +\| +– \| +0\.0374 \(\+\d+\.\d%\)", paper)
    assert "+6.9%" in text
    assert "3.2e-06" in text


def test_notes_say_what_was_done_and_with_what(full):
    notes = written(build(full)).split("## Notes")[1]
    for words in ("sample standard deviation", "two-sided", "Holm", "24 comparisons", "over seeds"):
        assert words in notes
    for words in ("crossed random effects", "empirical Bayes", "Hedges' g", "d_z", "MLSys 2021"):
        assert words in notes
    assert "these trained weights" in notes
    assert re.search(r"Training noise, .*HR@5 \d+\.\d % \(\d+\.\d\)", notes)
    assert "of our 8 columns 0 violate it" in notes
    assert "Protocol `paper`" in notes
    assert "Commit of the runs: 0123456789ab." in notes
    assert "Device of the runs: cpu: test." in notes
    assert "Missing" not in notes


def test_uncommitted_changes_and_several_devices_are_noted(output):
    output.run("beauty", "elcrec", 1, dirty=True, commit=None)
    output.run("beauty", "elcrec", 2, device="cuda: X")
    text = written(build(output, {"beauty": "Beauty"}, {"elcrec": "ELCRec"}, [1, 2]))
    assert "0123456789ab, unknown with changes" in text
    assert "cpu: test, cuda: X" in text


def test_a_data_set_that_the_paper_lacks_has_no_paper_line(output):
    output.run("ml-100k", "elcrec", 1)
    table = build(output, {"ml-100k": "ML-100K"}, {"elcrec": "ELCRec"}, [1])
    assert "| paper" not in written(table)
    assert isnan(table.cells["ml-100k", "HR@5", "elcrec"].relative_difference_percent)
    assert "Paper's p |" not in written(table)


def test_figures_of_the_paper_that_cannot_be_are_noted(output):
    output.run("beauty", "gru4rec", 1)
    text = written(build(output, {"beauty": "Beauty"}, {"gru4rec": "GRU4Rec"}, [1]))
    assert "GRU4Rec on Beauty do not fit together" in text
    assert "0.0142 to 0.0189, and it prints 0.0104" in text


def test_latex_marks_the_best_and_the_runner_up(full):
    table = build(full)
    text = written(table, "tex")
    for where, ranked in table.ranked.items():
        best, second = (table.cells[*where, model] for model in ranked[:2])
        assert rf"\textbf{{{best.mean:.4f} $\pm$ {best.std:.4f}}}" in text
        assert rf"\underline{{{second.mean:.4f} $\pm$ {second.std:.4f}}}" in text
    assert text.count(r"\begin{table}") == 2
    assert "% Commit of the runs: 0123456789ab." in text
    assert "3.2 \\times 10^{-6}" in text


def test_headline(full):
    text = headline(build(full))
    rows = text.splitlines()
    assert rows[0].split() == ["Dataset", "Metric", *MODELS.values()]
    expected = [[d, m] for d in ("Beauty", "Toys") for m in ("HR@5", "NDCG@20")]
    assert [row.split()[:2] for row in rows[1:5]] == expected
    assert rows[1].endswith("(0.0529)")
    assert len({len(row) for row in rows[:5]}) == 1


class TestRefusals:
    def test_another_protocol(self, output):
        output.run("beauty", "elcrec", 1, protocol="strict")
        with pytest.raises(InputError, match=r"1/metrics\.json: protocol is 'strict'.*'paper'"):
            build(output)
        build(output, protocol="strict")

    def test_other_users(self, output):
        output.run("beauty", "sasrec", 1, test=[1, 2, 3])
        output.run("beauty", "elcrec", 1, test=[1, 2, 3, 4])
        with pytest.raises(InputError, match=r"metrics\.json: users is 3; allowed: 4"):
            build(output)

    def test_other_code(self, output):
        output.run("beauty", "elcrec", 1)
        output.run("toys", "elcrec", 1, fingerprint="old")
        with pytest.raises(InputError, match=r"toys.*fingerprint is old, .*not mixed"):
            build(output)

    def test_other_settings(self, output):
        output.run("toys", "elcrec", 1, settings="its own")  # data sets have settings of their own
        output.run("beauty", "elcrec", 1)
        output.run("beauty", "elcrec", 2, settings="old")
        with pytest.raises(InputError, match=r"beauty.*settings is old, .*not mixed"):
            build(output)

    def test_other_histories(self, output):
        output.run("beauty", "elcrec", 1)
        output.run("beauty", "sasrec", 1, data="older file")
        with pytest.raises(InputError, match=r"data is older file, .*not mixed"):
            build(output)

    @pytest.mark.parametrize("ndcg20", [0.0, 1.0, nan])
    def test_metrics_that_no_ranks_can_give(self, output, ndcg20):
        output.run("beauty", "elcrec", 1, test=np.arange(30))
        records, gaps = load_runs(output.path, ["beauty"], ["elcrec"], [1])
        test = dict(records[0].metrics["test"]) | {"NDCG@20": ndcg20}
        corrupt = records[0].replaced(metrics={"test": test})
        with pytest.raises(InputError, match=r"metrics\.json: metrics.test.NDCG@20 .* corrupt"):
            table1.build([corrupt], gaps, Names(DATASETS, MODELS), paper={}, protocol="paper")
