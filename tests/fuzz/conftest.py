"""Tells how many damaged files were tried."""

from __future__ import annotations

from typing import Any

from tests.fuzz.harness import COUNTS


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if COUNTS:
        kinds = sorted({kind for kind, _ in COUNTS})
        terminalreporter.section("damaged files")
        for kind in kinds:
            read, refused = COUNTS[kind, "read"], COUNTS[kind, "refused"]
            terminalreporter.write_line(
                f"{read + refused:7,} {kind}: {read:,} read, {refused:,} refused"
            )
        terminalreporter.write_line(f"{sum(COUNTS.values()):7,} in all")
