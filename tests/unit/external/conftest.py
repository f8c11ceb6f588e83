"""A fixture of another folder that these tests need, too."""

from tests.unit.tables.conftest import output

__all__ = ["output"]
