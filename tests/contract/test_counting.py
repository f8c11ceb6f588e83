"""Models that count instead of learning steps: EASE and item neighbours."""

import numpy as np
import pytest
import torch

from baselines import ease, itemknn, popularity
from elcrec.data.histories import InteractionData
from elcrec.data.matrix import training_matrix
from elcrec.data.sequences import Sequences
from elcrec.evaluation.metrics import summarise
from elcrec.training.loop import train
from elcrec.training.settings import TrainingSettings
from tests.contract.contract import LENGTH, check_repeats, cycle_data, repeating_data

ONCE = TrainingSettings(max_epochs=1)
MODELS = [(ease, {"l2": 1.0}), (itemknn, {"shrinkage": 0.0})]
IDS = ["ease", "itemknn"]


def fitted(module, data, **parameters):
    model = module.Model(module.Hyperparameters(**parameters), data.n_users, data.item_size)
    return model, train(model, data, ONCE, seed=1)


@pytest.fixture(scope="module")
def data() -> InteractionData:
    return cycle_data()


@pytest.fixture(scope="module")
def small() -> InteractionData:
    """Items 1 2 3 | 3 1 2 | 1 3 of three users, then two held-out ones each."""
    lines = [[1, 2, 3, 5, 4], [3, 1, 2, 4, 5], [1, 3, 5, 4]]
    offsets = np.cumsum([0, *map(len, lines)])
    return InteractionData(Sequences(np.concatenate(lines), offsets, ("a", "b", "c")))


def test_the_matrix_holds_training_items_only(small):
    dense = training_matrix(small).toarray()
    expected = np.zeros((3, 7))
    expected[[0, 0, 0, 1, 1, 1, 2, 2], [1, 2, 3, 3, 1, 2, 1, 3]] = 1
    np.testing.assert_array_equal(dense, expected)


def test_ease_minimises_its_loss(small):
    """The gradient of |X - XB|² + λ|B|² is 0 off the diagonal, where B is not held at 0."""
    model, _ = fitted(ease, small, l2=2.0)
    x = torch.from_numpy(training_matrix(small).toarray()).double()
    weights = model.weights.double()
    gradient = x.T @ (x @ weights - x) + 2.0 * weights
    off_diagonal = gradient - torch.diag(gradient.diagonal())
    torch.testing.assert_close(off_diagonal, torch.zeros_like(gradient), atol=1e-5, rtol=0)
    assert (model.weights.diagonal() == 0).all()


def test_neighbours_by_hand(small):
    """Items 1 and 3 are had together by three users, 1 and 2 by two, of whom 2 has two in all."""
    model, _ = fitted(itemknn, small, neighbors=2, shrinkage=1.0, decay=0.5)
    of_1 = dict(zip(model.neighbors[1].tolist(), model.similarity[1].tolist(), strict=True))
    assert of_1 == pytest.approx({3: 3 / (3 + 1), 2: 2 / (6**0.5 + 1)})
    scores = model.score(torch.tensor([0]), torch.tensor([[0, 2, 3]]))[0]
    # 3 is the last item, 2 the one before it, at half weight
    assert scores[1].item() == pytest.approx(3 / 4 + 0.5 * 2 / (6**0.5 + 1))
    assert scores[5].item() == 0


@pytest.mark.parametrize(("module", "parameters"), MODELS, ids=IDS)
def test_beats_popularity_on_the_known_answer(data, module, parameters):
    _, result = fitted(module, data, **parameters)
    _, floor = fitted(popularity, data)
    found, base = (summarise(r.ranks["test"])["HR@5"] for r in (result, floor))
    assert found > base + 0.1


@pytest.mark.parametrize(("module", "parameters"), MODELS, ids=IDS)
def test_scores_do_not_depend_on_padding_or_other_rows(data, module, parameters):
    model, _ = fitted(module, data, **parameters)
    users = torch.arange(9)
    together = model.score(users, data.histories(users, "test", LENGTH))
    for i in range(9):
        history = data.histories(users[i : i + 1], "test", LENGTH)
        alone = model.score(users[i : i + 1], history[:, history[0] > 0])
        torch.testing.assert_close(alone[0], together[i], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("module", "parameters"), MODELS, ids=IDS)
def test_padding_and_mask_have_no_score(data, module, parameters):
    model, _ = fitted(module, data, **parameters)
    users = torch.arange(9)
    scores = model.score(users, data.histories(users, "test", LENGTH))
    assert (scores[:, [0, -1]] == 0).all()
    assert (scores[:, 1:-1].max(1).values > 0).all()


@pytest.mark.parametrize(("module", "parameters"), MODELS, ids=IDS)
def test_saved_weights_give_the_same_scores(data, module, parameters):
    model, result = fitted(module, data, **parameters)
    other = module.Model(module.Hyperparameters(**parameters), data.n_users, data.item_size)
    other.load_state_dict(result.weights)
    users = torch.arange(9)
    history = data.histories(users, "test", LENGTH)
    assert torch.equal(other.score(users, history), model.score(users, history))


@pytest.mark.parametrize(
    ("module", "values", "message"),
    [
        (ease, {"l2": 0.0}, "l2 must be above 0"),
        (ease, {"max_length": 0}, "max_length must be 1 or more"),
        (itemknn, {"decay": 0.0}, "decay must be above 0 and at most 1"),
        (itemknn, {"decay": 1.5}, "decay must be above 0 and at most 1"),
        (itemknn, {"neighbors": 0}, "neighbors must be 1 or more"),
        (itemknn, {"shrinkage": -1.0}, "shrinkage must be 0 or more"),
    ],
)
def test_wrong_settings_are_refused(module, values, message):
    with pytest.raises(ValueError, match=message):
        module.Hyperparameters(**values)


@pytest.mark.parametrize(("module", "parameters"), MODELS, ids=IDS)
def test_items_seen_before_compete_where_the_protocol_lets_them(module, parameters):
    data = repeating_data()
    model = module.Model(module.Hyperparameters(**parameters), data.n_users, data.item_size)
    check_repeats(model, ONCE, "paper")
