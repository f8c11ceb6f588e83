"""How many cases a fuzz test tries."""

from __future__ import annotations

import os


def examples(base: int) -> int:
    """`base` cases, times the environment variable ELCREC_FUZZ (default 1) for a long run."""
    return base * int(os.environ.get("ELCREC_FUZZ", "1"))
