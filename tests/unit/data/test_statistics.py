"""Numbers that describe a data set."""

import pytest

from elcrec.data.sequences import parse_sequences
from elcrec.data.statistics import statistics


def test_numbers_by_hand() -> None:
    found = statistics(parse_sequences(b"a 1 2 3 9\nb 1 2 3 1 2 3\n", "x"))
    assert (found.users, found.items, found.actions, found.mean_length) == (2, 4, 10, 5.0)
    assert found.sparsity_percent == pytest.approx(100 * (1 - 10 / 8))
    assert found.repeated_targets == {"valid": 1, "test": 1}
