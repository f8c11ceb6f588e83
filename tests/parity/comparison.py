"""What it means that a model of ours and one of RecBole's are the same: see README.md.

A model's test is a class with its module and how RecBole's model with the same weights is built.
"""

from collections.abc import Iterator
from types import ModuleType
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elcrec.models.interface import SequenceModel
from tests.parity.reference import HISTORY, HISTORY_LENGTH, USER

TOLERANCE = 1e-5
SEEDS = (1, 2)
LENGTHS = (1, 2, 5, 49, 50, 70)  # of histories; the longest window is 50 items (Caser: 5)
FULL = 50
USERS, ITEMS = 16, 40


class ScoreParity:
    """Inherit, name the module, build RecBole's twin, and run."""

    module: ClassVar[ModuleType]
    unread: ClassVar[list[str]] = []
    """Our parameters that no score depends on."""

    def twin(self, ours: SequenceModel, real: int) -> nn.Module:
        """RecBole's model with the weights of `ours`, for windows of `real` items."""
        raise NotImplementedError

    def make(self, seed: int) -> SequenceModel:
        return make(self.module, seed)

    def windows(self, ours: SequenceModel, histories: Tensor) -> tuple[Tensor, int]:
        """What RecBole's model is given: (B, L) ids, padded on the right, and the real ones."""
        recent = histories[:, -ours.max_length :]
        real = recent.shape[1]
        return F.pad(recent, (0, ours.max_length - real)), real

    def expected(self, ours: SequenceModel, users: Tensor, histories: Tensor) -> Tensor:
        """RecBole's scores of the items: (B, ITEMS)."""
        windows, real = self.windows(ours, histories)
        lengths = torch.full_like(users, real)
        given = {USER: users + 1, HISTORY: windows, HISTORY_LENGTH: lengths}
        scores = self.twin(ours, real).full_sort_predict(given).view(len(users), -1)
        return scores[:, 1 : ITEMS + 1]

    @pytest.mark.parametrize("length", LENGTHS)
    @pytest.mark.parametrize("seed", SEEDS)
    def test_scores_are_those_of_recbole(self, seed, length, record_property):
        ours = self.make(seed)
        users, histories = draw_users(seed, length)
        expected = self.expected(ours, users, histories)
        found = deviation(scores(ours, users, histories), expected)
        record_property("deviation", found)
        assert found <= TOLERANCE

    def test_one_wrong_number_in_any_weight_is_found(self):
        ours = self.make(seed=1)
        users, histories = draw_users(1, FULL)
        expected = self.expected(ours, users, histories)
        missed = [
            name
            for name in perturbed(ours)
            if deviation(scores(ours, users, histories), expected) <= TOLERANCE
        ]
        assert missed == self.unread


def make(module: Any, seed: int) -> SequenceModel:
    """A model with our default hyper-parameters and weights under which every layer matters.

    The initial weights would hide mistakes: with them attention is nearly uniform, biases are zero
    and layer norms the identity.
    """
    torch.manual_seed(seed)
    model = module.Model(module.Hyperparameters(), USERS, ITEMS + 2)
    for value in model.parameters():
        noise = torch.randn_like(value)
        if value.ndim > 1:
            value.copy_(noise / value[0].numel() ** 0.5)
        else:
            value.add_(0.2 * noise)
    return model.eval()


def draw_users(seed: int, length: int) -> tuple[Tensor, Tensor]:
    """All users, in another order than their numbers, and (USERS, length) histories."""
    generator = torch.Generator().manual_seed(seed)
    histories = torch.randint(1, ITEMS + 1, (USERS, length), generator=generator)
    return torch.randperm(USERS, generator=generator), histories


def scores(ours: SequenceModel, users: Tensor, histories: Tensor) -> Tensor:
    """Our scores of the items: (B, ITEMS)."""
    return ours.score(users, left_padded(histories, ours.max_length))[:, 1 : ITEMS + 1]


def left_padded(histories: Tensor, width: int) -> Tensor:
    """The last `width` items of each row, 0 before them: (B, width)."""
    recent = histories[:, -width:]
    return F.pad(recent, (width - recent.shape[1], 0))


def deviation(found: Tensor, expected: Tensor) -> float:
    """Largest difference in a row, relative to the row's largest expected value; the worst row."""
    assert found.shape == expected.shape
    differences = (found - expected).abs().amax(1) / expected.abs().amax(1)
    return float(differences.nan_to_num(nan=float("inf")).max())


def perturbed(model: nn.Module) -> Iterator[str]:
    """Change one number of each parameter in turn, and put it back: yields the names."""
    for name, value in model.named_parameters():
        numbers = value.view(-1)
        place = len(numbers) // 5  # of items and positions a real one; of q, k and v in q
        before = numbers[place].clone()
        numbers[place] += 0.1
        yield name
        numbers[place] = before
