"""What a loaded run recommends: the evaluation's ranking, whatever the batches, for anybody."""

from itertools import pairwise

import numpy as np
import pytest
import torch

import elcrec
from elcrec.cli.main import main
from elcrec.data.histories import InteractionData
from elcrec.data.sequences import read_sequences
from elcrec.errors import InputError
from elcrec.evaluation.ranking import Evaluator
from elcrec.files.weights import WEIGHTS, read_weights, write_weights
from elcrec.inference import recommender
from elcrec.inference.run import find
from tests.unit.inference.conftest import folder_of

ITEMS = 40


@pytest.fixture(scope="module")
def loaded(finished):
    """A run by its model."""
    return lambda model: elcrec.load(folder_of(finished, model), [finished])


@pytest.fixture(scope="module")
def sequences(finished):
    return read_sequences(finished.parent / "data" / "tiny" / "sequences.txt")


@pytest.fixture(scope="module")
def histories(sequences):
    """All items of each user but the last one, by their numbers."""
    return [sequences.items[a : b - 1].tolist() for a, b in pairwise(sequences.offsets)]


@pytest.mark.parametrize("model", ["sasrec", "elcrec", "popularity", "mine"])
def test_a_target_stands_where_the_evaluation_ranks_it(loaded, model, sequences, histories):
    run = loaded(model)
    data = InteractionData(sequences)
    ranks = Evaluator(data, "test", run.run.model.max_length, "strict").ranks(run.run.model)
    best = run.recommend(histories, ITEMS)
    for user, (history, items) in enumerate(zip(histories, best, strict=True)):
        target = sequences.items[sequences.offsets[user + 1] - 1]
        if target not in history:
            assert items.index(target) == ranks[user]


def test_the_order_is_that_of_the_scores(loaded, histories):
    run = loaded("sasrec")
    scores = run.score(histories)
    assert scores.shape == (len(histories), ITEMS)
    for row, items in zip(scores, run.recommend(histories, ITEMS, with_seen=True), strict=True):
        assert sorted(items) == list(range(1, ITEMS + 1))
        assert (np.diff(row[np.array(items) - 1]) <= 0).all()


def test_what_was_seen_is_left_out_by_default(loaded, histories):
    run = loaded("sasrec")
    for history, items in zip(histories, run.recommend(histories, ITEMS), strict=True):
        assert set(items) == set(range(1, ITEMS + 1)) - set(history)


@pytest.mark.parametrize(("memory", "seen"), [(1, 512), (42 * 4 * 7, 3), (2**20, 1)])
def test_batches_change_nothing(loaded, histories, monkeypatch, memory, seen):
    run = loaded("elcrec")
    expected, scores = run.recommend(histories, 10), run.score(histories)
    monkeypatch.setattr(recommender, "SCORE_MEMORY", {"cpu": memory})
    monkeypatch.setattr(recommender, "SEEN_WIDTH", seen)
    assert run.recommend(histories, 10) == expected
    np.testing.assert_allclose(run.score(histories), scores, atol=1e-5)


def test_raw_ids_and_numbers_name_the_same_items(loaded, histories, sequences, finished):
    run = loaded("sasrec")
    raw = [[run.ids[item - 1] for item in history] for history in histories]
    found = run.recommend(raw, 5)
    numbers = run.recommend(histories, 5)
    assert found == [[run.ids[item - 1] for item in items] for items in numbers]
    first = (finished.parent / "tiny.txt").read_text().splitlines()[0].split()[1:]
    assert raw[0] == first[:-1]  # as they were in the file


def test_arrays_of_numbers_are_histories_too(loaded):
    run = loaded("sasrec")
    assert run.recommend([np.array([3, 4])], 2) == run.recommend([[3, 4]], 2)


def test_only_raw_ids_need_the_data_set(runs):
    run = elcrec.load(folder_of(runs, "sasrec"), [runs])
    (runs.parent / "data" / "tiny" / "items.csv").unlink()
    assert len(run.recommend([[3, 4]], 2)[0]) == 2
    with pytest.raises(
        InputError, match=r"items\.csv: cannot be read .*prepare the data set again"
    ):
        run.recommend([["B003"]], 2)


def test_a_data_set_that_is_not_there_is_told_with_what_makes_it(runs):
    (runs.parent / "data" / "tiny" / "sequences.txt").unlink()
    run = elcrec.load(folder_of(runs, "sasrec"), [runs])
    make = rf"not there yet; make it with: elcrec data fetch --dataset tiny --config {runs} && elc"
    with pytest.raises(InputError, match=make):
        run.recommend([["B003"]], 2)


def test_the_configuration_may_not_know_the_data_set(runs, tmp_path):
    (tmp_path / "own.yaml").write_text(f"data: {runs.parent / 'data'}\n")
    run = elcrec.load(folder_of(runs, "sasrec"), [tmp_path / "own.yaml"])
    assert len(run.recommend([["B003"]], 2)[0]) == 2
    (runs.parent / "data" / "tiny" / "sequences.txt").unlink()
    run = elcrec.load(folder_of(runs, "sasrec"), [tmp_path / "own.yaml"])
    with pytest.raises(InputError, match="unknown data set 'tiny'; known: "):
        run.recommend([["B003"]], 2)


