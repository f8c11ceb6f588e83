"""Shared fixtures: where the check points and data files of the authors may lie."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)  # threads of small tensors wait for each other on busy cores


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a GPU where there is none."""
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason="needs an NVIDIA GPU"))


@pytest.fixture(autouse=True)
def _keep_denormals() -> Iterator[None]:
    """A command run inside a test flushes denormals for the whole process; undo that."""
    yield
    torch.set_flush_denormal(False)


def _folder(variable: str, what: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"{variable} is not set: {what}")
    return Path(value)


@pytest.fixture
def golden_folder() -> Path:
    """Fixtures computed with the released code on real data (too large for this repository)."""
    return _folder("ELCREC_GOLDEN", "no fixtures of the released code on real data")


@pytest.fixture
def mirror() -> Path:
    """Data files and released weights by name."""
    folder = _folder("ELCREC_MIRROR", "no folder with data files and released weights")
    if not folder.is_dir():
        pytest.skip(f"ELCREC_MIRROR is {folder}: these tests need a folder")
    return folder
