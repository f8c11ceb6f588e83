"""`elcrec export-split` and `elcrec compare`, from the split of a data set to the printed lines."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from elcrec.cli.main import main
from elcrec.data.ids import FILES
from tests.recording import train
from tests.workflow.make_tiny import write

TOLD = "&& elcrec data prepare --dataset toys --config /"
METRICS = ["HR@5", "HR@10", "HR@20", "NDCG@5", "NDCG@10", "NDCG@20"]


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared data set with raw ids, its split, and runs of two models."""
    folder = tmp_path_factory.mktemp("mine")
    config = write(folder, models=["popularity", "sasrec"])
    text = (folder / "tiny.txt").read_text()
    lines = [" ".join(["u" + line.split()[0], *line.split()[1:]]) for line in text.splitlines()]
    (folder / "tiny.txt").write_text("\n".join(lines[::-1]) + "\n")
    same = ["--dataset", "tiny", "--config", str(config)]
    for step in ("fetch", "prepare"):
        assert main(["data", step, *same, "--output", str(folder / "data" / "tiny")]) == 0
    for model, seed in (("popularity", 1), ("sasrec", 1), ("sasrec", 2)):
        train(config, model, "--seed", str(seed))
    assert main(["export-split", *same, "--output", str(folder / "split")]) == 0
    popularity(folder / "split").to_csv(folder / "p.csv", index=False)
    return folder


def popularity(split: Path, most: int = 40) -> pd.DataFrame:
    """The most popular items as others would find them; of equal ones the first in the file."""
    everything, train, valid = (pd.read_csv(split / f"{p}.csv") for p in ("all", "train", "valid"))
    counts = pd.Series(0, index=everything["item"].unique()) + train["item"].value_counts()
    counts = counts[everything["item"].unique()].sort_values(ascending=False, kind="stable")
    rows = []
    for user, had in pd.concat([train, valid]).groupby("user")["item"]:
        best = [item for item in counts.index if item not in set(had)][:most]
        rows += [(user, item, place) for place, item in enumerate(best, 1)]
    return pd.DataFrame(rows, columns=["user", "item", "rank"])


@pytest.fixture
def compare(mine, capsys):
    def run(*arguments, runs=True):
        capsys.readouterr()
        own = ["--runs", str(mine / "results")] if runs else []
        same = ["--dataset", "tiny", "--config", str(mine / "tiny.yaml"), *own]
        status = main(["compare", *map(str, arguments), *same])
        said = capsys.readouterr()
        assert bool(status) == bool(said.err)
        return said.err if status else said.out

    return run


def row(printed: str, *beginning: str) -> list[str]:
    """What the first line of a table that begins so says after these words."""
    lines = [line.split() for line in printed.splitlines() if " users, " not in line]
    return next(x[len(beginning) :] for x in lines if x[: len(beginning)] == [*beginning])


def test_popularity_of_pandas_is_ours(mine, compare):
    printed = compare(mine / "p.csv", "--name", "Pandas")
    assert printed.startswith("Pandas on Tiny: test split, 120 users, raw ids, seed 1\n")
    assert row(printed, "Pandas") == row(printed, "Popularity")
    for metric in METRICS:
        assert row(printed, "Popularity", metric)[0] == "+0.0%"
        assert float(row(printed, "SASRec", metric)[0].rstrip("%")) != 0
    recorded = np.load(mine / "results" / "runs" / "tiny" / "popularity" / "1" / "ranks.npz")
    assert row(printed, "Popularity")[0] == f"{(recorded['test'] < 5).mean():.4f}"


def test_every_comparison_has_interval_p_and_seeds(mine, compare):
    printed = compare(mine / "p.csv", "--against", "sasrec")
    assert "Popularity" not in printed
    difference, low, high, p, corrected, seeds = row(printed, "SASRec", "NDCG@20")
    assert difference[0] in "+-"
    assert float(low.strip("[%,")) < float(difference.strip("%")) < float(high.strip("]%"))
    assert 0 <= float(p) <= float(corrected.strip("()")) <= 1
    assert seeds == "1+2"
    assert "Holm-corrected over the 6 rows" in " ".join(printed.split())
    assert "assumed to be that of our models" in " ".join(printed.split())


