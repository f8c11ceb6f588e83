"""Names in the records of a run, for those who write them and those who read them.

No import of torch: tables are made without it.
"""

from __future__ import annotations

from typing import Literal

Split = Literal["valid", "test"]
SPLITS: tuple[Split, ...] = ("valid", "test")
PHASES = ("training", "validation", "kmeans")
"""What the seconds of an epoch are split into."""
