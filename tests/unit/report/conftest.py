"""Shared by the tests of the report."""

from pathlib import Path

import pytest

from tests.unit.report.report_output import ReportOutput


@pytest.fixture
def output(tmp_path: Path) -> ReportOutput:
    return ReportOutput(tmp_path)