def test_one_training_does_not_count_twice(mine, compare, tmp_path):
    pd.read_csv(mine / "p.csv").to_csv(tmp_path / "copy.csv", index=False)
    said = compare(mine / "p.csv", tmp_path / "copy.csv")
    assert f"copy.csv: has the same ranks as {mine / 'p.csv'}; allowed: one file per" in said


def test_models_that_the_configuration_lacks_are_rivals_only_if_named(mine, tmp_path, capsys):
    (tmp_path / "less.yaml").write_text("models: [sasrec]\n")
    words = ["compare", str(mine / "p.csv"), "--dataset", "tiny", "--runs", str(mine / "results")]
    words += ["--config", str(mine / "tiny.yaml"), str(tmp_path / "less.yaml")]
    for more, there in (([], False), (["--against", "popularity"], True)):
        assert main([*words, *more]) == 0
        assert ("Popularity" in capsys.readouterr().out) == there


def test_under_a_protocol_without_runs_none_can_be_named(mine, compare):
    said = compare(mine / "p.csv", "--protocol", "repeats", "--against", "sasrec")
    assert "--against sasrec: no model with runs on tiny under the protocol repeats" in said


def test_lists_without_any_test_item_are_told_with_what_may_be_wrong(mine, compare, tmp_path):
    lists, test = popularity(mine / "split"), pd.read_csv(mine / "split" / "test.csv")
    keys = lists.merge(test[["user", "item"]], indicator=True, how="left")["_merge"] == "left_only"
    lists[keys.to_numpy()].to_csv(tmp_path / "seen.csv", index=False)
    assert "No user's test item is in a list" in " ".join(compare(tmp_path / "seen.csv").split())


def test_an_id_that_stands_twice_among_the_ids_is_one_line(mine, compare):
    path = mine / "data" / "tiny" / FILES[0]
    before = path.read_text()
    path.write_text(before.replace("u119,", "u120,"))
    try:
        assert f"{path}: the id 'u120' occurs twice" in compare(mine / "p.csv")
    finally:
        path.write_text(before)


def test_several_seeds(mine, compare, tmp_path):
    other = popularity(mine / "split")
    other["rank"] = other.groupby("user")["rank"].transform(lambda r: r.sample(frac=1).to_numpy())
    other.to_csv(tmp_path / "other.csv", index=False)
    printed = compare(mine / "p.csv", tmp_path / "other.csv", "--seed", "7")
    assert ", seeds 7, 8\n" in printed
    assert row(printed, "SASRec", "HR@5")[-1] == "2+2"
    assert "from its seeds and our models'" in " ".join(printed.split())
    assert "assumed" not in printed


def test_numbers_in_the_place_of_raw_ids(mine, compare, tmp_path):
    numbers = [
        dict(pd.read_csv(mine / "data" / "tiny" / name, dtype={"id": str}).to_numpy().tolist())
        for name in FILES
    ]
    frame = popularity(mine / "split")
    for column, number in zip(("user", "item"), numbers, strict=True):
        frame[column] = frame[column].astype(str).map(number)
    frame.to_csv(tmp_path / "p.csv", index=False)
    raw = compare(mine / "p.csv")
    assert compare(tmp_path / "p.csv", "--ids", "numbers") == raw.replace("raw ids", "numbers ids")
    assert "is not in the data set, whose users are u120, u119, u118" in compare(tmp_path / "p.csv")


