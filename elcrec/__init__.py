"""ELCRec (Liu et al., NeurIPS 2024) as a reproducible benchmark."""

from __future__ import annotations

from pathlib import Path

__version__ = "0.2.0"

ROOT = Path(__file__).resolve().parent.parent
