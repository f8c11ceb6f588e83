"""Fixtures of other folders that these tests need, too."""

from tests.unit.tables.conftest import output, ranks

__all__ = ["output", "ranks"]
