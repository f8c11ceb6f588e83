"""Tables of lists: whole runs give them, older ones are gaps."""

import numpy as np
import pandas as pd
import pytest

from elcrec.cli.main import main
from elcrec.config.config import load_config
from elcrec.data.sequences import parse_sequences, read_sequences
from elcrec.data.statistics import training_users
from elcrec.tables import lists
from tests.recording import train
from tests.workflow.make_tiny import write


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lists")
    models = ["popularity", "sasrec", "itemknn"]
    config = write(folder, models=models)
    same = ["--dataset", "tiny", "--config", str(config)]
    for step in ("fetch", "prepare"):
        assert main(["data", step, *same, "--output", str(folder / "data" / "tiny")]) == 0
    for model, seed in (("popularity", 1), ("sasrec", 1), ("sasrec", 2), ("itemknn", 1)):
        train(config, model, "--seed", str(seed))
    runs = folder / "results" / "runs" / "tiny"
    (runs / "itemknn" / "1" / "top.npz").unlink()  # an older run
    for table in ("lists", "activity"):
        assert main(["table", table, "--config", str(config)]) == 0
    return folder


def table(made, name):
    return pd.read_csv(made / "results" / "tables" / f"{name}.csv")


def test_a_run_keeps_its_lists_in_16_bits(made):
    folder = made / "results" / "runs" / "tiny" / "sasrec" / "1"
    kept, ranks = np.load(folder / "top.npz"), np.load(folder / "ranks.npz")["test"]
    assert (kept["test"].dtype, kept["test"].shape) == (np.uint16, (120, 20))
    sequences = read_sequences(made / "data" / "tiny" / "sequences.txt")
    targets = sequences.items[sequences.offsets[1:] - 1]
    assert ((kept["test"] == targets[:, None]).any(1) == (ranks < 20)).mean() > 0.9  # but for ties


def test_values_of_the_popular_items(made):
    rows = table(made, "lists").set_index("model")
    sequences = read_sequences(made / "data" / "tiny" / "sequences.txt")
    counts = training_users(sequences)
    assert rows.index.tolist() == [lists.TARGETS, "popularity", "sasrec", "itemknn"]
    assert rows["coverage"]["popularity"] <= rows["coverage"]["sasrec"] <= 1
    assert rows["popularity"]["popularity"] > rows["popularity"]["sasrec"]
    targets = sequences.items[sequences.offsets[1:] - 1]
    assert rows["popularity"][lists.TARGETS] == pytest.approx(counts[targets].mean())
    assert rows["seeds"].tolist() == [0, 1, 2, 0]


def test_an_older_run_is_a_gap(made):
    rows = table(made, "lists").set_index("model")
    assert rows.loc["itemknn", list(lists.MEASURES)].isna().all()
    text = (made / "results" / "tables" / "lists.md").read_text()
    assert "| Item-kNN" not in text.split("## Overlap")[0]  # a note says why
    assert "- No lists of Item-kNN: the runs are missing, or are older" in text


def test_overlap_of_models_and_seeds(made):
    pairs = table(made, "overlap").set_index(["model_a", "model_b"])
    assert pairs["pairs"].to_dict() == {
        ("popularity", "popularity"): 0,
        ("popularity", "sasrec"): 1,
        ("popularity", "itemknn"): 0,
        ("sasrec", "sasrec"): 1,
        ("sasrec", "itemknn"): 0,
        ("itemknn", "itemknn"): 0,
    }
    assert 0 < pairs["jaccard"]["popularity", "sasrec"] < 1
    assert "Overlap of the models" in (made / "results" / "tables" / "lists.md").read_text()


def test_accuracy_by_popularity_of_the_test_item(made):
    rows = table(made, "popularity")
    assert rows.groupby("group")["users"].first().tolist() == [24] * 5
    assert (rows["rarest"] <= rows["commonest"]).all()
    popular = rows[(rows["model"] == "popularity") & (rows["metric"] == "HR@20")]
    assert popular["mean"].iloc[0] < popular["mean"].iloc[-1]
    whole = table(made, "activity")
    for kind in (rows, whole):  # other groups of the same users
        own = kind[(kind["model"] == "sasrec") & (kind["metric"] == "HR@5")]
        assert own["mean"].mean() == pytest.approx(
            whole[(whole["model"] == "sasrec") & (whole["metric"] == "HR@5")]["mean"].mean()
        )


def test_the_page_shows_them(made):
    config = made / "tiny.yaml"
    main(["report", "--config", str(config), "--output", str(made / "page.html")])
    page = (made / "page.html").read_text()
    assert '<table id="lists"' in page
    assert '<table id="overlap-tiny"' in page
    assert '<table id="popularity-tiny"' in page


@pytest.mark.parametrize(
    "wrong", [np.zeros((3, 20), np.uint16), np.full((120, 20), 41), np.zeros((120, 20))]
)
def test_lists_of_other_users_or_items_are_refused(made, tmp_path, capsys, wrong):
    path = made / "results" / "runs" / "tiny" / "popularity" / "1" / "top.npz"
    before = path.read_bytes()
    np.savez_compressed(path, test=wrong, ahead=np.zeros(120, int))
    try:
        arguments = ["--config", str(made / "tiny.yaml"), "--output", str(tmp_path / "tables")]
        assert main(["table", "lists", *arguments]) == 2
    finally:
        path.write_bytes(before)
    assert "item numbers from 0 to 40, one row for each of 120" in capsys.readouterr().err


def test_training_users_count_a_repeated_item_once_and_no_held_out_one():
    sequences = parse_sequences(b"1 a a b c d\n2 a b c d\n", "toy")
    assert training_users(sequences).tolist() == [0, 2, 2, 0, 0]


def test_nothing_prepared_and_nothing_run(tmp_path):
    config = load_config().replaced(output=tmp_path / "out", data=tmp_path / "data")
    lists.write(config, tmp_path)
    assert pd.read_csv(tmp_path / "lists.csv").empty
