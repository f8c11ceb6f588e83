import math

import pytest

from elcrec.errors import InputError
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.paper import (
    lead,
    load_accuracy,
    load_efficiency,
    load_gains,
    load_printed,
    load_released,
    printed_in,
    printed_sizes,
)

DATASETS = ("Sports", "Beauty", "Toys", "Yelp")
METHODS = (
    *("BPR-MF", "GRU4Rec", "Caser", "SASRec", "BERT4Rec", "DSSRec", "S3-Rec"),
    *("CL4SRec", "DCRec", "MAERec", "IOCRec", "ICLRec", "ELCRec"),
)


def test_known_values():
    table = load_accuracy()
    assert table["Beauty", "HR@5", "ELCRec"] == 0.0529
    assert table["Beauty", "NDCG@20", "ICLRec"] == 0.0491
    assert table["Sports", "HR@5", "improvement"] == 8.75
    assert table["Toys", "HR@5", "improvement"] == -0.17
    assert table["Sports", "HR@5", "p_value"] == 2.34e-6


def test_table_1_is_whole_but_for_what_was_not_published():
    table = load_accuracy()
    columns = (*METHODS, "improvement", "p_value")
    expected = {(d, m, c) for d in DATASETS for m in TABLE_METRICS for c in columns}
    assert expected - set(table) == {("Yelp", m, "DCRec") for m in TABLE_METRICS}
    assert not set(table) - expected


@pytest.mark.parametrize("dataset", DATASETS)
def test_improvements_follow_from_the_printed_values(dataset):
    table = load_accuracy()
    for metric in TABLE_METRICS:
        others = [table.get((dataset, metric, m), 0.0) for m in METHODS if m != "ELCRec"]
        best = max(others)
        change = 100 * (table[dataset, metric, "ELCRec"] - best) / best
        assert change == pytest.approx(table[dataset, metric, "improvement"], abs=0.01), metric


def test_efficiency_averages_follow_from_the_rows():
    table = load_efficiency()
    for method in ("S3-Rec", "ICLRec", "ELCRec"):
        for column in ("seconds", "megabytes"):
            mean = sum(table[d, method, column] for d in DATASETS) / 4
            assert table["Average", method, column] == pytest.approx(mean, abs=1)


def test_efficiency_known_values():
    table = load_efficiency()
    assert table["Sports", "ELCRec", "seconds"] == 5360
    assert table["Beauty", "ELCRec", "megabytes"] == 1594
    assert table["Yelp", "S3-Rec", "megabytes"] == 3982


def test_gains_of_the_a_b_test_and_by_activity():
    assert load_gains(3)["Merchandise", "UVCTR"] == 1.62
    assert list(load_gains(3).values()) == [2.45, 2.28, 2.41, 1.62]
    assert load_gains(4)["high activity", "VV"] == 16.9
    assert len(load_gains(4)) == 10


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["columns must be dataset, metric"]),
        ("metric,dataset,A\n", ["columns must be dataset, metric"]),
        ("dataset,metric,A,A\n", ["columns"]),
        ("dataset,metric,A\nX,HR@5\n", ["row X, HR@5", "2 fields", "allowed: 3"]),
        ("dataset,metric,A\nX,HR@5,n/a\n", ["row X, HR@5, column A", "'n/a'", "allowed"]),
        ("dataset,metric,A\nX,HR@5,nan\n", ["column A", "allowed"]),
        ("dataset,metric,A\nX,HR@5,1\nX,HR@5,2\n", ["row X, HR@5", "twice"]),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path, text, words):
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_accuracy(path)
    assert str(path) in str(caught.value)
    assert all(word in str(caught.value) for word in words)


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="is missing"):
        load_efficiency(tmp_path / "none.csv")


def test_comments_and_empty_fields(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("# source\ndataset,metric,A,B\n# more\nX,HR@5,,0.5\n")
    assert load_accuracy(path) == {("X", "HR@5", "B"): 0.5}


def test_tables_8_and_9_are_read_like_table_1_where_their_data_sets_are_in_use():
    assert load_printed(["Beauty", "ML-100K"]) == load_accuracy()
    both = load_printed(["MIND-small", "ML-1M"])
    assert list(dict.fromkeys(dataset for dataset, _, _ in both)) == [
        *DATASETS,
        *["ML-1M", "MIND-small"],
    ]
    assert both["ML-1M", "HR@5", "ICLRec"] == 0.0293
    assert both["MIND-small", "HR@5", "ELCRec"] == 0.0944
    assert both["MIND-small", "HR@5", "improvement"] == 6.07
    assert load_released() == {("ML-1M", "HR@5", "ICLRec"): 0.1383}


@pytest.mark.parametrize(
    ("datasets", "text"),
    [
        (["Beauty"], "Table 1"),
        (["ML-1M"], "Table 8"),
        (["MIND-small", "ML-1M", "Toys"], "Tables 1, 8 and 9"),
    ],
)
def test_the_tables_are_named(datasets, text):
    assert printed_in(datasets) == text


def test_sizes_are_as_printed():
    sizes = printed_sizes()
    assert sizes["toys"]["actions"] == "0.17M"
    assert (sizes["ml-1m"]["actions"], sizes["ml-1m"]["mean_length"]) == ("1000209", "166")
    assert "sparsity_percent" not in sizes["ml-1m"]


def test_the_lead_is_over_the_best_other_method():
    ahead, runner_up = lead(load_accuracy(), "Beauty", "HR@5")
    assert (ahead, runner_up) == (pytest.approx(0.0034), 0.0495)
    assert all(map(math.isnan, lead({}, "Beauty", "HR@5")))
