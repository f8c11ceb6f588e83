"""What attention takes of the memory, looked at as a whole and before it is taken."""

import pytest
import torch

from elcrec.jobs import memory
from elcrec.models.encoder import EncoderSettings, TransformerEncoder

SETTINGS = EncoderSettings(dimension=8, max_length=6, blocks=2, heads=2)
WINDOWS = torch.ones(3, 5, dtype=torch.long)
PAIRS = 4 * 3 * 5**2
"""Bytes of a number for each pair of positions."""


@pytest.fixture
def asked(monkeypatch):
    """What is asked for, in bytes."""
    found: list[int] = []
    monkeypatch.setattr(memory, "reserve", lambda needed, what: found.append(needed))
    return found


def test_the_mask_and_what_a_pass_holds_of_all_blocks_by_head(asked):
    memory.check_window(SETTINGS)
    assert asked.pop() == 2 * 6**2
    model = TransformerEncoder(SETTINGS, 20)
    memory.watch(model)
    model(WINDOWS)
    assert asked == [PAIRS * (1 + 2 * (4 * 2 + 3)), PAIRS * (1 + 2 * (4 + 3))]
    asked.clear()
    with torch.no_grad():
        model(WINDOWS)
        model.last(WINDOWS)  # has one block in which every position asks
    assert asked == [PAIRS * (1 + 2 * 2)] * 3


def test_other_models_have_no_such_mask(asked):
    memory.check_window(object())
    memory.watch(torch.nn.Linear(2, 2))
    assert not asked