def test_another_data_set_than_that_of_the_training_is_refused(runs):
    path = runs.parent / "data" / "tiny" / "sequences.txt"
    lines = path.read_text().splitlines()
    (path.parent / "statistics.json").unlink()  # of what stood there
    path.write_text("\n".join([lines[1].replace("2", "1", 1), *lines[1:]]))
    run = elcrec.load(folder_of(runs, "sasrec"), [runs])
    with pytest.raises(InputError, match="is not the data set that the run was trained on"):
        run.recommend([["B003"]], 2)


@pytest.mark.parametrize("items", [ITEMS - 1, ITEMS + 1])
def test_weights_of_another_number_of_items_than_the_data_set_has_are_refused(runs, items, capsys):
    folder = folder_of(runs, "sasrec")
    weights = read_weights(folder / WEIGHTS)
    (name,) = [name for name, values in weights.items() if values.shape[0] == ITEMS + 2]
    weights[name] = torch.zeros(items + 2, weights[name].shape[1])
    write_weights(folder / WEIGHTS, weights)
    said = f"SASRec: its weights are of {items} items, "
    with pytest.raises(InputError, match=rf"{said}.*sequences\.txt has 40"):
        elcrec.load(folder, [runs]).recommend([["B003"]], 2)
    for whose in (["--history", "B003"], ["--users", "all"]):
        assert main(["recommend", "--run", str(folder), "--config", str(runs), *whose]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert said in line


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda text: text.replace("id,number", "id;number"),
            "must have the columns id and number",
        ),
        (
            lambda text: text.rpartition("B")[0],
            "items.csv: has 39 ids, but sequences.txt next to it has 40",
        ),
        (lambda text: text.replace("B007", "B008"), "the id 'B008' occurs twice"),
    ],
)
def test_a_broken_list_of_ids_is_refused(runs, change, said):
    path = runs.parent / "data" / "tiny" / "items.csv"
    path.write_text(change(path.read_text()))
    run = elcrec.load(folder_of(runs, "sasrec"), [runs])
    with pytest.raises(InputError) as refusal:
        run.recommend([["B003"]], 2)
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("histories", "k", "said"),
    [
        ([], 5, "histories: must have at least one history"),
        ([1, 2, 3], 5, "histories: must be a list of lists"),
        ([[1, None]], 5, "histories: must be lists of raw ids"),
        ([[1, 2]], "5", "5 recommendations: must be from 1 to"),
        ([[1], []], 5, "histories[1]: the history is empty"),
        (
            [["B001"], ["B001", "B41", "B42"]],
            5,
            "histories[1]: the run does not know the item 'B41'",
        ),
        ([[1], [2, 41]], 5, "histories[1]: the run does not know the item 41"),
        ([[0]], 5, "histories[0]: the run does not know the item 0"),
        ([[1, "B002"]], 5, "must be lists of raw ids (texts) or of item numbers"),
        ([[1.5]], 5, "must be lists of raw ids (texts) or of item numbers"),
        (["B001", "B002"], 5, "must be a list of lists of items, as [['3', '4'], ['17']]"),
        ("B001", 5, "must be a list of lists of items"),
        ([[1]], 0, "0 recommendations: must be from 1 to 40"),
        ([[1]], 41, "41 recommendations: must be from 1 to 40"),
    ],
)
def test_wrong_input_is_one_line(loaded, histories, k, said):
    with pytest.raises(InputError) as refusal:
        loaded("sasrec").recommend(histories, k)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_intents_are_the_nearest_centers_as_in_training(loaded, sequences):
    run = loaded("elcrec")
    data = InteractionData(sequences)
    everyone = data.tensor(np.arange(data.n_users))
    expected = run.run.model.intents(data, everyone).assigned
    inputs = [sequences.items[a : b - 3].tolist() for a, b in pairwise(sequences.offsets)]
    assert run.intents(inputs).tolist() == expected.tolist()


@pytest.mark.parametrize("model", ["sasrec", "iclrec"])
def test_a_model_without_centers_among_its_weights_has_no_intents(loaded, model):
    with pytest.raises(InputError, match="has no intents among its weights"):
        loaded(model).intents([[1, 2]])


def test_a_model_of_users_recommends_to_those_of_its_training_only(loaded, sequences):
    run = loaded("bprmf")
    with pytest.raises(InputError, match="BPR-MF: has weights for each training user"):
        run.recommend([[1, 2]], 3)
    with pytest.raises(InputError, match="cannot score histories of other users"):
        run.score([[1, 2]])
    (part,) = run.users()
    best, _ = run.best(part, 3, with_seen=True)
    model = run.run.model
    scores = (model.users.weight @ model.items.weight.T).topk(3)
    assert best.tolist() == (scores.indices + 1).tolist()
    assert part.names.tolist() == [f"u{number}" for number in range(1, 121)]


def test_users_are_recommended_to_with_all_their_items(loaded, sequences):
    run = loaded("sasrec")
    whole = [sequences.items[a:b].tolist() for a, b in pairwise(sequences.offsets)]
    (part,) = run.users(["u7", "u3"])
    assert part.names.tolist() == ["u7", "u3"]
    assert run.best(part, 5)[0].tolist() == run.recommend([whole[6], whole[2]], 5)


def test_a_path_goes_before_the_name_of_a_recorded_run(finished, monkeypatch):
    from elcrec.config.config import load_config

    monkeypatch.chdir(finished.parent / "results" / "runs")
    assert find("tiny/sasrec/1", load_config([finished])).is_dir()
