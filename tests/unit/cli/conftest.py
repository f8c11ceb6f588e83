"""Fixtures of other folders that these tests need, too."""

from tests.unit.data.conftest import _loopback_only, refused
from tests.unit.tables.conftest import output, ranks

__all__ = ["_loopback_only", "output", "ranks", "refused"]
