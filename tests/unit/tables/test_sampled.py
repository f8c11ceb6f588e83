"""Sampled metrics of whole runs, against drawing the negatives of every user."""

import numpy as np
import pandas as pd
import pytest

from elcrec.cli.main import main
from elcrec.config.config import load_config
from elcrec.data.sequences import parse_sequences, read_sequences
from elcrec.data.statistics import training_users
from elcrec.evaluation import sampled as closed
from elcrec.evaluation.metrics import per_user
from elcrec.tables import sampled
from tests.recording import train
from tests.workflow.make_tiny import write


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Runs of two models under `strict`, of which one keeps no lists."""
    folder = tmp_path_factory.mktemp("sampled")
    config = write(folder, models=["popularity", "sasrec"], protocol="strict")
    same = ["--dataset", "tiny", "--config", str(config)]
    for step in ("fetch", "prepare"):
        assert main(["data", step, *same, "--output", str(folder / "data" / "tiny")]) == 0
    for model, seed in (("popularity", 1), ("sasrec", 1), ("sasrec", 2)):
        train(config, model, "--seed", str(seed))
    runs = folder / "results" / "runs" / "tiny"
    (runs / "popularity" / "1" / "top.npz").unlink()
    assert main(["table", "sampled", "--config", str(config)]) == 0
    return folder


@pytest.mark.parametrize("way", ["uniform", "popularity"])
@pytest.mark.parametrize("metric", ["HR@5", "NDCG@10"])
def test_values_are_those_of_drawing(made, way, metric):
    """Of the users whose list reaches the target, for whom it is known what stands before it."""
    sequences = read_sequences(made / "data" / "tiny" / "sequences.txt")
    folder = made / "results" / "runs" / "tiny" / "sasrec" / "1"
    ranks, kept = np.load(folder / "ranks.npz")["test"], np.load(folder / "top.npz")
    users = np.flatnonzero(ranks < 20)[:30]
    popular = training_users(sequences).astype(float)
    weights = popular if way == "popularity" else np.ones(41)
    candidates = sampled.Candidates(sequences)
    if way == "uniform":
        chances = closed.uniform(ranks[users], candidates.counts[users], 10, 10)
    else:
        shares = kept["ahead"][users] / candidates.popularity[users]
        chances = closed.by_popularity(shares, 10, 10)
    random, values = np.random.default_rng(0), []
    for user in users:
        own = sequences.items[sequences.offsets[user] : sequences.offsets[user + 1]]
        free = np.setdiff1d(np.arange(1, 41), own)
        before = kept["test"][user][: ranks[user]]
        chance = weights[free] / weights[free].sum()
        picked = [
            random.choice(free, 10, replace=way == "popularity", p=chance) for _ in range(500)
        ]
        values.append(per_user(metric, np.isin(picked, before).sum(1)))
    each = np.mean(values, 0)
    error = each.std() / len(each) ** 0.5
    assert closed.expected(metric, chances) == pytest.approx(each.mean(), abs=4 * error + 1e-6)


def test_the_table_has_full_and_sampled_values_and_gaps(made):
    rows = pd.read_csv(made / "results" / "tables" / "sampled.csv").set_index(["metric", "model"])
    assert len(rows) == 6 * 2
    assert (rows["uniform"] >= rows["full"] - 1e-12).all()
    assert rows["popularity"].isna().groupby("model").all().to_dict() == {
        "popularity": True,
        "sasrec": False,
    }
    text = (made / "results" / "tables" / "sampled.md").read_text()
    assert "| HR@5    | all items         |" in text
    assert "| HR@5    | 100 by popularity |          – |" in text
    assert "Not a measure of a model" in text


def test_ranks_of_lists_that_end_early_give_no_sampled_value(made):
    sequences = parse_sequences(b"1 a b c d\n2 b c d e\n", "toy")

    class Short:
        ranks = {"test": np.array([0, 10**9])}

    assert sampled.Candidates(sequences).chances(Short(), 5) == {}


def test_candidates_are_what_a_user_never_had():
    found = sampled.Candidates(parse_sequences(b"1 a a b c d\n2 b c d e e\n", "toy"))
    assert found.counts.tolist() == [1, 1]
    # Training users: a 1, b 2, c 1, d 1; user 1 never had e, user 2 never had a.
    assert found.popularity.tolist() == [1, 1]  # at least 1, for it is divided by


def test_nothing_prepared_and_nothing_run(tmp_path):
    sampled.write(load_config().replaced(output=tmp_path, data=tmp_path), tmp_path)
    assert pd.read_csv(tmp_path / "sampled.csv").empty
