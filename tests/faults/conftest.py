"""The prepared data set of the unit tests."""

from tests.unit.conftest import tiny

__all__ = ["tiny"]
