"""No gradients, and a summary of how far the models were from RecBole's."""

import pytest
import torch

pytest.register_assert_rewrite("tests.parity.comparison")


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.no_grad():
        yield


def pytest_terminal_summary(terminalreporter):
    largest: dict[str, float] = {}
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        name = report.nodeid.split("::")[1].removeprefix("Test")
        for key, value in report.user_properties:
            if key == "deviation":
                largest[name] = max(value, largest.get(name, 0.0))
    for name, value in largest.items():
        terminalreporter.write_line(f"largest deviation from RecBole: {name:26} {value:.1e}")