def test_short_lists_suffice_for_some_metrics(mine, compare, tmp_path):
    popularity(mine / "split", 10).to_csv(tmp_path / "p.csv", index=False)
    printed = compare(tmp_path / "p.csv")
    said = " ".join(printed.split())
    assert "NDCG@20: missing, because the list of user u120 ends before the test item" in said
    assert "has 10 items that compete (" in said
    assert "lists are too short); 20 items would suffice." in said
    assert row(printed, "Model") == ["HR@5", "HR@10", "NDCG@5", "NDCG@10", "Seeds"]
    whole = row(compare(mine / "p.csv"), "p")[:2]
    assert row(printed, "p")[:2] == whole
    popularity(mine / "split", 3).to_csv(tmp_path / "p.csv", index=False)
    refused = compare(tmp_path / "p.csv")
    assert "has 3 items that compete (" in refused
    assert "lists are too short); allowed: 5 or more" in refused


def test_items_seen_before_are_taken_out_or_compete(mine, compare, tmp_path):
    seen = pd.read_csv(mine / "split" / "valid.csv")[["user", "item"]].assign(rank=0)
    pd.concat([seen, popularity(mine / "split")]).to_csv(tmp_path / "p.csv", index=False)
    printed = compare(tmp_path / "p.csv")
    assert "120 predicted items were removed" in printed
    assert row(printed, "Popularity", "HR@10")[0] == "+0.0%"
    alone = compare(tmp_path / "p.csv", "--protocol", "repeats")
    assert "were removed" not in alone
    assert "under the protocol repeats: nothing to compare" in " ".join(alone.split())
    assert "Against" not in alone
    assert float(row(alone, "p")[0]) <= float(row(printed, "p")[0])


def test_missing_users_are_misses_if_allowed(mine, compare, tmp_path):
    frame = popularity(mine / "split")
    frame[frame["user"] != "u7"].to_csv(tmp_path / "p.csv", index=False)
    assert "has no line for 1 of 120 users (u7); predict" in compare(tmp_path / "p.csv")
    printed = compare(tmp_path / "p.csv", "--missing", "miss")
    assert "1 users without a prediction count as misses." in printed


def test_a_table_of_ranks(mine, compare, tmp_path):
    ranks = np.load(mine / "results" / "runs" / "tiny" / "popularity" / "1" / "ranks.npz")["test"]
    frame = pd.DataFrame({"user": np.arange(1, 121), "rank": ranks})
    frame.to_csv(tmp_path / "p.csv", index=False)
    printed = compare(tmp_path / "p.csv", "--ids", "numbers")
    assert row(printed, "p") == row(printed, "Popularity")
    frame.assign(rank=ranks + 1).to_csv(tmp_path / "p.csv", index=False)
    assert "the first rank is 0" in compare(tmp_path / "p.csv", "--ids", "numbers")


def test_recorded_runs_are_the_default(mine, compare):
    assert "results/recorded: has" not in compare(mine / "p.csv", runs=False)
    assert "No run of ours on Tiny in results/recorded" in compare(mine / "p.csv", runs=False)


def test_without_two_seeds_of_any_model_there_is_no_p(mine, compare, tmp_path):
    place = tmp_path / "out" / "runs" / "tiny" / "popularity"
    place.mkdir(parents=True)
    (place / "1").symlink_to(mine / "results" / "runs" / "tiny" / "popularity" / "1")
    same = ["--dataset", "tiny", "--config", str(mine / "tiny.yaml")]
    printed = compare(mine / "p.csv", "--runs", tmp_path / "out", runs=False)
    assert "No p: no model here has two seeds" in printed, same
    assert row(printed, "Popularity", "HR@5") == ["+0.0%", "–", "–", "1+1"]


