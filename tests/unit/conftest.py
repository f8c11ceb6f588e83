"""Shared by the unit tests."""

from pathlib import Path

import pytest

from elcrec.cli.main import main
from tests.workflow.make_tiny import write


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Configuration of the known-answer data set, which is prepared."""
    config = write(tmp_path)
    for step in ("fetch", "prepare"):
        folder = str(tmp_path / "data" / "tiny")
        done = main(
            ["data", step, "--dataset", "tiny", "--config", str(config), "--output", folder]
        )
        assert done == 0
    return config
