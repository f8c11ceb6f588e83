"""An earlier record of `elcrec bench --scale`, whose points need not be measured again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from elcrec.bench.fit import MEASURES
from elcrec.errors import InputError
from elcrec.tables.jsonfile import JsonObject

SAME = ("model", "seed", "settings", "kernels", "torch_device", "waiting", "fingerprint")
"""What has to be equal in both records for their points to stand in one table."""
FIGURES = (*MEASURES, "wall_seconds", "host_load", "score_bytes")
"""What a point needs for table, fits and figure."""
SAME_MACHINE = ("device", "threads")


class Earlier:
    """The points that were measured; those that were not run are left out."""

    def __init__(self, path: Path) -> None:
        """Read a file that `--json` wrote.

        Raises:
            InputError: It cannot be read, or is no such record.
        """
        self.record = JsonObject.read(path)
        self.record.expect("kind", "scale")
        self.record.section("about").section("environment")
        factors = self.record.section("factors")
        self.factors = {factor: _measured(factors.section(factor)) for factor in factors.values}

    def check(self, about: dict[str, Any]) -> None:
        """Compare with what is measured now.

        Args:
            about: As `elcrec.bench.subject.Subject.about` gives it.

        Raises:
            InputError: Another model, setting, code or machine.
        """
        before = self.record.values["about"]
        now = {key: about[key] for key in SAME}
        now |= {key: about["environment"][key] for key in SAME_MACHINE}
        for key, value in now.items():
            old = (before["environment"] if key in SAME_MACHINE else before).get(key)
            if old != value:
                said = f" ('{old}', now '{value}')" if isinstance(value, str | int) else ""
                raise InputError(
                    f"--scale-from {self.record.path}: was measured with another {key}{said}"
                )

    def point(self, factor: str, size: int) -> dict[str, Any] | None:
        """A point that was measured, as `elcrec.bench.scale.grow` lists it; None: it was not."""
        point = self.factors.get(factor, {}).get(size)
        return point and {**point, "earlier": True}


def _measured(factor: JsonObject) -> dict[int, dict[str, Any]]:
    """Points of a factor by size; InputError for one that lacks a figure."""
    points: dict[int, dict[str, Any]] = {}
    for point in factor.objects("points"):
        if "not_run" in point.values:
            continue
        size = point.integer("size", 1)
        if size in points:
            point.refuse("size", "each size once")
        for key in FIGURES:
            point.number(key)
        points[size] = point.values
    return points