def test_an_exported_split_is_not_replaced(mine, capsys):
    same = ["export-split", "--dataset", "tiny", "--config", str(mine / "tiny.yaml")]
    assert main([*same, "--output", str(mine / "split")]) == 2
    assert (
        "already exists; choose another path, or replace it with --force" in capsys.readouterr().err
    )
    assert main([*same, "--output", str(mine / "split"), "--force"]) == 0
    assert main([*same, "--format", "csv"]) == 0
    assert (mine / "results" / "split" / "tiny" / "all.csv").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["nothere.csv"], ["nothere.csv: cannot be read (No such file or directory)"]),
        (["{p}", "{p}"], ["p.csv: is given twice"]),
        (["{p}", "--against", "sasrek"], ["--against: unknown model 'sasrek'", "'sasrec'"]),
        (["{p}", "--against", "elcrec"], ["with runs on tiny under the protocol paper: pop"]),
        (["{p}", "--runs", "{folder}/split"], ["split: has no finished run"]),
        (["{p}", "--dataset", "tinny"], ["unknown data set 'tinny'", "did you mean 'tiny'"]),
        (
            ["{p}", "--dataset", "toys"],
            ["toys/sequences.txt: not there yet; make it with: elcrec data fetch", TOLD],
        ),
        (["{folder}"], ["its name must end in .csv"]),
    ],
)
def test_what_is_wrong_is_one_line(mine, capsys, options, words):
    told = [o.format(p=mine / "p.csv", folder=mine) for o in options]
    same = ["--dataset", "tiny", "--config", str(mine / "tiny.yaml")]
    assert main(["compare", *same, "--runs", str(mine / "results"), *told]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert all(word in line for word in words), line


def test_other_histories_than_the_runs_had_are_refused(mine, tmp_path, capsys):
    content = yaml.safe_load((mine / "tiny.yaml").read_text())
    (tmp_path / "tiny.txt").write_text((mine / "tiny.txt").read_text().replace(" 40\n", " 1\n"))
    content |= {"data": str(tmp_path), "datasets": {"tiny": {"path": str(tmp_path / "tiny.txt")}}}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(content))
    same = ["--dataset", "tiny", "--config", str(tmp_path / "c.yaml")]
    for step in ("fetch", "prepare"):
        assert main(["data", step, *same, "--output", str(tmp_path / "tiny")]) == 0
    assert main(["compare", str(mine / "p.csv"), *same, "--runs", str(mine / "results")]) == 2
    assert "sequences.txt: has other histories than the run in" in capsys.readouterr().err


def test_ids_of_another_preparation_are_refused(mine, tmp_path, capsys):
    content = yaml.safe_load((mine / "tiny.yaml").read_text()) | {"data": str(tmp_path)}
    (tmp_path / "tiny").mkdir()
    for name in ("sequences.txt", *FILES):
        (tmp_path / "tiny" / name).write_bytes((mine / "data" / "tiny" / name).read_bytes())
    with open(tmp_path / "tiny" / "items.csv", "a") as stream:
        stream.write("new,41\n")
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(content))
    same = ["--dataset", "tiny", "--config", str(tmp_path / "c.yaml"), "--output", str(tmp_path)]
    assert main(["export-split", *same]) == 2
    assert "items.csv: has 41 ids, but sequences.txt next to it has 40" in capsys.readouterr().err


@pytest.fixture
def beside(mine):
    """Configuration with a model of another framework: predictions of two seeds."""

    def write(**changes):
        content = yaml.safe_load((mine / "tiny.yaml").read_text())
        content["figures"] = {"activity": ["sasrec"]}
        second = mine / "second.csv"
        popularity(mine / "split").assign(rank=lambda f: -f["rank"]).to_csv(second, index=False)
        told = {"name": "Theirs", "files": {"tiny": [str(mine / "p.csv"), str(second)]}}
        content["external"] = {"theirs": told | changes}
        path = mine / "beside.yaml"
        path.write_text(yaml.safe_dump(content))
        return ["--config", str(path)]

    return write


def rows_of(path: Path, **values: str) -> pd.DataFrame:
    frame = pd.read_csv(path)
    for column, value in values.items():
        frame = frame[frame[column] == value]
    return frame


