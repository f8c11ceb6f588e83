"""Names in the records of a run, for those who write them and those who read them.

No import of torch: tables are made without it.
"""

from __future__ import annotations

from typing import Literal

Split = Literal["valid", "test"]
SPLITS: tuple[Split, ...] = ("valid", "test")
Precision = Literal["float32", "tf32", "bf16"]
"""How exactly a training step multiplies: see `elcrec.precision`."""

FAILED = "failed.txt"
"""File in the folder of a run that failed: one line, why."""

PHASES = ("training", "validation", "kmeans")
"""What the seconds of an epoch are split into."""