def test_predictions_have_their_place_in_every_table(mine, beside):
    config, tables = beside(), mine / "results" / "tables"
    for command in ("accuracy", "verdict", "activity"):
        assert main(["table", command, *config]) == 0
    assert main(["figure", "activity", *config, "--output", str(mine / "figures")]) == 0
    assert main(["report", *config]) == 0
    found = rows_of(tables / "table1.csv", model="theirs")
    assert found["metric"].tolist() == ["HR@5", "HR@20", "NDCG@5", "NDCG@20"]
    assert found["seeds"].tolist() == [2] * 4
    assert found[["mean", "std", "low95"]].notna().all(axis=None)
    assert found["paper"].isna().all()
    ours = np.load(mine / "results" / "runs" / "tiny" / "popularity" / "1" / "ranks.npz")["test"]
    activity = rows_of(tables / "activity.csv", model="theirs", metric="HR@5")
    assert activity["seeds"].tolist() == [2] * 5
    assert (ours < 5).mean() / 2 <= found["mean"].iloc[0]
    significance = pd.read_csv(tables / "significance.csv")
    assert "theirs" in {*significance["model_a"], *significance["model_b"]}
    drawn = rows_of(mine / "figures" / "activity.csv", model="theirs", metric="HR@5")
    assert np.allclose(drawn["mean"], activity["mean"], atol=1e-7)
    page = (mine / "results" / "report" / "index.html").read_text()
    for text in (page, (tables / "table1.md").read_text(), (tables / "activity.md").read_text()):
        assert "Theirs (not trained here)" in text
    notes = (tables / "table1.md").read_text()
    assert "Ranked by `strict` instead" in notes
    assert "Theirs (not trained here) on Tiny: " not in notes  # nothing was done to these lists
    assert "unknown" not in notes  # commit and device are those of our runs


def test_what_was_done_to_predictions_stands_below_table_1(mine, beside, tmp_path):
    users = pd.read_csv(mine / "p.csv")["user"].unique()
    seen = pd.read_csv(mine / "split" / "valid.csv")[["user", "item"]].assign(rank=0)
    lists = pd.concat([seen, popularity(mine / "split")])
    lists[lists["user"] != users[0]].to_csv(tmp_path / "p.csv", index=False)
    files = {"tiny": [str(tmp_path / "p.csv")], "beauty": ["not-read.csv"]}
    assert main(["table", "accuracy", *beside(files=files, missing="miss")]) == 0
    notes = " ".join((mine / "results" / "tables" / "table1.md").read_text().split())
    assert "Theirs (not trained here) on Tiny: 119 predicted items were removed" in notes
    assert "Theirs (not trained here) on Tiny: 1 users without a prediction count" in notes
    assert "on Beauty: not shown, because the data set is not in use." in notes


def test_lists_that_are_too_short_for_the_tables_are_refused(mine, beside, tmp_path, capsys):
    popularity(mine / "split", 10).to_csv(tmp_path / "p.csv", index=False)
    config = beside(files={"tiny": [str(tmp_path / "p.csv")]})
    assert main(["table", "accuracy", *config]) == 2
    assert "p.csv: the list of user u120 ends before the test item" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ids": "numbered"}, "external.theirs.ids: must be one of raw, numbers"),
        ({"files": {"tinny": ["p.csv"]}}, "unknown data set 'tinny'"),
        ({"files": {"tiny": []}}, "external.theirs.files.tiny: "),
        ({"named": "x"}, "external.theirs.named: unknown key (did you mean 'name'?)"),
    ],
)
def test_a_wrong_section_is_refused(beside, capsys, changes, words):
    assert main(["table", "accuracy", *beside(**changes)]) == 2
    assert words in capsys.readouterr().err


def test_the_name_of_a_model_of_ours_is_refused(mine, beside, capsys):
    path = beside()[1]
    Path(path).write_text(Path(path).read_text().replace("theirs:", "ease:"))
    assert main(["table", "accuracy", "--config", path]) == 2
    assert "external.ease: the name 'ease' is already used by the model" in capsys.readouterr().err
